import type { Frame, Vec3 } from '../dancer/vec.js';
import type { Material } from './materials.js';
import type { Solid } from './view.js';

/** A solid and what it is made of. */
export type Shape = Solid & { readonly material: Material };

export type ShapeOptions = {
  /** Stretch along the frame's axes; 1 is round. */
  readonly stretch?: Vec3;
  readonly cut?: { readonly normal: Vec3; readonly offset: number } | undefined;
};

/** An ellipsoid with half axes `radii`. */
export const ball = (frame: Frame, at: Vec3, radii: Vec3, material: Material, options: ShapeOptions = {}): Shape => ({
  frame,
  from: at,
  to: at,
  sizes: [1, 1],
  stretch: radii,
  cut: options.cut,
  material,
});

/** A rounded cone from one point to another. */
export const cone = (
  frame: Frame,
  from: Vec3,
  to: Vec3,
  sizes: readonly [number, number],
  material: Material,
  { stretch = [1, 1, 1], cut }: ShapeOptions = {},
): Shape => ({ frame, from, to, sizes, stretch, cut, material });

/** Cuts away what is further along the y axis than `y`. */
export const beyond = (y: number): ShapeOptions => ({ cut: { normal: [0, 1, 0], offset: y } });
/** Cuts away what is under `y`. */
export const below = (y: number): ShapeOptions => ({ cut: { normal: [0, -1, 0], offset: -y } });
