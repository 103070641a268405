import type { RunStart, StageProgress } from '../events.js';

/** Where a run writes, and its seed if it has one. */
export function runStartText({ runDir, seed }: RunStart): string {
  return `run folder ${runDir}${seed === undefined ? '' : `, seed ${seed}`}`;
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(value: number): string {
  const whole = Math.max(0, Math.round(value));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `12/24 frames, 3 s left`. */
export function formatProgress({ done, total, unit, etaSec }: StageProgress): string {
  const count = total === undefined ? `${done} ${unit}` : `${done}/${total} ${unit}`;
  return etaSec === undefined ? count : `${count}, ${formatSeconds(etaSec)} left`;
}

/** `14 MB`, `4.5 GB`, as disks are sold: powers of ten. */
export function formatBytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** How long a finished stage took: `0.4 s` while that is telling, whole units later. */
export function formatDuration(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : formatSeconds(ms / 1000);
}

/** Text from outside (file names in messages) without control characters that could redraw the terminal. */
export function printable(text: string): string {
  return text.replace(/(?!\n)\p{Cc}/gu, '?');
}
