import type { Proportions, Side } from '../dancer/skeleton.js';
import type { Vec3 } from '../dancer/vec.js';

const fingers = [
  { x: 0.029, y: 0.082, size: 0.078, r: 0.0125 },
  { x: 0.0098, y: 0.087, size: 0.087, r: 0.013 },
  { x: -0.0098, y: 0.084, size: 0.081, r: 0.0125 },
  { x: -0.0285, y: 0.075, size: 0.065, r: 0.0115 },
] as const;

/** A finger's four points from root to tip, and its thickness; in the hand's frame, metres. */
export type Finger = { readonly points: readonly Vec3[]; readonly radius: number };

/** Thumb, index, middle, ring and little finger of a hand as it is bent now. */
export function fingersOf(m: Proportions, { arm }: Side): readonly Finger[] {
  const k = m.hand;
  const chain = (base: Vec3, fan: number, sizes: readonly number[], bend: number, radius: number): Finger => {
    const points: Vec3[] = [base];
    let [x, y, z] = base;
    let angle = bend * 0.4;
    for (const size of sizes) {
      x += Math.sin(fan) * Math.cos(angle) * size;
      y += Math.cos(fan) * Math.cos(angle) * size;
      z += Math.sin(angle) * size;
      points.push([x, y, z]);
      angle += bend * 1.15;
    }
    return { points: points.map((p): Vec3 => [p[0] * k, p[1] * k, p[2] * k]), radius: radius * k };
  };
  const thumb = chain([0.026, 0.026, 0.008], 0.8, [0.042, 0.034, 0.028], 0.16 + arm.curl * 0.35, 0.0145);
  const others = fingers.map(({ x, y, size, r }, i) =>
    chain(
      [x, y, 0],
      (1.4 - i) * arm.spread,
      [0.5, 0.29, 0.21].map((share) => share * size),
      arm.curl * (1 + 0.06 * i) + 0.08,
      r,
    ),
  );
  return [thumb, ...others];
}

/** The 21 points that hand detectors name: wrist, then every finger from root to tip. In the hand's frame. */
export const handPoints = (m: Proportions, side: Side): readonly Vec3[] => [
  [0, 0, 0],
  ...fingersOf(m, side).flatMap(({ points }) => points),
];
