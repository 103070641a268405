import { join } from 'node:path';
import { scheduleRange } from '../../models/schedule/config.js';
import { makeSchedule } from '../../models/schedule/sigmas.js';
import { parseVaeConfig } from '../../models/svd/vae-config.js';
import { floatTensor } from '../../models/tensor.js';
import { resizeLanczosPil } from '../../stages/reference/resize-lanczos.js';
import type { RgbImage } from '../../stages/types.js';
import { encodeReference } from '../conditioning.js';
import { writeControlMaps } from '../control-maps.js';
import { decodeToPictures } from '../decode-to-pictures.js';
import { generateLatents } from '../generate-latents.js';
import { type Check, compareBytes, compareFloats, type ParityCase } from './check.js';
import { frameLimits, joined } from './module-cases.js';
import { numberOf, openRecording, type ParityContext, type RecordIndex, readIndex } from './recording.js';

const wholeRun = { relative: 5e-4 };

/** The cases of `e2e/`: whole runs of the published pipeline, through the code that `animate` runs. */
export async function pipelineCases(context: ParityContext): Promise<ParityCase[]> {
  const index = (await readIndex(join(context.dir, 'e2e'))) ?? {};
  return Object.entries(index)
    .filter(([, entry]) => entry.kind === 'case')
    .map(([name]) => ({ name: `e2e/${name}`, run: () => runCase(context, index, name) }));
}

async function runCase(context: ParityContext, index: RecordIndex, name: string): Promise<Check[]> {
  const { dir, engine, model, overlaid, residency, scratch, signal } = context;
  const entry = index[name] ?? {};
  const get = (key: string) => numberOf(entry, key, `e2e/${name}`);
  const [height, width, count, steps] = [get('height'), get('width'), get('num_frames'), get('num_inference_steps')];
  const size = { width, height };
  const inputs = await openRecording(join(dir, 'e2e', `${String(entry.inputs)}.safetensors`));
  const expected = await openRecording(join(dir, 'e2e', `${name}.safetensors`));
  const checks: Check[] = [];

  const [given] = pictures(await inputs.bytes('ref_image')) as [RgbImage];
  const poses = pictures(await inputs.bytes('pose_frames')).slice(0, count);
  const file = join(scratch, `${name}.u8`);
  const maps = await writeControlMaps(
    file,
    poses.map((image) => resizeLanczosPil(image, width, height)),
    size,
  );

  const conditioning = await encodeReference(engine, {
    ...{
      model,
      residency,
      picture: resizeLanczosPil(given, width, height),
      clipPicture: given,
      augNoise: await inputs.floats('aug_noise'),
      signal,
    },
    noiseAugStrength: get('noise_aug_strength'),
  });
  const conditional = (data: Float32Array, length: number) => data.subarray(data.length - length);
  for (const [field, ours] of [
    ['image_embeddings', conditioning.imageEmbeds],
    ['image_latents', conditioning.imageLatents],
  ] as const) {
    const theirs = conditional((await expected.floats(field)).data, ours.data.length);
    checks.push(compareFloats(field, ours.data, theirs, wholeRun));
  }

  const schedule = makeSchedule('karras', steps, scheduleRange(model.scheduler.config, 'scheduler_config.json'));
  checks.push(compareFloats('sigmas', schedule.sigmas, (await expected.floats('sigmas')).data, { relative: 1e-6 }));
  const unit = await inputs.floats('init_latents');
  const shape = [count, ...unit.dims.slice(2)];
  const start = unit.data
    .subarray(
      0,
      shape.reduce((a, b) => a * b, 1),
    )
    .map((value) => value * schedule.initNoiseSigma);
  const latents = await generateLatents([engine], floatTensor(shape, start), {
    ...{ ...size, residency, conditioning, schedule, signal },
    unet: entry.unet_overlay === true ? overlaid : model.unet.checkpoint,
    unetConfig: model.unet.config,
    pixelsPerLatent: parseVaeConfig(model.vae.config).pixelsPerLatent,
    controls: model.controlnext
      ? [{ name: 'pose', network: model.controlnext, source: maps, scale: 1, start: 0, end: 1 }]
      : [],
    addedTimeIds: [6, 128, 0.02],
    windows: { ...{ chunk: get('frames_per_batch'), overlap: get('overlap') }, ...publishedWindows },
    guidance: { min: get('min_guidance_scale'), max: get('max_guidance_scale'), index: 'local' },
    onStep: async (step, { data }) => {
      const field = `latents_step_${step}`;
      checks.push(compareFloats(field, data, (await expected.floats(field)).data, wholeRun));
    },
  });

  if (expected.has('frames')) {
    const frames: Uint8Array[] = [];
    const decoding = { vae: model.vae, residency, skip: 0, signal, overlap: 0, mode: 'reference' } as const;
    const chunk = get('decode_chunk_size');
    for await (const { data } of decodeToPictures(engine, latents, { ...decoding, chunk })) frames.push(data);
    const theirs = (await expected.bytes('frames')).data;
    checks.push(compareBytes('frames', joined(Uint8Array, frames), theirs, frameLimits));
  }
  return checks;
}

const publishedWindows = { anchor: 'reference', fusion: 'flat', phaseRotation: false } as const;

/** The pictures of a uint8 tensor [..., H, W, 3]. */
function pictures({ dims, data }: { readonly dims: readonly number[]; readonly data: Uint8Array }): RgbImage[] {
  const [height = 0, width = 0] = dims.slice(-3);
  const size = height * width * 3;
  return Array.from({ length: data.length / size }, (_, i) => {
    return { width, height, data: data.subarray(i * size, (i + 1) * size) };
  });
}
