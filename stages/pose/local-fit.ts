/** A point at one time, with a weight in 0..1 for how much it is to be trusted. */
export type TrackPoint = { readonly x: number; readonly y: number; readonly weight: number };

/** A point through time, one entry a frame; undefined where it was not seen. */
export type Track = readonly (TrackPoint | undefined)[];

/** A line or parabola through a track about one frame. */
type Fit = {
  readonly x: number;
  readonly y: number;
  /** Variance of x and y together about the curve, or undefined when every point lies on it by construction. */
  readonly variance: number | undefined;
};

/** So many times the noise from where its neighbours have it, a single point is a slip of the detector. */
const slip = 5;

/** How far above the noise the scatter about a curve may be before the curve counts as the wrong one, as a ratio. */
const tolerance = 1.5;

/**
 * Every point of a track replaced by a curve through its neighbourhood: the first of these that describes it within the
 * noise: a straight line over `halfWindow` frames to either side, a parabola over the same, both again over narrower and
 * narrower windows; else the point itself. Weights are the points' own times a tricube of time. The windows are centred
 * and nothing depends on the direction of time, so there is no lag.
 *
 * This is local regression (Cleveland 1979) with Lepski's choice of the window; for evenly spaced points of equal weight
 * it is a Savitzky-Golay filter. The noise is that of the track itself, at most `mostNoise`. Points that lie far off all
 * alone are put back among their neighbours first.
 */
export function localFit(original: Track, halfWindow: number, mostNoise: number): Track {
  const noise = Math.min(noiseOf(original), mostNoise);
  const track = withoutSlips(original, noise);
  const most = 2 * (tolerance * noise) ** 2; // both coordinates
  const widths: number[] = [];
  for (let width = halfWindow; width >= 1; width = Math.min(width - 1, Math.round(width * 0.7))) widths.push(width);
  return track.map((point, t) => {
    if (!point) return undefined;
    for (const width of widths) {
      for (const degree of [1, 2] as const) {
        const fit = fitAt(track, t, width, degree);
        if (fit?.variance !== undefined && fit.variance <= most) return { ...point, x: fit.x, y: fit.y };
      }
    }
    return point;
  });
}

/**
 * Standard deviation of a track's noise in one coordinate, in its own units. Third differences of four consecutive points
 * take out any movement that is locally a parabola and leave sqrt(20) times white noise; their median is not troubled by
 * the moments when the movement is not. 0 when there are no four consecutive points.
 */
export function noiseOf(track: Track): number {
  const differences: number[] = [];
  for (let t = 3; t < track.length; t++) {
    const [a, b, c, d] = [track[t - 3], track[t - 2], track[t - 1], track[t]];
    if (!a || !b || !c || !d) continue;
    for (const axis of ['x', 'y'] as const) differences.push(Math.abs(d[axis] - 3 * c[axis] + 3 * b[axis] - a[axis]));
  }
  const median = differences.sort((a, b) => a - b)[differences.length >> 1] ?? 0;
  return median / 0.6745 / Math.sqrt(20); // 0.6745: median of |normal|
}

/**
 * A point far from the line through two neighbours on either side, which themselves are on one line within the noise, moves
 * onto it and counts for little: nothing moves away and back within two frames without its neighbours showing it.
 */
function withoutSlips(track: Track, noise: number): Track {
  return track.map((point, t) => {
    if (!point || noise === 0) return point;
    const around = track.slice(Math.max(0, t - 2), t + 3);
    if (around.length < 5 || around.includes(undefined)) return point;
    const without = around.map((other, i) => (i === 2 ? { ...point, weight: 0 } : other));
    const fit = fitAt(without, 2, 2, 1);
    if (fit?.variance === undefined || fit.variance > 2 * (tolerance * noise) ** 2) return point;
    if (Math.hypot(point.x - fit.x, point.y - fit.y) < slip * noise) return point;
    return { x: fit.x, y: fit.y, weight: 0.3 * point.weight };
  });
}

/** Weighted least squares about frame `t`; undefined when there are too few points. */
function fitAt(track: Track, t: number, width: number, degree: 1 | 2): Fit | undefined {
  // Sums of weight * k^n, and of weight * k^n * coordinate.
  const s = [0, 0, 0, 0, 0];
  const sx = [0, 0, 0];
  const sy = [0, 0, 0];
  let [count, xx, yy] = [0, 0, 0];
  const centre = track[t] as TrackPoint; // coordinates relative to it keep the sums exact
  for (let k = -width; k <= width; k++) {
    const point = track[t + k];
    if (!point) continue;
    const weight = point.weight * (1 - (Math.abs(k) / (width + 1)) ** 3) ** 3;
    if (!(weight > 0)) continue;
    count++;
    const x = point.x - centre.x;
    const y = point.y - centre.y;
    xx += weight * x * x;
    yy += weight * y * y;
    for (let n = 0, power = weight; n <= 4; n++, power *= k) {
      s[n] = (s[n] as number) + power;
      if (n > 2) continue;
      sx[n] = (sx[n] as number) + power * x;
      sy[n] = (sy[n] as number) + power * y;
    }
  }
  if (count < degree + 2) return undefined;
  const [a, b] = [solve(s, sx, degree), solve(s, sy, degree)];
  if (!a || !b) return undefined;
  // Residual sum of squares of least squares: sum of squares less what the curve explains.
  const explained = (coefficients: readonly number[], moments: readonly number[]) =>
    coefficients.reduce((sum, c, n) => sum + c * (moments[n] as number), 0);
  const residual = Math.max(0, xx - explained(a, sx) + yy - explained(b, sy));
  const freedom = (s[0] as number) * (1 - (degree + 1) / count); // weight left over by the curve's own parameters
  return { x: centre.x + (a[0] as number), y: centre.y + (b[0] as number), variance: residual / freedom };
}

/** Solves the normal equations of a polynomial of `degree` by Cramer's rule; undefined when they are singular. */
function solve(s: readonly number[], m: readonly number[], degree: 1 | 2): readonly number[] | undefined {
  const [s0, s1, s2, s3, s4] = s as [number, number, number, number, number];
  const [m0, m1, m2] = m as [number, number, number];
  if (degree === 1) {
    const d = s0 * s2 - s1 * s1;
    return d > 1e-9 ? [(m0 * s2 - m1 * s1) / d, (m1 * s0 - m0 * s1) / d] : undefined;
  }
  const c0 = s2 * s4 - s3 * s3;
  const c1 = s2 * s3 - s1 * s4;
  const c2 = s1 * s3 - s2 * s2;
  const d = s0 * c0 + s1 * c1 + s2 * c2;
  if (!(d > 1e-9)) return undefined;
  return [
    (m0 * c0 + m1 * c1 + m2 * c2) / d,
    (m0 * c1 + m1 * (s0 * s4 - s2 * s2) + m2 * (s1 * s2 - s0 * s3)) / d,
    (m0 * c2 + m1 * (s1 * s2 - s0 * s3) + m2 * (s0 * s2 - s1 * s1)) / d,
  ];
}
