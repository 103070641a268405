import type { Frame, Vec3 } from '../dancer/vec.js';
import type { CastMember } from './member.js';
import type { Sweep, Triple } from './sweep.js';

/** Where the figure stands in its picture, in shares of it. */
export type Placement = {
  /** Height of the standing figure, of the picture's height. */
  readonly height: number;
  /** Offset of its middle from the picture's, of the picture's width. */
  readonly x: number;
  /** Space under its feet, of the picture's height. */
  readonly bottom: number;
};

/** The camera looks down this much, in radians, so that a foot in front stands lower in the picture. */
const tilt = 0.1;
const [down, level] = [Math.sin(tilt), Math.cos(tilt)];

/** A parallel projection: metres to pixels (x right, y down, z towards the viewer). */
export type View = {
  readonly scale: number;
  readonly point: (p: Vec3) => Triple;
  readonly direction: (d: Vec3) => Triple;
};

/** Height of a standing figure in metres, hair left out. */
export const standingHeight = ({ measures: m }: CastMember): number =>
  m.hipHeight + m.waist + m.ribs + m.neckRise + m.neck + 0.245 * m.head;

export function viewOf(member: CastMember, placement: Placement, width: number, height: number): View {
  const scale = (placement.height * height) / standingHeight(member);
  const middle = width * (0.5 + placement.x);
  const floor = height * (1 - placement.bottom);
  const direction = ([x, y, z]: Vec3): Triple => [x, -(y * level - z * down), y * down + z * level];
  return {
    scale,
    direction,
    point: (p) => {
      const [x, y, z] = direction(p);
      return [middle + x * scale, floor + y * scale, z * scale];
    },
  };
}

/** A rounded shape in a bone's frame, in metres. */
export type Solid = {
  readonly frame: Frame;
  readonly from: Vec3;
  readonly to: Vec3;
  readonly sizes: readonly [number, number];
  /** Stretch of its ellipsoids along the frame's axes. */
  readonly stretch: Vec3;
  /** Surface with normal . p over the offset is cut away; in the frame. */
  readonly cut: { readonly normal: Vec3; readonly offset: number } | undefined;
};

/** A solid as the canvas takes it. */
export function sweepOf({ frame, from, to, sizes, stretch, cut }: Solid, view: View): Sweep {
  const axes = [view.direction(frame.x), view.direction(frame.y), view.direction(frame.z)] as const;
  const inView = (p: Vec3): Triple => {
    const world = [0, 1, 2].map(
      (i) =>
        (frame.origin[i] as number) +
        (frame.x[i] as number) * p[0] +
        (frame.y[i] as number) * p[1] +
        (frame.z[i] as number) * p[2],
    ) as [number, number, number];
    return view.point(world);
  };
  const at = inView(from);
  const end = inView(to);
  const entry = (i: number, j: number): number =>
    axes.reduce((sum, axis, k) => sum + ((axis[i] as number) * (axis[j] as number)) / (stretch[k] as number) ** 2, 0);
  const extent = (i: number): number =>
    Math.sqrt(axes.reduce((sum, axis, k) => sum + ((axis[i] as number) * (stretch[k] as number)) ** 2, 0));
  const size = sizes[0] * view.scale;
  return {
    at,
    along: [end[0] - at[0], end[1] - at[1], end[2] - at[2]],
    size,
    growth: sizes[1] * view.scale - size,
    form: [entry(0, 0), entry(0, 1), entry(0, 2), entry(1, 1), entry(1, 2), entry(2, 2)],
    extent: [extent(0), extent(1)],
    cut: cut && planeOf(frame, cut.normal, cut.offset, view),
  };
}

/** The plane normal . p = offset of a frame, in pixels: normal x, y, z and offset, so that values stay in metres. */
export function planeOf(frame: Frame, normal: Vec3, offset: number, view: View): [number, number, number, number] {
  const world: Vec3 = [0, 1, 2].map(
    (i) => (frame.x[i] as number) * normal[0] + (frame.y[i] as number) * normal[1] + (frame.z[i] as number) * normal[2],
  ) as [number, number, number];
  const [x, y, z] = view.direction(world);
  const [ox, oy, oz] = view.point(frame.origin);
  const k = 1 / view.scale;
  return [x * k, y * k, z * k, offset + (x * ox + y * oy + z * oz) * k];
}
