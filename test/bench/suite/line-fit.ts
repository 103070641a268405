export type LineFit = {
  readonly slope: number;
  readonly intercept: number;
  /** Share of the variance that the line explains: 1 for points on a line, also for points that are all alike. */
  readonly r2: number;
};

/** Least squares line y = intercept + slope x. Throws for fewer than two different x. */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): LineFit {
  const mean = (of: (point: { readonly x: number; readonly y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)];
  const variance = mean(({ x }) => (x - mx) ** 2);
  if (!(variance > 0)) throw new Error('a line needs points at two places');
  const slope = mean(({ x, y }) => (x - mx) * (y - my)) / variance;
  const intercept = my - slope * mx;
  const total = mean(({ y }) => (y - my) ** 2);
  const rest = mean(({ x, y }) => (y - intercept - slope * x) ** 2);
  return { slope, intercept, r2: total > 0 ? 1 - rest / total : 1 };
}
