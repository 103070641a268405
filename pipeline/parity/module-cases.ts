import { join } from 'node:path';
import { buildControlNeXt } from '../../models/graphs/controlnext.js';
import { buildImageEncoder } from '../../models/graphs/image-encoder.js';
import { buildUnet } from '../../models/graphs/unet.js';
import { buildVaeEncode } from '../../models/graphs/vae-encode.js';
import { eulerStep } from '../../models/schedule/euler.js';
import { makeSchedule } from '../../models/schedule/sigmas.js';
import { clipPreprocessing } from '../../models/svd/clip-preprocessing.js';
import { parseUNetConfig } from '../../models/svd/unet-config.js';
import { byteTensor, type FloatTensor, floatTensor } from '../../models/tensor.js';
import { clipPixelValues } from '../../stages/reference/clip-pixel-values.js';
import { vaeImageTensor } from '../../stages/reference/vae-image-tensor.js';
import type { RgbImage } from '../../stages/types.js';
import { decodeToPictures } from '../decode-to-pictures.js';
import { runOnce } from '../run-once.js';
import { type Check, compareBytes, compareFloats, type ParityCase, type SkippedCase } from './check.js';
import { numberOf, openRecording, type ParityContext, type Recording, readIndex } from './recording.js';

/** Tolerances of the recording's own description. */
const network = { relative: 2e-5 };
const vaeEncode = { relative: 1e-4 };
const clipPixels = { absolute: 2e-4 };
const clipFromPixels = { relative: 5e-5 };
const clipFromPicture = { relative: 5e-4 };
export const frameLimits = { levels: 2, beyond: 0, differing: 0.01 };

type Entry = Readonly<Record<string, unknown>>;
type Kind = (context: ParityContext, recording: Recording, entry: Entry, name: string) => Promise<Check[]>;

/** Case names begin with one of these. */
const kinds: readonly (readonly [string, Kind])[] = [
  ['controlnext_trace', controlNeXtTrace],
  ['controlnext', controlNeXt],
  ['unet_trace', unetTrace],
  ['unet', unet],
  ['vae_encode', vaeEncoder],
  ['vae_decode', vaeDecoder],
  ['clip', clip],
  ['scheduler', scheduler],
];

/** Covered by the graph tests, which reach operators that no pipeline graph shows on its own. */
const innerParts = ['adaptive_avg_pool', 'timestep_embedding'];

/** The cases of `modules/`: single networks on stored inputs. */
export async function moduleCases(context: ParityContext): Promise<(ParityCase | SkippedCase)[]> {
  const folder = join(context.dir, 'modules');
  const index = await readIndex(folder);
  return Object.entries(index ?? {}).map(([name, entry]) => {
    const title = `modules/${name}`;
    const kind = kinds.find(([prefix]) => name.startsWith(prefix))?.[1];
    if (innerParts.includes(name))
      return { name: title, skipped: 'part of other cases; compared on its own by npm test' };
    if (!kind) return { name: title, skipped: 'a kind of case that is not known' };
    const run = async () => kind(context, await openRecording(join(folder, `${name}.safetensors`)), entry, name);
    return { name: title, run };
  });
}

async function controlNeXt(context: ParityContext, recording: Recording): Promise<Check[]> {
  const pictures = await recording.bytes('pose_u8');
  const [batch = 1, perBatch = 1, height = 0, width = 0] = pictures.dims;
  const control = byteTensor([batch * perBatch, height, width, 3], pictures.data);
  const graph = buildControlNeXt({ ...controlSettings(context), frames: batch * perBatch, height, width });
  const checks: Check[] = [];
  for (let i = 0; recording.has(`output_${i}`); i++) {
    const timestep = await recording.floats(`timestep_${i}`);
    const { features } = await runOnce(context.engine, graph, { control, timestep }, context.signal);
    checks.push(compareFloats(`output_${i}`, values(features), (await recording.floats(`output_${i}`)).data, network));
  }
  return checks;
}

async function controlNeXtTrace(context: ParityContext, recording: Recording): Promise<Check[]> {
  const pose = await recording.floats('pose');
  const [, frames = 1, , height = 0, width = 0] = pose.dims;
  const taps = recording.names.filter((name) => /^(down_sample\.\d|mid_convs\.1|time_embedding)$/.test(name));
  const control = byteTensor([frames, height, width, 3], toBytes(pose));
  const graph = buildControlNeXt({
    ...{ ...controlSettings(context), frames, height, width },
    taps: taps.map((tap) => `controlnext.${tap}`),
  });
  const timestep = await recording.floats('timestep');
  const outputs = await runOnce(context.engine, graph, { control, timestep }, context.signal);
  return Promise.all(
    taps.map(async (tap) =>
      compareFloats(tap, values(outputs[`controlnext.${tap}`]), (await recording.floats(tap)).data, network),
    ),
  );
}

/** Frames x channels x rows x columns in 0..1 back to the bytes it was made from, NHWC. */
function toBytes({ dims, data }: FloatTensor): Uint8Array {
  const [height = 0, width = 0] = dims.slice(-2);
  const area = height * width;
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [frame, rest] = [Math.floor(i / (3 * area)), i % (3 * area)];
    bytes[(frame * area + (rest % area)) * 3 + Math.floor(rest / area)] = Math.round(255 * (data[i] as number));
  }
  return bytes;
}

