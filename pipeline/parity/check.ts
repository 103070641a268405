/** One comparison of ours against theirs. */
export type Check = {
  readonly name: string;
  readonly maxAbs: number;
  /** ||a - b|| / ||b||, or NaN where it has no meaning. */
  readonly relative: number;
  readonly allowed: string;
  readonly passed: boolean;
};

/** A recorded case of the published implementation: run ours on its inputs and compare. */
export type ParityCase = { readonly name: string; readonly run: () => Promise<readonly Check[]> };

/** A case that cannot be run here, and why. */
export type SkippedCase = { readonly name: string; readonly skipped: string };

export type Tolerance = { readonly relative: number } | { readonly absolute: number };

/** Compares floats. Values of another length, or that are not finite, fail. */
export function compareFloats(
  name: string,
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
  tolerance: Tolerance,
): Check {
  const allowed = 'relative' in tolerance ? `rel ${tolerance.relative}` : `abs ${tolerance.absolute}`;
  if (ours.length !== theirs.length) return mismatch(name, ours.length, theirs.length);
  let [maxAbs, difference, norm] = [0, 0, 0];
  for (let i = 0; i < theirs.length; i++) {
    const [a, b] = [ours[i] as number, theirs[i] as number];
    const gap = Math.abs(a - b);
    // Math.max would keep NaN, but comparisons with it are false: fail on it by name.
    if (!Number.isFinite(gap)) return { name, maxAbs: Number.NaN, relative: Number.NaN, allowed, passed: false };
    if (gap > maxAbs) maxAbs = gap;
    difference += gap * gap;
    norm += b * b;
  }
  const relative = norm > 0 ? Math.sqrt(difference / norm) : maxAbs === 0 ? 0 : Number.POSITIVE_INFINITY;
  const passed = 'relative' in tolerance ? relative <= tolerance.relative : maxAbs <= tolerance.absolute;
  return { name, maxAbs, relative, allowed, passed };
}

/** Compares 8-bit pictures: at most `share` of the values may differ by more than `levels`, and none where `share` is 0. */
export function compareBytes(
  name: string,
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
  limits: { readonly levels: number; readonly beyond: number; readonly differing: number },
): Check {
  const { levels, beyond, differing } = limits;
  if (ours.length !== theirs.length) return mismatch(name, ours.length, theirs.length);
  let [maxAbs, different, over] = [0, 0, 0];
  for (let i = 0; i < theirs.length; i++) {
    const gap = Math.abs((ours[i] as number) - (theirs[i] as number));
    maxAbs = Math.max(maxAbs, gap);
    if (gap > 0) different++;
    if (gap > levels) over++;
  }
  const count = theirs.length;
  return {
    name,
    maxAbs,
    relative: different / count,
    allowed: `${levels} levels${beyond > 0 ? ` but for ${beyond * 100} %` : ''}, ${differing * 100} % differing`,
    passed: over <= beyond * count && different <= differing * count,
  };
}

function mismatch(name: string, ours: number, theirs: number): Check {
  return { name, maxAbs: Number.NaN, relative: Number.NaN, allowed: `${theirs} values, got ${ours}`, passed: false };
}
