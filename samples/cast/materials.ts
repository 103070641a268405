import type { Frame, Vec3 } from '../dancer/vec.js';
import type { Rgb } from './colors.js';

/** What the picture's parts are called in `drawCast`'s label picture. */
export const labels = { background: 0, clothes: 1, skin: 2, head: 3, hands: 4, shoes: 5 } as const;
export type Label = (typeof labels)[keyof typeof labels];

/** Where a second colour shows: where `coordinate` = axis . p of the frame (metres) lies in a band, or in every other one. */
export type Pattern = {
  readonly frame: Frame;
  readonly axis: Vec3;
  readonly color: Rgb;
  readonly low: number;
  readonly high: number;
  /** 0: one band; otherwise the band repeats after this many metres. */
  readonly period: number;
};

export type Material = {
  readonly color: Rgb;
  readonly label: Label;
  /** 0 plainly shaded, 1 not shaded at all (eyes stay bright). */
  readonly glow: number;
  /** Strength of a soft highlight. */
  readonly gloss: number;
  readonly pattern?: Pattern | undefined;
};

export const material = (
  color: Rgb,
  label: Label,
  more: Partial<Pick<Material, 'glow' | 'gloss' | 'pattern'>> = {},
): Material => ({ color, label, glow: 0, gloss: 0, ...more });

export const shaded = (c: Rgb, factor: number): Rgb => [c[0] * factor, c[1] * factor, c[2] * factor];
