import { createHash } from 'node:crypto';
import type { BuiltGraph } from '../onnx/built-graph.js';
import type { Engine, LoadOptions, SessionId } from './engine.js';
import { graphBytes } from './memory.js';

/** How often graphs were prepared, how often a prepared one was taken again, and the time that preparing took. */
export type LoadStats = { readonly loads: number; readonly reuses: number; readonly loadMs: number };

/** An engine that keeps released graphs prepared for the next clip. */
export type WarmEngine = Engine & {
  readonly stats: () => LoadStats;
  /** Frees every graph that is not in use, e.g. because the files of the model have changed. */
  readonly cool: () => Promise<void>;
  /** Prepares a graph for the next `load` of it, where it fits into the budget; a failure shows only then. */
  readonly prepare: (graph: BuiltGraph) => Promise<void>;
};

type Kept = { readonly key: string; readonly id: SessionId; readonly bytes: number; busy: boolean };

/**
 * Wraps `engine` so that `release` keeps a graph and the next `load` of the same one takes no time. The graphs that were
 * released longest ago are freed while all that are kept, and one that is to be loaded, need more than `budgetBytes` (as
 * estimated by `graphBytes`), and all of them when there is no room for another. Without `released`, only what was prepared
 * ahead is kept, until it is released.
 */
export function keepWarm(
  engine: Engine,
  budgetBytes: number,
  { released: keepsReleased = true }: { readonly released?: boolean } = {},
): WarmEngine {
  /** In the order of their last use. */
  let kept: Kept[] = [];
  let [loads, reuses, loadMs] = [0, 0, 0];

  const free = async (wanted: (one: Kept) => boolean) => {
    const gone = kept.filter((one) => !one.busy && wanted(one));
    kept = kept.filter((one) => !gone.includes(one));
    for (const { id } of gone) await engine.release(id);
  };
  const cool = () => free(() => true);

  const makeRoom = async (bytes: number) => {
    let over = kept.reduce((sum, one) => sum + one.bytes, bytes) - budgetBytes;
    await free((one) => {
      const tooMuch = over > 0;
      over -= one.bytes;
      return tooMuch;
    });
  };

  /** Keeps a graph for its next use. */
  const setAside = async (id: SessionId) => {
    const released = kept.find((one) => one.id === id);
    if (!released) return engine.release(id); // from a file: not kept
    released.busy = false;
    kept = [...kept.filter((one) => one !== released), released];
    await makeRoom(0);
  };

  const loadAnother = async (graph: BuiltGraph, options: LoadOptions) => {
    const begun = performance.now();
    try {
      return await engine.load(graph, options).catch(async (error: unknown) => {
        if (!kept.some(({ busy }) => !busy)) throw error;
        await cool();
        return engine.load(graph, options);
      });
    } finally {
      loads += 1;
      loadMs += performance.now() - begun;
    }
  };

  const warm: WarmEngine = {
    ...engine,
    stats: () => ({ loads, reuses, loadMs }),
    cool,
    async prepare(graph) {
      const needed = kept.reduce((sum, { bytes }) => sum + bytes, graphBytes(graph));
      if (needed > budgetBytes) return;
      await warm.load(graph).then(setAside, () => {});
    },
    async load(graph, options = {}) {
      const key = keyOf(graph, options);
      const idle = kept.find((one) => one.key === key && !one.busy);
      if (idle) {
        reuses += 1;
        idle.busy = true;
        return idle.id;
      }
      const bytes = graphBytes(graph);
      await makeRoom(bytes);
      const id = await loadAnother(graph, options);
      kept.push({ key, id, bytes, busy: true });
      return id;
    },
    async release(id) {
      if (keepsReleased) return setAside(id);
      kept = kept.filter((one) => one.id !== id);
      return engine.release(id);
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
  return warm;
}

/** Two graphs of one key compute the same: the model's bytes hold every place of every weight. */
function keyOf(graph: BuiltGraph, options: LoadOptions): string {
  const how = JSON.stringify([graph.name, graph.weightsRoot, graph.residency, options]);
  return createHash('sha256').update(graph.model).update(how).digest('hex');
}
