import { availableParallelism } from 'node:os';
import { basename, resolve as resolvePath } from 'node:path';

import { PantomimeError } from '../errors.js';
import type { BuiltGraph } from '../onnx/built-graph.js';
import type { Tensor } from '../tensor.js';
import type { GraphPorts, SourceShape } from './check-inputs.js';
import { checkInputs, checkKept, checkOutputs } from './check-inputs.js';
import type { EngineLink } from './engine-link.js';
import { startEngineProcess } from './engine-link.js';
import type { Span } from './monotonic.js';
import type { OnnxFile } from './onnx-file.js';
import type {
  EngineMemory,
  KeptOutputs,
  LoadOptions,
  OpenedRuntime,
  OpenPorts,
  Provider,
  RunInput,
  Source,
} from './protocol.js';
import { checkProvider, unavailable } from './providers.js';

export type { OnnxFile } from './onnx-file.js';
export type {
  EngineMemory,
  FileTensor,
  KeptOutputs,
  LoadOptions,
  OpenPort,
  OpenPorts,
  Provider,
  Reference,
  RowStore,
  RunInput,
  Source,
} from './protocol.js';

export type EngineOptions = {
  readonly provider: Provider;
  /** Which GPU, for `cuda`; 0 when left out. */
  readonly deviceId?: number | undefined;
  /** Computing threads on the CPU; the number of cores this process may use when left out. */
  readonly threads?: number | undefined;
  /** Kills the engine, whatever it does. */
  readonly signal?: AbortSignal | undefined;
};

export type EngineInfo = OpenedRuntime & {
  readonly provider: Provider;
  readonly deviceId: number;
  readonly threads: number;
};

/** What the engine did, and when: preparing or freeing a graph, or running it. */
export type EngineWork = Span & { readonly call: 'load' | 'run' | 'release'; readonly graph: string };

/** A graph loaded into an engine. */
export type SessionId = number & { readonly session: unique symbol };

/** A model from a file: its session, and the inputs and outputs it has. */
export type LoadedFile = OpenPorts & { readonly session: SessionId };

export type RunOptions = {
  /** Cancelling a run kills the engine: a computation that has begun can be stopped in no other way. */
  readonly signal?: AbortSignal | undefined;
  /** Which outputs to compute and return; all that are not kept when left out. */
  readonly outputs?: readonly string[] | undefined;
  /** Outputs that stay in the engine, for later runs. */
  readonly keep?: KeptOutputs | undefined;
};

/**
 * A process that owns every session of one device. Calls are answered in the order they are made. When the process ends
 * (killed, out of memory, crashed, cancelled) every call that waits and every later one rejects with a PantomimeError of
 * kind `device` (`interrupted` when cancelled). It ends with the program that started it and never keeps that alive.
 */
export type Engine = AsyncDisposable & {
  readonly info: EngineInfo;
  /** Prepares a graph for running. Throws kind `model` when the runtime refuses it. */
  load(graph: BuiltGraph, options?: LoadOptions): Promise<SessionId>;
  /**
   * The same for an ONNX file that is there already: at most `maxOnnxFileBytes`, and of exactly the given content. Tensors
   * that it keeps in other files must lie below its own folder. Throws kind `model`: `engine.file-changed` when it holds
   * something else, `engine.load` when it cannot be read or the runtime refuses it.
   */
  loadFile(source: OnnxFile, options?: LoadOptions): Promise<LoadedFile>;
  /** Frees a graph and the memory it holds. */
  release(id: SessionId): Promise<void>;
  /** Gives a tensor a name to be used as an input of later runs; replaces what had that name. */
  define(name: string, source: Source): Promise<void>;
  /** With `rows`: those of a `RowStore` alone. */
  forget(name: string, rows?: readonly number[]): Promise<void>;
  /** Runs a graph. Inputs are checked against its ports first (`engine.input`). */
  run(id: SessionId, inputs: Readonly<Record<string, RunInput>>, options?: RunOptions): Promise<Record<string, Tensor>>;
  memory(): Promise<EngineMemory>;
  /** Tells `onWork` of everything that the engine does from now on, until what it gives is called. */
  watch(onWork: (work: EngineWork) => void): () => void;
};

