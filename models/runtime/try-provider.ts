import { PantomimeError } from '../errors.js';
import { createEngine, type EngineInfo } from './engine.js';
import type { Provider } from './protocol.js';

/** Whether a provider can compute here; if not, why, and what to do about it. */
export type ProviderReport =
  | { readonly provider: Provider; readonly available: true; readonly info: EngineInfo }
  | { readonly provider: Provider; readonly available: false; readonly why: string };

/** Longest that a device may take for one addition; shaders are compiled for it. */
const answerMs = 60_000;

/** Lets a provider add two numbers in a process of its own. */
export async function tryProvider(provider: Provider, signal?: AbortSignal): Promise<ProviderReport> {
  const late = AbortSignal.timeout(answerMs);
  try {
    await using engine = await createEngine({
      ...{ provider, threads: 1 },
      signal: AbortSignal.any(signal ? [late, signal] : [late]),
    });
    return { provider, available: true, info: engine.info };
  } catch (error) {
    signal?.throwIfAborted();
    if (late.aborted) return { provider, available: false, why: `no answer within ${answerMs / 1000} s` };
    if (!(error instanceof PantomimeError) || error.kind !== 'device') throw error;
    return { provider, available: false, why: [error.details.what, error.details.got].filter(Boolean).join('; ') };
  }
}
