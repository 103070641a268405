import type { PantomimeError } from '../../models/errors.js';
import type { AnimateOptions } from '../options/schema.js';

/**
 * What to do about a failed attempt: `passing` faults may be gone the next time, `memory` asks for a smaller plan, and what is
 * `lasting` (bad input, a wrong model) will be no better for trying again.
 */
export type Fault = 'passing' | 'memory' | 'lasting';

const passingCodes: ReadonlySet<string> = new Set([
  'engine.crashed',
  'engine.closed',
  'pose.worker-crashed',
  'pose.closed',
  'input.changed',
  'output.vanished',
  'output.locked',
  'output.no-space',
  'encode.no-space',
]);

/** @param outOfMemory whether the system has ended processes for want of memory during the attempt. */
export function faultOf(error: PantomimeError, outOfMemory: boolean): Fault {
  const { code, what, got = '' } = error.details;
  if (code === 'engine.crashed' && outOfMemory) return 'memory';
  if ((code === 'engine.run' || code === 'engine.load') && /memory|alloc/i.test(error.message)) return 'memory';
  if (passingCodes.has(code)) return 'passing';
  // ffmpeg was killed; where it ends by itself it will do so again.
  if (error.kind === 'ffmpeg' && /ended by a signal|(received|with) signal/i.test(`${what} ${got}`)) return 'passing';
  return 'lasting';
}

export type SmallerPlan = { readonly options: AnimateOptions; readonly text: string };

/**
 * The same run with less memory: first what gives the same picture (weights read in place, fewer frames decoded at once), then
 * smaller windows. Undefined where nothing is left to save.
 */
export function smallerPlan(options: AnimateOptions, onCpu: boolean): SmallerPlan | undefined {
  if ((onCpu && options.residency !== 'low-memory') || options.decodeChunk > 4) {
    const decodeChunk = Math.min(options.decodeChunk, 4);
    const decodeOverlap = Math.min(options.decodeOverlap, decodeChunk - 1);
    const residency = onCpu ? 'low-memory' : options.residency;
    return {
      options: { ...options, decodeChunk, decodeOverlap, residency },
      text: `${onCpu ? 'weights read in place, ' : ''}${decodeChunk} frames decoded at once`,
    };
  }
  if (options.chunk <= 4) return undefined;
  const chunk = Math.ceil(options.chunk / 2);
  const overlap = Math.min(options.overlap, Math.floor(chunk / 4));
  return { options: { ...options, chunk, overlap }, text: `windows of ${chunk} frames, overlap ${overlap}` };
}

/** Time to wait before the attempt after `attempt` (from 1): doubling, so that what is busy can recover. */
export function backOffMs(attempt: number): number {
  return Math.min(1_000 * 2 ** (attempt - 1), 30_000);
}
