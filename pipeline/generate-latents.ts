import type { Engine } from '../models/runtime/engine.js';
import { guidedSteps } from '../models/schedule/guidance.js';
import type { FloatTensor } from '../models/tensor.js';
import { sample } from '../stages/denoise/sample.js';
import { contextWindows, rotatingPhase } from '../stages/denoise/windows.js';
import { Denoiser } from './denoiser.js';
import type { SamplingJob } from './sampling-job.js';

/**
 * Denoises `latents` [frames, L, h, w] (already at the start noise level, or as they were before `startStep`) through one
 * fused graph: both guidance branches and their mix in a single run for a window, or for `windowsTogether`; or, with
 * `splitGuidance`, one branch a run. Control features are computed before, or once a frame and step on a CPU, or else in that
 * graph. Where a control or guidance begins or ends, another graph takes its place: one without it does not compute it, and gives
 * what a run without it gives.
 * @param engines of the same kind; they take the windows of a step in turns
 */
export async function generateLatents(
  engines: readonly Engine[],
  latents: FloatTensor,
  job: SamplingJob,
): Promise<FloatTensor> {
  const count = latents.dims[0] as number;
  const { windows, schedule } = job;
  const facts = { count, frames: Math.min(windows.chunk, count), guidedAt: guidedSteps(job.guidance, schedule) };
  const denoisers: Denoiser[] = [];
  try {
    for (const engine of engines) denoisers.push(await Denoiser.open(engine, job, facts));
    return await sample(latents, {
      ...job,
      windowsAt: (step) =>
        contextWindows(count, { ...windows, phase: windows.phaseRotation ? rotatingPhase(step) : 0 }),
      predict: (request) => (denoisers[request.call % denoisers.length] as Denoiser).predict(request),
      callsAtOnce: denoisers.length,
    });
  } finally {
    for (const denoiser of denoisers) await denoiser[Symbol.asyncDispose]();
  }
}
