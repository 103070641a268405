import { createEngine, type Engine, type Provider } from '../../models/runtime/engine.js';
import { keepWarm, type WarmEngine } from '../../models/runtime/warm-engine.js';
import { memoryBudget } from '../memory-budget.js';
import type { AnimateOptions } from '../options/schema.js';

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
  readonly vram: AnimateOptions['vram'];
  readonly signal: AbortSignal | undefined;
};

/** Prepared graphs may take this share of the memory that the engine may use when it starts. */
const warmShare = 0.5;

/** None where nobody can say how much memory a device has. */
async function warmBytes({ provider, deviceId, vram, signal }: DeviceOptions): Promise<number> {
  const budget = await memoryBudget(provider, { vram, deviceId }, signal);
  return (budget?.bytes ?? 0) * warmShare;
}

/** An engine for one clip: graphs may be prepared ahead in a part of the memory, and go when they were used. */
async function startEngine(options: DeviceOptions): Promise<WarmEngine> {
  return keepWarm(await createEngine(options), await warmBytes(options), { released: false });
}

/** Engines of one clip, one on each device; what is not shared is done by the first. */
export type Engines = AsyncDisposable & { readonly engine: WarmEngine; readonly others: readonly Engine[] };

export async function startEngines(
  [first = 0, ...rest]: readonly number[],
  options: Omit<DeviceOptions, 'deviceId'>,
): Promise<Engines> {
  const engine = await startEngine({ ...options, deviceId: first });
  const others: Engine[] = [];
  const end = async () => {
    for (const one of [engine, ...others]) await one[Symbol.asyncDispose]();
  };
  try {
    for (const deviceId of rest) others.push(await createEngine({ ...options, deviceId }));
  } catch (error) {
    await end();
    throw error;
  }
  return { engine, others, [Symbol.asyncDispose]: end };
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
        const engine = keepWarm(await createEngine(options), await warmBytes(options));
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
