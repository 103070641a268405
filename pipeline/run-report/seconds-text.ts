import { formatSeconds } from '../progress/report-text.js';

/** `0.8 ms`, `340 ms`, `3.42 s`, `54.3 s`, `12 min 3 s`: three digits, as far as they tell something. */
export function secondsText(seconds: number): string {
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  return seconds < 100 ? `${seconds.toFixed(1)} s` : formatSeconds(seconds);
}

/** `4.5 %`. */
export function percentText(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
