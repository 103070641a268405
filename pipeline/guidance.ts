import type { Guidance } from '../models/schedule/guidance.js';
import { parseInterval } from './options/interval-value.js';
import type { AnimateOptions } from './options/schema.js';

/** Guidance as the options choose it. */
export function guidanceOf({
  guidanceScaleMin: min,
  guidanceScale: max,
  guidanceInterval,
}: Pick<AnimateOptions, 'guidanceScaleMin' | 'guidanceScale' | 'guidanceInterval'>): Guidance {
  return { min, max, interval: guidanceInterval === null ? undefined : parseInterval(guidanceInterval) };
}
