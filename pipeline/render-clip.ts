import { dirname, join } from 'node:path';
import type { Engine } from '../models/runtime/engine.js';
import { monotonicMs } from '../models/runtime/monotonic.js';
import { parseVaeConfig } from '../models/svd/vae-config.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import type { SampleOptions } from '../stages/denoise/sample.js';
import type { RgbImage } from '../stages/types.js';
import type { Conditioning } from './conditioning.js';
import { featureDims, writeControlFeatures } from './control-features.js';
import type { ControlMaps } from './control-maps.js';
import { type ControlTrack, mapsOf } from './control-track.js';
import type { PlannedControl } from './controls.js';
import { checkpointsKey, denoiserKey, modelFingerprint } from './fingerprint.js';
import { generateLatents } from './generate-latents.js';
import { guidanceOf } from './guidance.js';
import { hashBytes, hashFile, keyOf } from './hashes.js';
import { seesPoses } from './options/control-value.js';
import type { Plan } from './plan.js';
import { rescued } from './precision.js';
import type { Rendered } from './report.js';
import type { Progress, Run } from './run.js';
import type { Control, SamplingJob } from './sampling-job.js';
import { startLatents } from './start-noise.js';
import { stepSettings } from './step-graph.js';
import { readTensors, writeTensors } from './tensor-file.js';
import { together } from './together.js';
import { drawPoseVideo, type VideoInputs, writeVideos } from './videos.js';

/** What is known of a clip before its frames are made. */
export type ClipInputs = {
  /** The character at the size of the video. */
  readonly picture: RgbImage;
  readonly track: ControlTrack;
  readonly conditioning: Conditioning;
  readonly reconstructionDb: number | undefined;
  /** Seconds that the run has taken so far; asked for at its end. */
  readonly seconds: () => number;
  /** Looks on, and changes nothing. */
  readonly meter?: ClipMeter | undefined;
  /** Writes no comparison and no video of the poses: where many runs share a clip. */
  readonly onlyResult?: boolean | undefined;
  /** Engines of further devices, which take windows in turns with the first. */
  readonly others?: readonly Engine[] | undefined;
};

/** What can be seen of a clip while it is made. Steps and frames that an earlier attempt has finished are not shown again. */
export type ClipMeter = Pick<SampleOptions, 'onWindows' | 'onPrediction'> & Pick<VideoInputs, 'onFrame'>;

/** The part of a run that needs the engine: from the control pictures to the videos. `writeReport` does the rest. */
export async function renderClip(run: Run, plan: Plan, engine: Engine, inputs: ClipInputs): Promise<Rendered> {
  const { picture, track, reconstructionDb, onlyResult, meter } = inputs;
  const modelKey = await modelFingerprint(plan);
  const [poses, latents] = await together(
    run,
    async (beside) => (onlyResult ? undefined : drawPoseVideo(beside, plan, track)),
    (beside) => denoise(beside, plan, engine, inputs),
  );
  const videos = await writeVideos(run, plan, engine, { picture, track, latents, poses, onFrame: meter?.onFrame });
  const memory = await engine.memory();
  return { picture, reconstructionDb, track, latents, videos, memory, modelKey, seconds: inputs.seconds() };
}

