/** Points and directions in metres: x to the figure's left (the viewer's right), y up, z towards the viewer. */
export type Vec3 = readonly [x: number, y: number, z: number];

/** A bone's place: origin and three orthonormal axes in world coordinates. Right-hand bones are mirrored (left-handed). */
export type Frame = { readonly origin: Vec3; readonly x: Vec3; readonly y: Vec3; readonly z: Vec3 };

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);
export const mix = (a: Vec3, b: Vec3, t: number): Vec3 => add(scale(a, 1 - t), scale(b, t));

export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

export function normalize(a: Vec3): Vec3 {
  const size = length(a);
  return size > 1e-9 ? scale(a, 1 / size) : [0, 1, 0];
}

/** Mirror a direction or local point for the figure's right side. */
export const mirrorX = (a: Vec3): Vec3 => [-a[0], a[1], a[2]];

/** Local direction to world. */
export const turn = (f: Frame, v: Vec3): Vec3 => add(add(scale(f.x, v[0]), scale(f.y, v[1])), scale(f.z, v[2]));

/** Local point to world. */
export const place = (f: Frame, p: Vec3): Vec3 => add(f.origin, turn(f, p));

/** World point to local. */
export function locate(f: Frame, p: Vec3): Vec3 {
  const d = sub(p, f.origin);
  return [dot(d, f.x), dot(d, f.y), dot(d, f.z)];
}

/** Angles of a joint in radians: yaw turns to the figure's left, pitch bows forward, roll leans to the figure's left. */
export type Turn = { readonly yaw: number; readonly pitch: number; readonly roll: number };

/** The frame at local point `at` of `parent`, rolled, then pitched, then yawed against it. */
export function joint(parent: Frame, at: Vec3, { yaw, pitch, roll }: Turn): Frame {
  const [cy, sy, cp, sp, cr, sr] = [yaw, pitch, -roll].flatMap((a) => [Math.cos(a), Math.sin(a)]) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // Columns of Ry(yaw) * Rx(pitch) * Rz(-roll).
  const x: Vec3 = [cy * cr + sy * sp * sr, cp * sr, -sy * cr + cy * sp * sr];
  const y: Vec3 = [-cy * sr + sy * sp * cr, cp * cr, sy * sr + cy * sp * cr];
  const z: Vec3 = [sy * cp, -sp, cy * cp];
  return { origin: place(parent, at), x: turn(parent, x), y: turn(parent, y), z: turn(parent, z) };
}

/** A limb's frame: y from `from` to `to`, z as near to `front` as can be; `side` 1 left, -1 right (mirrored). */
export function limb(from: Vec3, to: Vec3, front: Vec3, side: number): Frame {
  const y = normalize(sub(to, from));
  const z = normalize(sub(front, scale(y, dot(front, y))));
  return { origin: from, x: scale(cross(z, y), side), y, z };
}