function controlSettings({ model, residency, engine }: ParityContext) {
  if (!model.controlnext) throw new Error('the recorded model has no control network');
  const channels = parseUNetConfig(model.unet.config).levels[0]?.channels ?? 0;
  return { controlnext: model.controlnext, channels, residency, target: engine.info.provider };
}

async function unetGraphInputs(recording: Recording) {
  const [sample, timestep, context, timeIds, control] = await Promise.all(
    ['sample', 'timestep', 'encoder_hidden_states', 'added_time_ids', 'control'].map(recording.floats),
  );
  const [batch = 1, frames = 1, , latentHeight = 0, latentWidth = 0] = (sample as FloatTensor).dims;
  return {
    shape: { batch, frames, latentHeight, latentWidth },
    features: (control as FloatTensor).dims as readonly [number, number, number, number],
    control: control as FloatTensor,
    plain: {
      sample: sample as FloatTensor,
      timestep: timestep as FloatTensor,
      encoder_hidden_states: context as FloatTensor,
      added_time_ids: timeIds as FloatTensor,
    },
  };
}

async function unet(context: ParityContext, recording: Recording): Promise<Check[]> {
  const { engine, model, overlaid, residency, signal } = context;
  const { shape, features, control, plain } = await unetGraphInputs(recording);
  const pictures = shape.batch * shape.frames;
  const stored = recording.has('control_scale') ? (await recording.floats('control_scale')).data : undefined;
  const ones = new Float32Array(pictures).fill(1);
  const variants = [
    ['out_plain', model.unet.checkpoint, undefined],
    ['out_control', model.unet.checkpoint, stored],
    ['out_control_scale1', model.unet.checkpoint, ones],
    ['overlay_out_plain', overlaid, undefined],
    ['overlay_out_control', overlaid, stored],
  ] as const;
  const checks: Check[] = [];
  for (const [name, checkpoint, scale] of variants) {
    if (!recording.has(name)) continue;
    const graph = buildUnet({
      ...{ ...shape, unet: checkpoint, unetConfig: model.unet.config, residency, target: engine.info.provider },
      features: scale && features,
    });
    const inputs = { ...plain, ...(scale && { control, control_scale: floatTensor([pictures], scale) }) };
    const { out } = await runOnce(engine, graph, inputs, signal);
    checks.push(compareFloats(name, values(out), (await recording.floats(name)).data, network));
  }
  return checks;
}

async function unetTrace(context: ParityContext, recording: Recording): Promise<Check[]> {
  const { engine, model, residency, signal } = context;
  const { shape, features, control, plain } = await unetGraphInputs(recording);
  const taps = recording.names.filter((name) =>
    /^(conv_in|conv_norm_out|conv_out|(down|up)_blocks\.\d|mid_block)$/.test(name),
  );
  const graph = buildUnet({
    ...{
      ...shape,
      unet: model.unet.checkpoint,
      unetConfig: model.unet.config,
      residency,
      target: engine.info.provider,
    },
    ...{ features, taps: taps.map((tap) => `unet.${tap}`) },
  });
  const pictures = shape.batch * shape.frames;
  const scale = floatTensor([pictures], new Float32Array(pictures).fill(1));
  const outputs = await runOnce(engine, graph, { ...plain, control, control_scale: scale }, signal);
  const checks = taps.map(async (tap) =>
    compareFloats(tap, values(outputs[`unet.${tap}`]), (await recording.floats(tap)).data, network),
  );
  return Promise.all([
    ...checks,
    compareFloats('output', values(outputs.out), (await recording.floats('output')).data, network),
  ]);
}

async function vaeEncoder(context: ParityContext, recording: Recording): Promise<Check[]> {
  const { engine, model, residency, signal } = context;
  const pictures = await recording.bytes('image_u8');
  const [count = 0, height = 0, width = 0] = pictures.dims;
  const pixels = (await recording.floats('pixels')).data;
  const modes = (await recording.floats('mode')).data;
  const noise = recording.has('noise') ? (await recording.floats('noise')).data : undefined;
  const graph = buildVaeEncode({ ...model.vae, height, width, residency, target: engine.info.provider });
  const size = 3 * height * width;
  const checks: Check[] = [];
  for (let i = 0; i < count; i++) {
    const picture: RgbImage = { width, height, data: pictures.data.subarray(i * size, (i + 1) * size) };
    const unit = noise && floatTensor([1, 3, height, width], noise.slice(i * size, (i + 1) * size));
    const image = vaeImageTensor(picture, unit, unit ? 0.02 : 0);
    checks.push(
      compareFloats(`pixels ${i}`, image.data, pixels.subarray(i * size, (i + 1) * size), { absolute: 1e-6 }),
    );
    const { latents } = await runOnce(engine, graph, { image }, signal);
    const mode = values(latents);
    checks.push(compareFloats(`mode ${i}`, mode, modes.subarray(i * mode.length, (i + 1) * mode.length), vaeEncode));
  }
  return checks;
}

