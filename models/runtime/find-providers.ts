import { PantomimeError } from '../errors.js';
import { createEngine } from './engine.js';
import type { Provider } from './protocol.js';

/** Whether a provider can compute here; if not, why, and what to do about it. */
export type ProviderReport =
  | { readonly provider: Provider; readonly available: true }
  | { readonly provider: Provider; readonly available: false; readonly why: string; readonly hint: string | undefined };

/** Tries every provider with a small computation in a process of its own. */
export function findProviders(signal?: AbortSignal): Promise<readonly ProviderReport[]> {
  return Promise.all((['cpu', 'cuda', 'webgpu'] as const).map((provider) => tryProvider(provider, signal)));
}

async function tryProvider(provider: Provider, signal: AbortSignal | undefined): Promise<ProviderReport> {
  try {
    const engine = await createEngine({ provider, threads: 1, signal });
    await engine[Symbol.asyncDispose]();
    return { provider, available: true };
  } catch (error) {
    if (!(error instanceof PantomimeError) || error.kind !== 'device') throw error;
    return { provider, available: false, why: error.details.what, hint: error.details.hint };
  }
}
