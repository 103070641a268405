import type { Solid } from './field.js';
import { headSpace } from './head.js';
import type { Skeleton } from './skeleton.js';

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
