import type { Solid } from './field.js';
import { headSpace } from './head.js';
import type { Skeleton } from './skeleton.js';
import type { Vec3 } from './vec.js';

/** Short hair, longer on top and brushed up to one side. */
export function shortHair({ head, measures }: Skeleton): Solid[] {
  const h = headSpace(head, measures.head);
  return [
    h.ball([0, 0.163, -0.016], [0.088, 0.096, 0.1]),
    h.ball([0, 0.09, 0.092], [0.07, 0.077, 0.08], { op: 'cut', blend: 0.014 }),
    h.ball([0, 0.03, -0.01], [0.12, 0.062, 0.12], { op: 'cut', blend: 0.012 }),
    h.ball([0.004, 0.214, 0.006], [0.078, 0.046, 0.084], { blend: 0.03 }),
    h.cone([-0.05, 0.215, 0.062], [0.03, 0.238, 0.066], 0.018, 0.026, { blend: 0.018 }),
    h.cone([0.012, 0.234, 0.066], [0.066, 0.212, 0.052], 0.024, 0.014, { blend: 0.016 }),
    h.cone([-0.03, 0.238, 0.03], [0.05, 0.246, 0.02], 0.02, 0.02, { blend: 0.02 }),
  ];
}

/** Hair parted and brushed back into a ponytail that swings. */
export function ponytail({ head, measures, pose }: Skeleton): Solid[] {
  const h = headSpace(head, measures.head);
  const lag = (p: Vec3, share: number): Vec3 => [p[0] + pose.swing[0] * share, p[1] + pose.swing[1] * share, p[2]];
  const tail: readonly (readonly [Vec3, number])[] = [
    [[0.0, 0.215, -0.085], 0.024],
    [lag([0.04, 0.25, -0.125], 0.2), 0.036],
    [lag([0.095, 0.205, -0.135], 0.5), 0.042],
    [lag([0.125, 0.1, -0.125], 0.9), 0.04],
    [lag([0.125, -0.01, -0.11], 1.3), 0.032],
    [lag([0.098, -0.095, -0.1], 1.7), 0.008],
  ];
  return [
    h.ball([0, 0.16, -0.014], [0.089, 0.099, 0.103]),
    h.ball([0, 0.1, -0.045], [0.083, 0.08, 0.07], { blend: 0.03 }),
    h.ball([0, 0.092, 0.094], [0.066, 0.082, 0.08], { op: 'cut', blend: 0.012 }),
    h.ball([0, 0.0, 0.02], [0.12, 0.07, 0.12], { op: 'cut', blend: 0.02 }),
    // A fringe swept to one side, and a lock before each ear.
    h.cone([-0.03, 0.232, 0.055], [0.05, 0.178, 0.078], 0.03, 0.012, { blend: 0.02 }),
    h.cone([0.045, 0.19, 0.075], [0.078, 0.135, 0.048], 0.014, 0.008, { blend: 0.014 }),
    h.cone([-0.03, 0.228, 0.06], [-0.066, 0.168, 0.068], 0.024, 0.012, { blend: 0.016 }),
    h.cone([-0.064, 0.175, 0.066], [-0.08, 0.115, 0.04], 0.012, 0.007, { blend: 0.012 }),
    ...tail.slice(1).map(([to, r], i) => {
      const [from, before] = tail[i] ?? [to, r];
      return h.cone(from, to, before, r, { blend: 0.012 });
    }),
  ];
}

/** A hero's wave: volume on top and a lock that falls over the forehead. */
export function swoosh({ head, measures }: Skeleton): Solid[] {
  const h = headSpace(head, measures.head);
  return [
    h.ball([0, 0.16, -0.016], [0.088, 0.097, 0.101]),
    h.ball([0, 0.086, 0.092], [0.071, 0.082, 0.08], { op: 'cut', blend: 0.012 }),
    h.ball([0, 0.02, -0.01], [0.12, 0.062, 0.12], { op: 'cut', blend: 0.012 }),
    h.cone([0.05, 0.215, 0.05], [-0.01, 0.262, 0.06], 0.026, 0.034, { blend: 0.024 }),
    h.cone([-0.01, 0.262, 0.06], [-0.068, 0.232, 0.06], 0.03, 0.014, { blend: 0.016 }),
    h.cone([0.04, 0.24, 0.0], [-0.04, 0.252, -0.02], 0.03, 0.036, { blend: 0.03 }),
    h.cone([0.03, 0.222, 0.08], [-0.004, 0.19, 0.1], 0.014, 0.008, { blend: 0.01 }),
    h.cone([-0.004, 0.19, 0.1], [-0.022, 0.196, 0.102], 0.008, 0.003, { blend: 0.006 }),
  ];
}