/**
 * Starts an engine and lets it compute something small, so that a provider that cannot be used is reported here:
 * kind `device`, code `device.unavailable`. There is no falling back to another provider.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { provider, deviceId = 0, threads = availableParallelism(), signal } = options;
  checkProvider(provider);
  const link = startEngineProcess(provider);
  const release = signal && stopOnAbort(link, signal);
  try {
    const opened = await link.call('open', { provider, deviceId, threads });
    return createClient(link, { provider, deviceId, threads, ...opened }, release);
  } catch (error) {
    release?.();
    await link.stop(closed(provider));
    throw error instanceof PantomimeError ? error : unavailable(provider, messageOf(error), error);
  }
}

function createClient(link: EngineLink, info: EngineInfo, onDispose: (() => void) | undefined): Engine {
  const graphs = new Map<SessionId, GraphPorts>();
  const sources = new Map<string, SourceShape>();
  let sessions = 0;
  const watchers = new Set<(work: EngineWork) => void>();
  const tell = (call: EngineWork['call'], graph: string) => (span: Span) => {
    for (const watcher of watchers) watcher({ ...span, call, graph });
  };

  const graphOf = (id: SessionId): GraphPorts => {
    const graph = graphs.get(id);
    if (graph) return graph;
    throw new PantomimeError({
      code: 'engine.released',
      kind: 'internal',
      what: 'the graph was released',
      where: `${id}`,
    });
  };

  return {
    info,
    async load(graph, loadOptions = {}) {
      const id = ++sessions as SessionId;
      const args = { session: id, graph, options: loadOptions };
      await link.call('load', args, tell('load', graph.name)).catch((error: unknown) => {
        throw refused(error, { code: 'engine.load', kind: 'model', graph: graph.name });
      });
      graphs.set(id, { name: graph.name, inputs: graph.inputs, outputs: graph.outputs });
      return id;
    },
    async loadFile({ file, sha256 }, loadOptions = {}) {
      const session = ++sessions as SessionId;
      const source = { file: resolvePath(file), sha256 };
      const args = { session, source, options: loadOptions };
      const told = tell('load', basename(file));
      const loaded = await link.call('loadFile', args, told).catch((error: unknown) => {
        throw refused(error, { code: 'engine.load', kind: 'model', graph: file });
      });
      if (!loaded.ports) throw changed(file, loaded.sha256, sha256);
      graphs.set(session, { name: basename(file), ...loaded.ports });
      return { session, ...loaded.ports };
    },
    async release(id) {
      const name = graphs.get(id)?.name ?? '';
      graphs.delete(id);
      await link.call('release', { session: id }, tell('release', name));
    },
    async define(name, source) {
      const sent = 'file' in source ? { ...source, file: resolvePath(source.file) } : source;
      const before = sources.get(name);
      sources.set(name, { dtype: source.dtype, dims: source.dims });
      await link.call('define', { name, source: sent }).catch((error: unknown) => {
        if (before) sources.set(name, before);
        else sources.delete(name);
        throw refused(error, { code: 'engine.define', kind: 'internal', graph: name });
      });
    },
    async forget(name, rows) {
      if (!rows) sources.delete(name);
      await link.call('forget', { name, rows });
    },
    async run(id, inputs, { signal, outputs, keep = {} } = {}) {
      const graph = graphOf(id);
      checkInputs(graph, inputs, sources);
      checkKept(graph, keep, sources);
      const wanted = checkOutputs(graph, outputs).filter((name) => !Object.hasOwn(keep, name));
      if (signal?.aborted) throw cancelled(signal.reason);
      const release = signal && stopOnAbort(link, signal);
      try {
        return await link.call('run', { session: id, inputs, outputs: wanted, keep }, tell('run', graph.name));
      } catch (error) {
        throw refused(error, { code: 'engine.run', kind: 'device', graph: graph.name });
      } finally {
        release?.();
      }
    },
    memory: () => link.call('memory', undefined),
    watch(onWork) {
      watchers.add(onWork);
      return () => watchers.delete(onWork);
    },
    async [Symbol.asyncDispose]() {
      onDispose?.();
      await link.stop(closed(info.provider));
    },
  };
}

function stopOnAbort(link: EngineLink, signal: AbortSignal): () => void {
  const abort = () => void link.stop(cancelled(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

/** Whoever cancels may say it in an error of ours, which then is what the caller sees. */
function cancelled(reason: unknown): PantomimeError {
  if (reason instanceof PantomimeError && reason.kind === 'interrupted') return reason;
  return new PantomimeError({
    code: 'engine.cancelled',
    kind: 'interrupted',
    what: 'the computation was cancelled',
    cause: reason,
  });
}

function closed(provider: Provider): PantomimeError {
  return new PantomimeError({ code: 'engine.closed', kind: 'device', what: `the ${provider} engine was closed` });
}

function changed(where: string, got: string, expected: string): PantomimeError {
  return new PantomimeError({
    code: 'engine.file-changed',
    kind: 'model',
    what: 'the file does not hold what it should',
    where,
    got: `sha256 ${got}`,
    expected,
    hint: 'Get the file again.',
  });
}

/** What the engine's own refusal means to the caller; an engine that is gone has said so already. */
function refused(error: unknown, about: { code: string; kind: 'model' | 'device' | 'internal'; graph: string }): Error {
  if (error instanceof PantomimeError) return error;
  return new PantomimeError({
    code: about.code,
    kind: about.kind,
    what: messageOf(error),
    where: about.graph,
    hint:
      about.kind === 'model'
        ? 'If a weight file is named, get it again; if memory is, use low-memory residency or a smaller size.'
        : 'If memory is named, use fewer frames per window or a smaller size.',
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
