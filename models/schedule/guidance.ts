/** Guidance scale rising linearly over `count` places, float32; `min` alone when there is one place. */
export function linearGuidance(min: number, max: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (count === 1 ? min : min + ((max - min) * i) / (count - 1)));
}

/**
 * Whether the unconditional branch has to run. The published pipeline turns guidance on from `max >= 1`; at exactly 1
 * everywhere it leaves the conditional prediction unchanged, so that branch is skipped without changing any number.
 */
export function needsGuidance(min: number, max: number): boolean {
  return max >= 1 && !(min === 1 && max === 1);
}