/** The latents of all frames, denoised; every step is saved, so that at most one is lost. */
async function denoise(
  run: Run,
  plan: Plan,
  engine: Engine,
  { track, conditioning, meter, others = [] }: ClipInputs,
): Promise<FloatTensor> {
  const { options, size, schedule, seed, model, residency, precision, memory, provider, controls } = plan;
  const frames = track.maps.dims[0];
  const { splitGuidance, feedForwardParts, attentionParts, windowsTogether } = memory;
  const { chunk, overlap, anchor, fusion, phaseRotation, noise, guidanceIndex, timeIds } = options;
  const addedTimeIds: [number, number, number] =
    timeIds === 'published' ? [6, 128, 0.02] : [options.fpsId - 1, options.motionBucketId, options.noiseAugStrength];
  const windows = { chunk, overlap, anchor, fusion, phaseRotation };
  const guidance = { ...guidanceOf(options), index: guidanceIndex };
  const key = keyOf([
    [await denoiserKey(plan), provider, precision, residency, seed, size, noise, windows, guidance, addedTimeIds],
    [splitGuidance, feedForwardParts, attentionParts, windowsTogether, options.quantize],
    [options.noiseAugStrength, [...schedule.sigmas], frames],
    [hashBytes(conditioning.imageLatents.data), hashBytes(conditioning.imageEmbeds.data)],
    controls.map(({ name, scale, start, end }) => [name, scale, start, end]),
    await Promise.all(controls.map(({ name }) => hashFile(mapsOf(track, name).file, run.signal))),
  ]);
  const file = run.store.work('latents', key, 'safetensors');
  const earlier = (await run.reuses(file)) ? await readTensors(file) : undefined;
  const startStep = earlier?.step?.data[0] ?? 0;
  const steps = schedule.timesteps.length;
  const vae = parseVaeConfig(model.vae.config);
  const start =
    earlier?.latents ??
    startLatents({
      ...{ seed, frames, channels: vae.latentChannels, layout: noise, chunk, overlap },
      ...{ height: size.height / vae.pixelsPerLatent, width: size.width / vae.pixelsPerLatent },
      sigma: schedule.initNoiseSigma,
    });
  const sources: Control[] = [];
  for (const control of startStep === steps ? [] : controls)
    sources.push(await sourceOf(run, plan, engine, control, mapsOf(track, control.name)));
  let stepMs = 0;
  const endStep = () => {
    const now = monotonicMs();
    run.timeline.add('step', 'step', { startMs: stepMs, endMs: now });
    stepMs = now;
  };
  const title = startStep > 0 ? `denoising, on from step ${startStep}` : 'denoising';
  return run.stage(
    'denoise',
    title,
    async (progress) => {
      if (startStep === steps) return start;
      stepMs = monotonicMs();
      let reached = { latents: start, step: startStep };
      const job: SamplingJob = {
        ...{ ...stepSettings(plan, memory, precision), splitGuidance, windowsTogether },
        ...{ conditioning, addedTimeIds, schedule, windows, guidance, signal: run.signal },
        ...{ controls: sources, onWindows: meter?.onWindows, onPrediction: meter?.onPrediction },
        onWindow: ({ step, window, windows }) => {
          if (window + 1 === windows) endStep();
          progress(step * windows + window + 1, steps * windows, 'windows');
        },
        onStep: (step, latents) => {
          reached = { latents, step: step + 1 };
          const tensors = { latents, step: floatTensor([1], Float32Array.of(reached.step)) };
          return run.store.put(file, (part) => writeTensors(part, tensors));
        },
      };
      return rescued(run, precision, (type) =>
        generateLatents([engine, ...others], reached.latents, { ...job, startStep: reached.step, precision: type }),
      );
    },
    startStep === steps,
  );
}

/** A control with the pictures it sees, or with features where those are the same at every step and need computing only once. */
async function sourceOf(
  run: Run,
  { model, residency, precision }: Plan,
  engine: Engine,
  { once, ...control }: PlannedControl,
  maps: ControlMaps,
): Promise<Control> {
  if (!once) return { ...control, source: maps };
  const network = await checkpointsKey([control.network]);
  const key = keyOf([
    network,
    model.unet.config,
    engine.info.provider,
    precision,
    residency,
    await hashFile(maps.file, run.signal),
  ]);
  // Beside the pictures, so that runs which share those share these.
  const file = join(dirname(maps.file), `features-${key}.raw`);
  const reused = await run.reuses(file);
  const make = async (progress: Progress) => {
    if (reused) return;
    const job = {
      ...{ network: control.network, unetConfig: model.unet.config, maps, residency, signal: run.signal },
      onFrame: (done: number) => progress(done, maps.dims[0], 'frames'),
    };
    await run.store.put(file, (part) =>
      rescued(run, precision, (type) => writeControlFeatures(engine, part, { ...job, precision: type })),
    );
  };
  const seen = seesPoses(control.name) ? 'skeletons' : `${control.name} pictures`;
  await run.stage('features', `reading the ${seen}`, make, reused);
  return { ...control, source: { file, dtype: 'float32', dims: featureDims(maps, model.unet.config) } };
}
