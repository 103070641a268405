import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { buildVaeDecode } from '../models/graphs/vae-decode.js';
import type { WarmEngine } from '../models/runtime/warm-engine.js';
import { buildControlFeatures, featuresAreGiven } from './control-features.js';
import { worksAt } from './controls.js';
import type { Plan } from './plan.js';
import type { Run } from './run.js';
import { buildStep, stepSettings } from './step-graph.js';

/**
 * Loads the graphs that a clip is going to need, as far as they fit into memory beside each other, while its poses are
 * found. A guess: where the clip turns out to need others, those are loaded when they are needed. Nothing is done where an
 * earlier attempt may have left nothing to compute.
 */
export async function prepareAhead(run: Run, plan: Plan, engine: WarmEngine): Promise<void> {
  const { options, model, size, controls, schedule, residency, precision, guidedAt, memory } = plan;
  const work = await readdir(dirname(run.store.work('latents', '', '')));
  if (work.some((name) => name.startsWith('latents-'))) return;
  const target = engine.info.provider;
  const how = { residency, precision, target };
  const working = controls.filter((control) => worksAt(control, 0, schedule.timesteps.length));
  const denoiser = buildStep(stepSettings(plan, memory, precision), target, {
    ...{ frames: Math.min(options.chunk, plan.frames), windows: memory.windowsTogether },
    ...{ guidance: guidedAt[0] === true && !memory.splitGuidance, controls: working },
  });
  await engine.prepare(denoiser);
  run.signal.throwIfAborted();
  for (const { network, once } of working)
    if (featuresAreGiven({ once }, target))
      await engine.prepare(buildControlFeatures(network, model.unet.config, { ...how, ...size }));
  if (memory.decodeTile) return;
  const decodeFrames = Math.min(options.decodeChunk, options.decodeMode === 'reference' ? plan.frames : Infinity);
  await engine.prepare(buildVaeDecode({ ...how, ...model.vae, ...size, precision: undefined, frames: decodeFrames }));
}
