import type { ColumnKey } from './columns.js';

const whole: ReadonlySet<ColumnKey> = new Set(['ssim', 'pck10', 'oks']);

/** A metric's value as people read it, without its unit; three digits, `–` where there is none. */
export function formatMetric(key: ColumnKey, value: number | undefined | null): string {
  if (value === undefined || value === null || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  if (key === 'score') return value.toFixed(2);
  if (whole.has(key)) return value.toFixed(3);
  return threeDigits(value);
}

/** `1.23 ± 0.04`, or the mean alone where there is one seed. */
export function formatSpread(key: ColumnKey, spread: { mean: number; deviation: number | undefined }): string {
  const mean = formatMetric(key, spread.mean);
  if (spread.deviation === undefined) return mean;
  // As many decimals as the mean has: a spread below them is none.
  const decimals = mean.split('.')[1]?.length ?? 0;
  return `${mean} ± ${spread.deviation.toFixed(decimals)}`;
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 99.95) return value.toFixed(0);
  if (size < 0.0005) return value.toExponential(1);
  return value.toFixed(size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
}
