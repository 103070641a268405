import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createEngine, type Engine } from '../models/runtime/engine.js';
import { parseVaeConfig } from '../models/svd/vae-config.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import { loadReferencePicture } from '../stages/reference/load-picture.js';
import type { RgbImage } from '../stages/types.js';
import { type Conditioning, encodeReference } from './conditioning.js';
import { writeControlFeatures } from './control-features.js';
import type { ControlMaps } from './control-maps.js';
import { type ControlTrack, makeControlTrack } from './control-track.js';
import { checkDomain } from './domain.js';
import { openDetector } from './driving-poses.js';
import type { RunContext, RunResult } from './events.js';
import { type Control, generateLatents } from './generate-latents.js';
import { lazily } from './lazily.js';
import type { AnimateOptions } from './options/schema.js';
import { makePlan, type Plan } from './plan.js';
import { writeReport } from './report.js';
import { type Run, startRun } from './run.js';
import { hashBytes, hashFile, keyOf, openRunStore } from './run-store.js';
import { augmentationNoise, startLatents } from './start-noise.js';
import { readTensors, writeTensors } from './tensor-file.js';
import { writeVideos } from './videos.js';

/**
 * Animates one picture with one movement, from files to files. Everything is checked before work starts; what an
 * interrupted run has finished is taken over by the same call.
 * @returns paths of what was written. Throws PantomimeError; when `context.signal` aborts, its reason.
 */
export async function animate(options: AnimateOptions, context: RunContext = {}): Promise<RunResult> {
  const begun = performance.now();
  const plan = await makePlan(options, context);
  await using store = await openRunStore(plan.runDir, plan);
  const run = startRun(store, context);
  context.onEvent?.({ type: 'run.start', command: 'animate', runDir: plan.runDir, seed: plan.seed });
  for (const note of plan.notes) run.note(note);

  const picture = await loadReferencePicture(options.image as string, { ...plan.size, resample: options.resample });
  // Before the poses are found: whether a device works shows only now.
  await using engine = await run.stage('models', `starting the engine (${plan.provider})`, () =>
    createEngine({ ...plan, deviceId: options.deviceId, threads: options.threads ?? undefined, signal: run.signal }),
  );
  const reconstructionDb = await checkDomain(run, plan, engine, picture);
  const track = await controlTrack(run, plan, picture);
  const modelKey = await modelFingerprint(plan);
  const conditioning = await conditionOn(run, plan, engine, picture, modelKey);
  const latents = await denoise(run, plan, engine, track, conditioning, modelKey);
  const videos = await writeVideos(run, plan, engine, { picture, track, latents });
  const memory = await engine.memory();
  const seconds = (performance.now() - begun) / 1000;
  const result = await writeReport(run, plan, {
    ...{ picture, reconstructionDb, track, latents, videos, memory, modelKey, seconds },
  });
  context.onEvent?.({ type: 'run.done', ...result });
  return result;
}

/** Poses to control pictures, with a detector that lives only as long. */
async function controlTrack(run: Run, plan: Plan, picture: RgbImage): Promise<ControlTrack> {
  await using detector = lazily(() => openDetector(plan.options, run.signal));
  return await makeControlTrack(run, plan, picture, detector.get);
}

/** Embedding and latents of the reference picture, from the work folder when they are there. */
async function conditionOn(
  run: Run,
  { options, seed, residency, model, provider }: Plan,
  engine: Engine,
  picture: RgbImage,
  modelKey: string,
): Promise<Conditioning> {
  const { noiseAugStrength } = options;
  const key = keyOf([modelKey, provider, residency, seed, noiseAugStrength, picture.width, hashBytes(picture.data)]);
  const file = run.store.work('reference', key, 'safetensors');
  const earlier = options.resume ? ((await readTensors(file)) as Conditioning | undefined) : undefined;
  return run.stage(
    'encode-reference',
    'encoding the picture',
    async () => {
      if (earlier) return earlier;
      const augNoise = augmentationNoise(seed, picture.height, picture.width);
      const made = await encodeReference(engine, {
        ...{ model, residency, picture, augNoise, noiseAugStrength, signal: run.signal },
      });
      await writeTensors(file, made);
      return made;
    },
    earlier !== undefined,
  );
}

