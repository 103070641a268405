import type { Engine, SessionId } from '../models/runtime/engine.js';
import { floatTensor } from '../models/tensor.js';
import { type FeatureDims, featureBatch, featureBatches } from './control-features.js';

/** Frames that windows see at one noise level. */
export type FramesSeen = {
  readonly step: number;
  /** As the network is told the noise level. */
  readonly timestep: number;
  /** By the windows at hand, and by those of the step that come after them. */
  readonly now: readonly number[];
  readonly later: readonly number[];
};

/**
 * Features of a control module that looks at the noise level: those of a frame are computed once a step, though several windows
 * see it. They never leave the engine, and stay there no longer than windows of the step need them.
 */
export class FrameFeatures {
  readonly #engine: Engine;
  /** Names of the pictures and of the features in the engine. */
  readonly #pictures: string;
  readonly #name: string;
  #step = -1;
  #kept = new Set<number>();
  #queue: Promise<void> = Promise.resolve();

  private constructor(engine: Engine, pictures: string) {
    this.#engine = engine;
    this.#pictures = pictures;
    this.#name = `${pictures}.features`;
  }

  /** @param pictures what the engine calls the control pictures. @param dims of the features of all of them */
  static async open(engine: Engine, pictures: string, dims: FeatureDims): Promise<FrameFeatures> {
    const features = new FrameFeatures(engine, pictures);
    await engine.define(features.#name, { rows: 'kept', dtype: 'float32', dims });
    return features;
  }

  /** Name of the features in the engine. */
  get name(): string {
    return this.#name;
  }

  /** Computes what is not there of `now`; what would be left over in a batch is filled with frames of `later`. */
  async compute(session: SessionId, seen: FramesSeen, signal: AbortSignal | undefined): Promise<void> {
    this.#queue = this.#queue.then(() => this.#compute(session, seen, signal));
    return this.#queue;
  }

  async #compute(session: SessionId, { step, timestep, now, later }: FramesSeen, signal: AbortSignal | undefined) {
    if (step !== this.#step) await this.#forget([...this.#kept]);
    this.#step = step;
    const missing = (frames: readonly number[]) => [...new Set(frames)].filter((frame) => !this.#kept.has(frame));
    const lacking = missing(now);
    const count = Math.ceil(lacking.length / featureBatch) * featureBatch;
    const frames = [...lacking, ...missing(later).filter((frame) => !now.includes(frame))].slice(0, count);
    for (const rows of featureBatches(frames)) {
      const inputs = {
        control: { ref: this.#pictures, rows },
        timestep: floatTensor([1], Float32Array.of(timestep)),
      };
      await this.#engine.run(session, inputs, { signal, keep: { features: { ref: this.#name, rows } } });
    }
    for (const frame of frames) this.#kept.add(frame);
  }

  /** Forgets what was seen `now` and is not needed `later`. */
  async done({ now, later }: FramesSeen): Promise<void> {
    const needed = new Set(later);
    await this.#forget(now.filter((frame) => !needed.has(frame)));
  }

  async #forget(frames: readonly number[]): Promise<void> {
    for (const frame of frames) this.#kept.delete(frame);
    if (frames.length > 0) await this.#engine.forget(this.#name, frames);
  }

  async close(): Promise<void> {
    await this.#engine.forget(this.#name);
  }
}
