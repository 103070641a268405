import type { Skeleton } from '../dancer/skeleton.js';
import { place, scale, type Vec3 } from '../dancer/vec.js';
import type { CastMember, FaceLook } from './member.js';

/** How a face is just now: where eyes and mouth are, in a standard head. Drawing and face points share it. */
export function faceNow(look: FaceLook, { pose }: Pick<Skeleton, 'pose'>) {
  const open = Math.max(0.12, 1 - pose.blink);
  const corner = 0.001 + 0.009 * (pose.smile - 0.25);
  return {
    eye: [0.0365 * look.eyeGap, 0.116, 0.061] as Vec3,
    eyeWide: 0.0265 * look.eyes,
    eyeHigh: 0.0195 * look.eyes * open,
    open,
    browY: 0.149 + 0.0025 * pose.smile,
    mouthY: 0.05 - corner * 0.5,
    mouthHalf: (0.026 + 0.007 * pose.smile) * look.mouth,
    corner,
    parted: Math.max(0, pose.smile - 0.6) * 0.024,
  };
}

/** The 68 points that face detectors name (iBUG order) in world coordinates. */
export function facePoints(member: CastMember, skeleton: Skeleton): readonly Vec3[] {
  const { face: look } = member;
  const now = faceNow(look, skeleton);
  const at = (p: Vec3): Vec3 => place(skeleton.head, scale(p, skeleton.measures.head));
  const jaw: Vec3[] = Array.from({ length: 17 }, (_, i) => {
    const angle = ((i - 8) / 8) * 1.5;
    const low = Math.cos(angle);
    return [
      Math.sin(angle) * (0.075 * look.jaw + 0.008 * (1 - low)),
      0.115 - 0.113 * Math.max(0, low) ** 0.8,
      0.01 + 0.066 * low,
    ];
  });
  const brow = (s: 1 | -1): Vec3[] =>
    [0.06, 0.05, 0.04, 0.029, 0.0175].map((x, i) => [
      s * x,
      now.browY + (i === 0 ? 0.001 + look.browTilt : i === 4 ? -0.003 - look.browTilt : 0.003),
      0.056 + i * 0.0065,
    ]);
  const nose: Vec3[] = [
    ...[0.12, 0.11, 0.1, 0.09].map((y, i): Vec3 => [0, y, 0.086 + 0.007 * i]),
    ...[-2, -1, 0, 1, 2].map(
      (i): Vec3 => [i * 0.0075 * look.nose, 0.081 - 0.002 * (2 - Math.abs(i)), 0.1 - 0.004 * Math.abs(i)],
    ),
  ];
  const [ex, ey, ez] = now.eye;
  const eye = (s: 1 | -1): Vec3[] => {
    const ring = (angle: number): Vec3 => [
      s * (ex + Math.cos(angle) * now.eyeWide),
      ey + Math.sin(angle) * now.eyeHigh,
      ez + 0.018 - 0.008 * Math.max(0, Math.cos(angle)),
    ];
    const turns = [0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3].map((turn) => ring(turn * Math.PI));
    // From the picture's left: the right eye starts at its outer corner, the left one at its inner corner.
    return s < 0 ? turns : [3, 2, 1, 0, 5, 4].map((i) => turns[i] as Vec3);
  };
  const { mouthHalf: m, mouthY, corner, parted } = now;
  const lip = (share: number, up: number): Vec3 => {
    const x = share * m;
    return [x, mouthY + corner * share ** 2 + up * (1 - share ** 2), 0.0905 - 16 * x * x];
  };
  const low = -0.012 - parted * 1.8;
  const mouth: Vec3[] = [
    ...[-1, -0.6, -0.25, 0, 0.25, 0.6, 1].map((share) => lip(share, 0.006)),
    ...[0.6, 0.25, 0, -0.25, -0.6].map((share) => lip(share, low)),
    ...[-0.85, -0.3, 0, 0.3, 0.85].map((share) => lip(share, -0.001)),
    ...[0.3, 0, -0.3].map((share) => lip(share, -0.003 - parted * 1.6)),
  ];
  const inOrder = [...jaw, ...brow(-1), ...[...brow(1)].reverse(), ...nose, ...eye(-1), ...eye(1), ...mouth];
  return inOrder.map(at);
}
