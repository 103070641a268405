import { basename, extname, join, resolve } from 'node:path';
import type { AnimateOptions } from './options/schema.js';

export type OutputPaths = { readonly runDir: string; readonly video: string };

/**
 * Where a run writes: `-o` names the run folder, or an .mp4 file beside which the run folder lies as `<file>.run`; without
 * it, `outputs/<clip>-<time>`.
 */
export function outputPaths(
  options: Pick<AnimateOptions, 'output'>,
  movementPath: string,
  now = new Date(),
): OutputPaths {
  const clip = basename(movementPath, extname(movementPath));
  const path = resolve(options.output ?? join('outputs', `${clip}-${timestamp(now)}`));
  if (extname(path).toLowerCase() === '.mp4') return { runDir: `${path}.run`, video: path };
  return { runDir: path, video: join(path, 'output.mp4') };
}

/** Local time as `20260131-235959`. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
