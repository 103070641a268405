import type { Skeleton } from '../dancer/skeleton.js';
import { scale, type Vec3 } from '../dancer/vec.js';
import { ball, cone, type Shape, type ShapeOptions } from './shape.js';

/** Draws in the coordinates of a standard head: 0.25 m high, origin at the top of the neck, z out of the face. */
export type HeadSpace = {
  readonly ball: (at: Vec3, radii: Vec3, ...rest: [Shape['material'], ShapeOptions?]) => Shape;
  readonly cone: (
    from: Vec3,
    to: Vec3,
    sizes: readonly [number, number],
    ...rest: [Shape['material'], ShapeOptions?]
  ) => Shape;
};

export function headSpace({ head, measures: { head: k } }: Skeleton): HeadSpace {
  const scaled = (options: ShapeOptions = {}): ShapeOptions => ({
    ...options,
    cut: options.cut && { normal: options.cut.normal, offset: options.cut.offset * k },
  });
  return {
    ball: (at, radii, m, options) => ball(head, scale(at, k), scale(radii, k), m, scaled(options)),
    cone: (from, to, [a, b], m, options) =>
      cone(head, scale(from, k), scale(to, k), [a * k, b * k], m, scaled(options)),
  };
}

/** Left and right. */
export const both = <T>(make: (side: 1 | -1) => T): T[] => [make(1), make(-1)];
