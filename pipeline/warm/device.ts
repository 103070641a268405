import { createEngine, type EngineOptions, type Provider } from '../../models/runtime/engine.js';
import { freeMemory } from '../../models/runtime/memory.js';
import { keepWarm, type WarmEngine } from '../../models/runtime/warm-engine.js';

/** One device and its engine, which is started when it is needed and again after a crash. */
export type Device = AsyncDisposable & {
  readonly deviceId: number;
  /** @param modelKey the weights that are going to be used: graphs of others, by the same names, are not kept. */
  readonly engine: (modelKey: string) => Promise<WarmEngine>;
  /** Milliseconds spent on starting the engine and preparing graphs so far. */
  readonly startUpMs: () => number;
  /** Ends an engine that cannot be trusted any more; the next call starts another. */
  readonly drop: () => Promise<void>;
};

export type DeviceOptions = {
  readonly provider: Provider;
  readonly deviceId: number;
  readonly threads: number | undefined;
  readonly signal: AbortSignal | undefined;
};

/** Prepared graphs may take this share of the memory that is free when the engine starts. */
const warmShare = 0.5;

/** An engine for one clip: graphs may be prepared ahead in a part of the memory that is free now, and go when they were used. */
export async function startEngine(options: EngineOptions): Promise<WarmEngine> {
  return keepWarm(await createEngine(options), freeMemory() * warmShare, { released: false });
}

export function openDevice(options: DeviceOptions): Device {
  let running: { readonly engine: WarmEngine; modelKey: string } | undefined;
  let spentMs = 0;
  const loadMs = () => running?.engine.stats().loadMs ?? 0;
  const drop = async () => {
    const { engine } = running ?? {};
    spentMs += loadMs();
    running = undefined;
    await engine?.[Symbol.asyncDispose]();
  };
  return {
    deviceId: options.deviceId,
    startUpMs: () => spentMs + loadMs(),
    async engine(modelKey) {
      if (running && running.modelKey !== modelKey) await running.engine.cool();
      if (!running) {
        const begun = performance.now();
        const engine = keepWarm(await createEngine(options), freeMemory() * warmShare);
        spentMs += performance.now() - begun;
        running = { engine, modelKey };
      }
      running.modelKey = modelKey;
      return running.engine;
    },
    drop,
    [Symbol.asyncDispose]: drop,
  };
}
