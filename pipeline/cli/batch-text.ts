import type { BatchProgress, BatchStart, ClipEnd, ClipError, ClipRetry } from '../batch/types.js';
import type { Warning } from '../events.js';
import { formatSeconds } from '../progress/report-text.js';
import { oneLine } from './cells.js';

/** More skipped files than this are only counted. */
const skippedLines = 20;
/** A warning that every clip gives is shown for this many. */
const sameWarnings = 3;

/** What a batch is about to do: one line, and one for each of the first skipped files. */
export function batchStartLines({ dir, clips, earlier, skipped, shard }: BatchStart): string[] {
  const parts = [
    `${clips} clip${clips === 1 ? '' : 's'} to animate`,
    earlier > 0 && `${earlier} finished earlier`,
    skipped.length > 0 && `${skipped.length} skipped`,
    shard && `shard ${shard.index}/${shard.count}`,
  ].filter((part) => part);
  const lines = [`batch folder ${oneLine(dir)}: ${parts.join(', ')}`];
  for (const { name, why } of skipped.slice(0, skippedLines)) lines.push(`skipped ${oneLine(name)}: ${oneLine(why)}`);
  if (skipped.length > skippedLines) lines.push(`and ${skipped.length - skippedLines} more`);
  return lines;
}

/** `48 frames in 1 min 2 s, 2 attempts`; empty where nothing is known. */
export function doneText({ frames, seconds, attempts }: ClipEnd): string {
  const time = seconds === undefined ? '' : `in ${formatSeconds(seconds)}`;
  const result = [frames === undefined ? '' : `${frames} frames`, time].filter(Boolean).join(' ');
  return [result, attempts > 1 ? `${attempts} attempts` : ''].filter(Boolean).join(', ');
}

/** `failed after 3 attempts`. */
export function failedText({ attempts }: ClipEnd): string {
  return attempts > 1 ? `failed after ${attempts} attempts` : 'failed';
}

/** An error on one line, e.g. `no frames (video.no-frames; where x.mp4; got 0)`. Where it happened comes with it. */
export function errorText({ code, what, where, got, expected }: ClipError): string {
  const facts = [code, where && `where ${where}`, got && `got ${got}`, expected && `expected ${expected}`];
  return oneLine(`${what} (${facts.filter(Boolean).join('; ')})`);
}

export function retryText({ attempt, delayMs, code, what, smaller }: ClipRetry): string {
  const next = `attempt ${attempt + 1} in ${formatSeconds(delayMs / 1000)}${smaller ? `, with ${smaller}` : ''}`;
  return oneLine(`${what} (${code}); ${next}`);
}

export function warningText({ message, hint }: Warning): string {
  return oneLine(`${message}${hint ? ` (hint: ${hint})` : ''}`);
}

/** `1 failed, 5 min 0 s left`; empty where there is nothing to say. */
export function outlookText({ failed, etaSec }: Pick<BatchProgress, 'failed' | 'etaSec'>): string {
  return [failed > 0 && `${failed} failed`, etaSec !== undefined && `${formatSeconds(etaSec)} left`]
    .filter(Boolean)
    .join(', ');
}

/**
 * Tells whether a clip's warning is still worth a line: the same words from the fourth clip on are not.
 * @returns what to add to the line, or undefined where there should be none.
 */
export function warningFilter(): (warning: Warning) => string | undefined {
  const seen = new Map<string, number>();
  return ({ code, message }) => {
    const key = `${code} ${message}`;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    if (times > sameWarnings) return undefined;
    return times === sameWarnings ? ' (said no more; the logs have it)' : '';
  };
}
