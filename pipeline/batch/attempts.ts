import { setTimeout as wait } from 'node:timers/promises';
import type { PantomimeError } from '../../models/errors.js';
import { oomKills } from '../../models/runtime/memory.js';
import { runError, toPantomimeError } from '../explain-error.js';
import type { AnimateOptions } from '../options/schema.js';
import { backOffMs, faultOf, type SmallerPlan, smallerPlan } from './faults.js';
import type { ClipError, ClipRetry } from './types.js';

export type Attempted<T> =
  | { readonly ok: true; readonly value: T; readonly attempts: number }
  | { readonly ok: false; readonly error: ClipError; readonly interrupted: boolean; readonly attempts: number };

export type AttemptOptions = {
  readonly options: AnimateOptions;
  /** Further attempts after the first. */
  readonly retries: number;
  readonly onCpu: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onRetry: (retry: Omit<ClipRetry, 'type' | 'clip'>) => void;
};

/**
 * Does `work` until it succeeds, fails for a reason that will last, or has been tried often enough: with a longer pause before
 * each attempt, and with a smaller plan after a lack of memory. Never throws.
 */
export async function attempt<T>(
  { options, retries, onCpu, signal, onRetry }: AttemptOptions,
  work: (options: AnimateOptions, attempt: number) => Promise<T>,
): Promise<Attempted<T>> {
  let current = options;
  for (let attempts = 1; ; attempts++) {
    const killsBefore = oomKills();
    try {
      return { ok: true, value: await work(current, attempts), attempts };
    } catch (thrown) {
      const error = toPantomimeError(thrown, signal);
      // Only what ends the whole batch leaves a clip for later.
      const interrupted = error.kind === 'interrupted' && signal?.aborted === true;
      const next =
        interrupted || attempts > retries ? undefined : nextPlan(error, current, onCpu, oomKills() > killsBefore);
      if (!next) return { ok: false, error: clipError(error), interrupted, attempts };
      current = next.options;
      const delayMs = backOffMs(attempts);
      onRetry({ attempt: attempts, delayMs, code: error.code, what: error.details.what, smaller: next.text });
      await wait(delayMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** The options of another attempt; undefined where none makes sense. */
function nextPlan(
  error: PantomimeError,
  options: AnimateOptions,
  onCpu: boolean,
  outOfMemory: boolean,
): SmallerPlan | { readonly options: AnimateOptions; readonly text?: undefined } | undefined {
  const fault = faultOf(error, outOfMemory);
  if (fault === 'passing') return { options };
  return fault === 'memory' ? smallerPlan(options, onCpu) : undefined;
}

function clipError(error: PantomimeError): ClipError {
  const { type: _, exitCode: __, ...rest } = runError(error, error.exitCode);
  return rest;
}