/** The latents of all frames, denoised; every step is saved, so that at most one is lost. */
async function denoise(
  run: Run,
  plan: Plan,
  engine: Engine,
  { maps }: ControlTrack,
  conditioning: Conditioning,
  modelKey: string,
): Promise<FloatTensor> {
  const { options, size, schedule, seed, model, residency, provider } = plan;
  const frames = maps.dims[0];
  const { chunk, overlap, anchor, fusion, phaseRotation, noise, guidanceIndex, controlScale, timeIds } = options;
  const addedTimeIds: [number, number, number] =
    timeIds === 'published' ? [6, 128, 0.02] : [options.fpsId - 1, options.motionBucketId, options.noiseAugStrength];
  const windows = { chunk, overlap, anchor, fusion, phaseRotation };
  const guidance = { min: options.guidanceScaleMin, max: options.guidanceScale, index: guidanceIndex };
  const key = keyOf([
    [modelKey, provider, residency, seed, size, noise, windows, guidance, controlScale, addedTimeIds],
    [options.noiseAugStrength, [...schedule.sigmas], model.controlnext !== undefined],
    [await hashFile(maps.file, run.signal), hashBytes(conditioning.imageLatents.data)],
  ]);
  const file = run.store.work('latents', key, 'safetensors');
  const earlier = options.resume ? await readTensors(file) : undefined;
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
  const control = startStep === steps ? undefined : await controlOf(run, plan, engine, maps, modelKey);
  const title = startStep > 0 ? `denoising, on from step ${startStep}` : 'denoising';
  return run.stage(
    'denoise',
    title,
    async (progress) => {
      if (startStep === steps) return start;
      return generateLatents(engine, start, {
        ...{ ...size, unet: model.unet.checkpoint, unetConfig: model.unet.config, residency },
        ...{ conditioning, addedTimeIds, schedule, windows, guidance, startStep, signal: run.signal },
        control,
        onWindow: ({ step, window, windows }) => progress(step * windows + window + 1, steps * windows, 'windows'),
        onStep: (step, latents) =>
          writeTensors(file, { latents, step: floatTensor([1], new Float32Array([step + 1])) }),
      });
    },
    startStep === steps,
  );
}

/** Pose control from pictures, or from features where those are the same at every step and need computing only once. */
async function controlOf(
  run: Run,
  { model, options, residency, controlOnce }: Plan,
  engine: Engine,
  maps: ControlMaps,
  modelKey: string,
): Promise<Control | undefined> {
  if (!model.controlnext) return undefined;
  const control = { network: model.controlnext, scale: options.controlScale };
  if (!controlOnce) return { ...control, source: maps };
  const key = keyOf([modelKey, engine.info.provider, residency, await hashFile(maps.file, run.signal)]);
  const file = run.store.work('features', key, 'raw');
  const source = await run.stage('features', 'reading the skeletons', (progress) =>
    writeControlFeatures(engine, file, {
      ...{ network: control.network, unetConfig: model.unet.config, maps, residency, signal: run.signal },
      onFrame: (done) => progress(done, maps.dims[0], 'frames'),
    }),
  );
  return { ...control, source };
}

/** Identity of the weights without reading gigabytes: names, sizes and times of change of their files, and the configs. */
async function modelFingerprint({ model }: Plan): Promise<string> {
  const sources = [model.unet, model.vae, model.imageEncoder].flatMap((part) => part.checkpoint.sources);
  const files = await Promise.all(
    [...sources, ...(model.controlnext?.sources ?? [])].map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return [basename(path), size, mtimeMs];
    }),
  );
  const { unet, vae, imageEncoder, featureExtractor } = model;
  return keyOf([files, unet.config, vae.config, imageEncoder.config, featureExtractor.config]);
}