async function vaeDecoder(context: ParityContext, recording: Recording, entry: Entry, name: string): Promise<Check[]> {
  const { engine, model, residency, signal } = context;
  const { dims, data } = await recording.floats('latents');
  const chunk = numberOf(entry, 'decode_chunk_size', name);
  const decoded: Float32Array[] = [];
  const frames: Uint8Array[] = [];
  const pictures = decodeToPictures(engine, floatTensor(dims.slice(1), data), {
    ...{ vae: model.vae, residency, skip: 0, signal, chunk, overlap: 0, mode: 'reference' },
    onDecoded: (pixels) => decoded.push(pixels.data),
  });
  for await (const picture of pictures) frames.push(picture.data);
  const floats = (await recording.floats('decoded')).data;
  const bytes = (await recording.bytes('frames_u8')).data;
  return [
    compareFloats('decoded', joined(Float32Array, decoded), floats, network),
    compareBytes('frames', joined(Uint8Array, frames), bytes, frameLimits),
  ];
}

async function clip(context: ParityContext, recording: Recording, entry: Entry): Promise<Check[]> {
  const { engine, model, residency, signal } = context;
  const pixels = clipPixelValues(await clipPicture(recording, entry), clipPreprocessing(model.featureExtractor.config));
  const side = pixels.dims[2] as number;
  const graph = buildImageEncoder({ ...model.imageEncoder, residency, target: engine.info.provider });
  const embed = async (input: FloatTensor) =>
    values(Object.values(await runOnce(engine, graph, { pixel_values: input }, signal))[0]);
  const expected = (await recording.floats('image_embeddings')).data;
  const conditional = expected.subarray(expected.length / 2);
  const checks: Check[] = [];
  if (recording.has('pixel_values')) {
    const stored = await recording.floats('pixel_values');
    checks.push(compareFloats('pixel values', pixels.data, stored.data, clipPixels));
    checks.push(compareFloats('embedding of stored pixels', await embed(stored), conditional, clipFromPixels));
  }
  if (recording.has('pixel_values_rows')) {
    const rows = await recording.floats('pixel_values_rows');
    const every8th = pixels.data.filter((_, i) => Math.floor((i % (side * side)) / side) % 8 === 0);
    checks.push(compareFloats('pixel values', every8th, rows.data, clipPixels));
  }
  checks.push(compareFloats('embedding of the picture', await embed(pixels), conditional, clipFromPicture));
  return checks;
}

/** The picture of a CLIP case: stored, or by the recording's formula. */
async function clipPicture(recording: Recording, entry: Entry): Promise<RgbImage> {
  if (recording.has('image_u8')) {
    const { dims, data } = await recording.bytes('image_u8');
    const [height = 0, width = 0] = dims.slice(-3);
    return { width, height, data };
  }
  const [height, width] = entry.image_hw as [number, number];
  const data = new Uint8Array(height * width * 3);
  const floor = Math.floor;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, at++) {
        const ramps = floor((x * (c + 1)) / 4) + floor((y * (3 - c)) / 5) + floor((x * y) / (61 + 20 * c));
        data[at] = (ramps + ((floor(x / 24) + floor(y / 40)) % 2) * 70 + 31 * c) % 256;
      }
    }
  }
  return { width, height, data };
}

async function scheduler(_context: ParityContext, recording: Recording): Promise<Check[]> {
  const checks: Check[] = [];
  const exact = { relative: 1e-6 };
  for (const name of recording.names) {
    const steps = /^sigmas_(\d+)$/.exec(name)?.[1];
    if (!steps) continue;
    const { sigmas, timesteps } = makeSchedule('karras', Number(steps));
    checks.push(compareFloats(name, sigmas, (await recording.floats(name)).data, exact));
    checks.push(
      compareFloats(`timesteps_${steps}`, timesteps, (await recording.floats(`timesteps_${steps}`)).data, exact),
    );
  }
  for (const name of recording.names) {
    const [, steps, index] = /^n(\d+)_i(\d+)_sample$/.exec(name) ?? [];
    if (steps === undefined || index === undefined) continue;
    const at = (field: string) => recording.floats(`n${steps}_i${index}_${field}`);
    const { sigmas } = makeSchedule('karras', Number(steps));
    const [sigma, next] = [sigmas[Number(index)] as number, sigmas[Number(index) + 1] as number];
    const stepped = eulerStep((await at('sample')).data, (await at('model_output')).data, sigma, next);
    const tolerance = { relative: steps === '1' ? 1e-4 : 1e-5 };
    checks.push(compareFloats(`step ${index} of ${steps}`, stepped, (await at('prev_sample')).data, tolerance));
  }
  return checks;
}

function values(tensor: FloatTensor | undefined): Float32Array {
  if (!tensor) throw new Error('the graph did not give the output that was asked for');
  return tensor.data;
}

type Joinable = Float32Array | Uint8Array;

export function joined<T extends Joinable>(kind: new (length: number) => T, parts: readonly T[]): T {
  const all = new kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
