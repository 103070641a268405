import type { RunContext } from './events.js';
import type { Plan } from './plan.js';
import { type Run, startRun } from './run.js';
import { openRunStore } from './run-store.js';

/**
 * Opens a plan's folder and begins its run. Dispose of it to give the folder free.
 * @param shared folder of work files that several runs have in common; `begunMs` as for `startRun`. Throws as `openRunStore`.
 */
export async function openRun(
  { runDir, video, seed, memory, options }: Plan,
  context: RunContext,
  { shared, begunMs }: { readonly shared?: string; readonly begunMs?: number } = {},
): Promise<Run & AsyncDisposable> {
  const store = await openRunStore(runDir, { video, seed, memory, shared });
  return { ...startRun(store, context, options, begunMs), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}
