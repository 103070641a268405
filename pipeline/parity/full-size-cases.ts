import { mkdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { readJsonFile } from '../../models/checkpoint/json-file.js';
import { openSafetensors } from '../../models/checkpoint/safetensors.js';
import { ControlNeXt } from '../../models/controlnext/controlnext.js';
import { PantomimeError } from '../../models/errors.js';
import { buildControlNeXt } from '../../models/graphs/controlnext.js';
import { buildImageEncoder } from '../../models/graphs/image-encoder.js';
import { buildUnet } from '../../models/graphs/unet.js';
import { buildVaeDecode } from '../../models/graphs/vae-decode.js';
import { buildVaeEncode } from '../../models/graphs/vae-encode.js';
import { listParameters } from '../../models/onnx/module.js';
import { ClipVision } from '../../models/svd/clip.js';
import { parseClipVisionConfig } from '../../models/svd/clip-config.js';
import { imageEncoderConfig, unetConfig, vaeConfig } from '../../models/svd/published-configs.js';
import { UNet } from '../../models/svd/unet.js';
import { parseUNetConfig } from '../../models/svd/unet-config.js';
import { Vae } from '../../models/svd/vae.js';
import { parseVaeConfig } from '../../models/svd/vae-config.js';
import { byteTensor, type FloatTensor, floatTensor, sizeOf } from '../../models/tensor.js';
import { vaeImageTensor } from '../../stages/reference/vae-image-tensor.js';
import { exists, readJson } from '../files.js';
import { runOnce } from '../run-once.js';
import { type Check, compareFloats, type ParityCase, type SkippedCase } from './check.js';
import { writeFormulaWeights } from './formula-weights.js';
import { openRecording, type ParityContext, type Recording, readIndex } from './recording.js';

const tolerance = { relative: 1e-4 };

/** The published networks: how they are built, and what they are called here. */
const networks = {
  unet: () => listParameters(new UNet(parseUNetConfig(unetConfig))),
  controlnext: () => listParameters(new ControlNeXt(unetConfig.block_out_channels[0], 0)),
  vae: () => listParameters(new Vae(parseVaeConfig(vaeConfig))),
  image_encoder: () => listParameters(new ClipVision(parseClipVisionConfig(imageEncoderConfig))),
} as const;

type Network = keyof typeof networks;

type FullSizeContext = Pick<ParityContext, 'dir' | 'engine' | 'residency' | 'signal'> & {
  /** Folder for the gigabytes of weights. */
  readonly weights: string;
  /** Instead of that in `cases/salt.json`. */
  readonly salt: string | undefined;
  readonly report: (message: string) => void;
};

/** The cases of `cases/`: forwards of the full-size networks with weights by formula, which are written on first use. */
export async function fullSizeCases(context: FullSizeContext): Promise<(ParityCase | SkippedCase)[]> {
  const inner = join(context.dir, 'full-size', 'cases');
  if (await exists(inner)) {
    const skipped = `needs ${gigabytes(Object.keys(networks) as Network[])} GB of weights: npm run parity -- ${join(context.dir, 'full-size')}`;
    return [{ name: 'full-size', skipped }];
  }
  const folder = join(context.dir, 'cases');
  const index = (await exists(join(context.dir, 'unet.json'))) ? await readIndex(folder) : undefined;
  const described = ((await readJson(join(folder, 'salt.json'))) as { salt?: unknown } | undefined)?.salt;
  const salt = context.salt ?? (typeof described === 'string' ? described : '');
  return Object.keys(index ?? {}).map((name) => ({
    name: `full-size/${name}`,
    run: async () => {
      const recording = await openRecording(join(folder, `${name}.safetensors`));
      const open = (network: Network) => formulaCheckpoint(context, network, salt);
      if (name.startsWith('unet')) return unetCase(context, recording, open);
      if (name.startsWith('vae')) return vaeCase(context, recording, open);
      if (name.startsWith('image_encoder')) return imageEncoderCase(context, recording, open);
      throw new RangeError(`a kind of case that is not known: ${name}`);
    },
  }));
}

type Open = (network: Network) => ReturnType<typeof openSafetensors>;

async function unetCase(context: FullSizeContext, recording: Recording, open: Open): Promise<Check[]> {
  const { engine, residency, signal } = context;
  const how = { residency, target: engine.info.provider };
  const sample = await recording.floats('sample');
  const [batch = 1, frames = 1, , latentHeight = 0, latentWidth = 0] = sample.dims;
  const timestep = await recording.floats('timestep');
  const pictures = await recording.bytes('pose_u8');
  const [height = 0, width = 0] = pictures.dims.slice(-3);
  const controlnext = buildControlNeXt({
    ...{ ...how, controlnext: await open('controlnext'), channels: unetConfig.block_out_channels[0] },
    ...{ frames, height, width },
  });
  const control = byteTensor([frames, height, width, 3], pictures.data);
  const { features } = await runOnce(engine, controlnext, { control, timestep }, signal);
  const checks = [compareFloats('control', dataOf(features), (await recording.floats('control')).data, tolerance)];

  const unet = await open('unet');
  const shape = { batch, frames, latentHeight, latentWidth };
  const plain = {
    ...{ sample, timestep, encoder_hidden_states: await recording.floats('encoder_hidden_states') },
    added_time_ids: await recording.floats('added_time_ids'),
  };
  // The first half of a guidance batch is unconditional: no control.
  const scale = Float32Array.from({ length: batch * frames }, (_, i) => (i < (batch - 1) * frames ? 0 : 1));
  for (const [output, controlled] of [
    ['out_plain', false],
    ['out_control', true],
  ] as const) {
    const dims = (features as FloatTensor).dims as readonly [number, number, number, number];
    const graph = buildUnet({ ...how, ...shape, unet, unetConfig, features: controlled ? dims : undefined });
    const extra = { control: features as FloatTensor, control_scale: floatTensor([batch * frames], scale) };
    const { out } = await runOnce(engine, graph, { ...plain, ...(controlled && extra) }, signal);
    checks.push(compareFloats(output, dataOf(out), (await recording.floats(output)).data, tolerance));
  }
  return checks;
}

async function vaeCase(context: FullSizeContext, recording: Recording, open: Open): Promise<Check[]> {
  const { engine, residency, signal } = context;
  const how = { residency, target: engine.info.provider, checkpoint: await open('vae'), config: vaeConfig };
  const latents = await recording.floats('latents');
  const [frames = 0, , h = 0, w = 0] = latents.dims;
  const decode = buildVaeDecode({ ...how, frames, height: 8 * h, width: 8 * w });
  const { frames: decoded } = await runOnce(engine, decode, { latents }, signal);
  const picture = await recording.bytes('image_u8');
  const [height = 0, width = 0] = picture.dims.slice(-3);
  const image = vaeImageTensor({ width, height, data: picture.data });
  const { latents: mode } = await runOnce(engine, buildVaeEncode({ ...how, height, width }), { image }, signal);
  return [
    compareFloats('decoded', dataOf(decoded), (await recording.floats('decoded')).data, tolerance),
    compareFloats('mode', dataOf(mode), (await recording.floats('mode')).data, tolerance),
  ];
}

async function imageEncoderCase(context: FullSizeContext, recording: Recording, open: Open): Promise<Check[]> {
  const { engine, residency, signal } = context;
  const how = { residency, target: engine.info.provider };
  const graph = buildImageEncoder({ ...how, checkpoint: await open('image_encoder'), config: imageEncoderConfig });
  const pixels = await recording.floats('pixel_values');
  const { image_embeds: embeds } = await runOnce(engine, graph, { pixel_values: pixels }, signal);
  return [compareFloats('embedding', dataOf(embeds), (await recording.floats('image_embeds')).data, tolerance)];
}

function dataOf(tensor: FloatTensor | undefined): Float32Array {
  if (!tensor) throw new Error('the graph did not give the output that was asked for');
  return tensor.data;
}

/** The checkpoint of a network in the weights folder; written when it is not there in whole. */
async function formulaCheckpoint({ weights, dir, report }: FullSizeContext, network: Network, salt: string) {
  const shapes = networks[network]();
  await checkNames(dir, network, shapes);
  const path = join(weights, `${network}-${encodeURIComponent(salt)}.safetensors`);
  const needed = [...shapes.values()].reduce((sum, shape) => sum + 2 * sizeOf(shape), 0);
  const present = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  // It appears by rename, so a file of the right length is whole.
  if (present > needed) return openSafetensors(path);
  await mkdir(weights, { recursive: true });
  const { bavail, bsize } = await statfs(weights);
  if (bavail * bsize < needed * 1.05) {
    throw new PantomimeError({
      ...{ code: 'parity.no-space', kind: 'input', where: weights },
      what: 'there is not enough disk space for the weights',
      expected: `${(needed / 1e9).toFixed(1)} GB`,
      hint: '--weights FOLDER on another disk',
    });
  }
  report(`writing ${(needed / 1e9).toFixed(2)} GB to ${path}`);
  let told = 0;
  await writeFormulaWeights(path, shapes, salt, (bytes) => {
    if (bytes - told < needed / 5) return;
    told = bytes;
    report(`  ${Math.round((100 * bytes) / needed)} %`);
  });
  return openSafetensors(path);
}

/** Names and shapes that we build must be those of the recording, both ways. */
async function checkNames(
  dir: string,
  network: Network,
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  const published = (await readJsonFile(join(dir, `${network}.json`))) as Record<string, readonly number[]>;
  const ours = new Map([...shapes].map(([name, shape]) => [name, String(shape)]));
  const theirs = new Map(Object.entries(published).map(([name, shape]) => [name, String(shape)]));
  const wrong = [...new Set([...ours.keys(), ...theirs.keys()])].filter((name) => ours.get(name) !== theirs.get(name));
  if (wrong.length === 0) return;
  throw new PantomimeError({
    ...{ code: 'parity.names', kind: 'model', where: `${network}.json` },
    what: `${wrong.length} tensors differ in name or shape: ${wrong.slice(0, 5).join(', ')}`,
  });
}

function gigabytes(which: readonly Network[]): string {
  const bytes = which
    .flatMap((network) => [...networks[network]().values()])
    .reduce((sum, shape) => sum + 2 * sizeOf(shape), 0);
  return (bytes / 1e9).toFixed(1);
}
