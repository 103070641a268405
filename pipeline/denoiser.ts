import { controlInputs } from '../models/graphs/unet-step.js';
import type { Engine, RunInput, SessionId } from '../models/runtime/engine.js';
import { linearGuidance, mixGuidance } from '../models/schedule/guidance.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import type { Predict } from '../stages/denoise/sample.js';
import type { ContextWindow } from '../stages/denoise/windows.js';
import { buildControlFeatures, type ControlFeatures, featureDims, featuresAreGiven } from './control-features.js';
import type { ControlMaps } from './control-maps.js';
import { worksAt } from './controls.js';
import { FrameFeatures } from './frame-features.js';
import type { Control, SamplingJob } from './sampling-job.js';
import { buildStep } from './step-graph.js';

/** What a device has to know of a run beside its job. */
export type DenoiserFacts = {
  /** Frames of the clip, and of a window. */
  readonly count: number;
  readonly frames: number;
  /** Of each step, whether it is guided. */
  readonly guidedAt: readonly boolean[];
};

/** Graphs of steps that do the same. */
type Loaded = {
  readonly step: SessionId;
  /** Of the modules whose features are computed beside it. */
  readonly modules: ReadonlyMap<string, SessionId>;
};

/** One device at work on the windows of a run: it holds the graphs of the steps at hand, and the controls' pictures. */
export class Denoiser implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #job: SamplingJob;
  readonly #facts: DenoiserFacts;
  /** Of the controls whose features are computed at every step. */
  readonly #features = new Map<string, FrameFeatures>();
  readonly #conditional: Record<string, RunInput>;
  readonly #unconditional: Record<string, RunInput>;
  #loaded: { readonly key: string; readonly graphs: Promise<Loaded> } | undefined;

  private constructor(engine: Engine, job: SamplingJob, facts: DenoiserFacts) {
    this.#engine = engine;
    this.#job = job;
    this.#facts = facts;
    const { imageLatents, imageEmbeds } = job.conditioning;
    const ids = { added_time_ids: floatTensor([3], Float32Array.from(job.addedTimeIds)) };
    this.#conditional = { ...ids, image_latents: imageLatents, image_embeds: imageEmbeds };
    // The unconditional branch sees no picture and no control.
    const nothing = { image_latents: floatTensor(imageLatents.dims), image_embeds: floatTensor(imageEmbeds.dims) };
    this.#unconditional = { ...ids, ...nothing };
  }

  static async open(engine: Engine, job: SamplingJob, facts: DenoiserFacts): Promise<Denoiser> {
    const denoiser = new Denoiser(engine, job, facts);
    try {
      for (const { name, source } of job.controls) {
        await engine.define(sourceName(name), source);
        if (isFeatures(source) || !featuresAreGiven({ once: false }, engine.info.provider)) continue;
        const dims = featureDims(source, job.unetConfig);
        denoiser.#features.set(name, await FrameFeatures.open(engine, sourceName(name), dims));
      }
      return denoiser;
    } catch (error) {
      await denoiser[Symbol.asyncDispose]();
      throw error;
    }
  }

  readonly predict: Predict = async ({ step, windows, later, latents, sigma, timestep }) => {
    const { schedule, splitGuidance, guidance, signal, windowsTogether = 1 } = this.#job;
    const { frames, count, guidedAt } = this.#facts;
    const controls = this.#job.controls.filter((control) => worksAt(control, step, schedule.timesteps.length));
    const guided = guidedAt[step] as boolean;
    const together = guided && !splitGuidance;
    const graphs = await this.#load(controls, together);

    // The graph has as many windows as ever; those that are lacking repeat the last one.
    const filled = Array.from(
      { length: windowsTogether },
      (_, i) => windows[Math.min(i, windows.length - 1)] as ContextWindow,
    );
    const { min, max, index } = guidance;
    const scales = linearGuidance(min, max, index === 'local' ? frames : count);
    const scaleOf = index === 'local' ? (_: number, slot: number) => slot : (frame: number) => frame;
    const perFrame = Float32Array.from(
      filled.flatMap((window) => window.frames.map(scaleOf)),
      (i) => scales[i] as number,
    );
    const inputs: Record<string, RunInput> = {
      latents: repeatLast(latents, filled.length * frames, frames),
      sigma: scalar(sigma),
      timestep: scalar(timestep),
      ...(together && { guidance: floatTensor([perFrame.length], perFrame) }),
    };
    const rows = filled.flatMap(({ poses }) => poses);
    const seen = { step, timestep, now: rows, later: later.flatMap(({ poses }) => poses) };
    const silent: Record<string, RunInput> = {};
    for (const { name, source, scale } of controls) {
      const to = controlInputs(name);
      const features = this.#features.get(name);
      if (features) {
        await features.compute(graphs.modules.get(name) as SessionId, seen, signal);
        inputs[to.features] = { ref: features.name, rows };
      } else {
        inputs[isFeatures(source) ? to.features : to.pictures] = { ref: sourceName(name), rows };
      }
      inputs[to.scale] = scalar(scale);
      silent[to.scale] = scalar(0);
    }
    const run = async (given: Record<string, RunInput>) =>
      (await this.#engine.run(graphs.step, { ...inputs, ...given }, { signal })).prediction as FloatTensor;
    const prediction = await run(this.#conditional);
    const mixed =
      guided && !together
        ? mixGuidance((await run({ ...this.#unconditional, ...silent })).data, prediction.data, perFrame)
        : prediction.data;
    for (const { name } of controls) await this.#features.get(name)?.done(seen);
    return { ...prediction, data: mixed };
  };

  /** Windows of one step, which have the same controls and guidance, may ask at the same time. */
  #load(controls: readonly Control[], guidance: boolean): Promise<Loaded> {
    const key = [guidance, ...controls.map(({ name }) => name)].join();
    if (this.#loaded?.key !== key)
      this.#loaded = { key, graphs: this.#loadAnother(controls, guidance, this.#unload()) };
    return this.#loaded.graphs;
  }

  async #loadAnother(controls: readonly Control[], guidance: boolean, unloaded: Promise<void>): Promise<Loaded> {
    await unloaded;
    const target = this.#engine.info.provider;
    const { unetConfig, width, height, residency, precision = 'float32', windowsTogether = 1 } = this.#job;
    const kinds = controls.map((control) => ({ ...control, once: isFeatures(control.source) }));
    const kind = { frames: this.#facts.frames, windows: windowsTogether, guidance, controls: kinds };
    const step = await this.#engine.load(buildStep(this.#job, target, kind));
    const modules = new Map<string, SessionId>();
    for (const { name, network } of controls) {
      if (!this.#features.has(name)) continue;
      const graph = buildControlFeatures(network, unetConfig, { width, height, residency, precision, target });
      modules.set(name, await this.#engine.load(graph));
    }
    return { step, modules };
  }

  async #unload(): Promise<void> {
    const before = this.#loaded;
    this.#loaded = undefined;
    if (!before) return;
    const { step, modules } = await before.graphs;
    for (const session of [step, ...modules.values()]) await this.#engine.release(session);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // An engine that is gone has forgotten everything.
    for (const { name } of this.#job.controls) await this.#engine.forget(sourceName(name)).catch(() => {});
    for (const features of this.#features.values()) await features.close().catch(() => {});
    await this.#unload().catch(() => {});
  }
}

function isFeatures(source: ControlMaps | ControlFeatures): source is ControlFeatures {
  return source.dtype === 'float32';
}

/** What the engine calls the pictures or features of a control. */
function sourceName(control: string): string {
  return `control.${control}`;
}

/** The tensor as it is where it has so many rows, else with its last `unit` rows repeated. */
function repeatLast(tensor: FloatTensor, rows: number, unit: number): FloatTensor {
  const [count = 0, ...inner] = tensor.dims;
  if (count === rows) return tensor;
  const size = tensor.data.length / count;
  const data = new Float32Array(rows * size);
  data.set(tensor.data);
  for (let row = count; row < rows; row += unit) data.set(tensor.data.subarray((count - unit) * size), row * size);
  return { dtype: 'float32', dims: [rows, ...inner], data };
}

function scalar(value: number): FloatTensor {
  return floatTensor([1], new Float32Array([value]));
}
