import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SafetensorsEntry } from '../checkpoint/write-safetensors.js';
import { writeSafetensors } from '../checkpoint/write-safetensors.js';
import { ControlNeXt } from '../controlnext/controlnext.js';
import { PantomimeError } from '../errors.js';
import { floatToHalf } from '../half.js';
import { listParameters, type Module } from '../onnx/module.js';
import { createRandom } from '../random.js';
import { sizeOf } from '../tensor.js';
import { ClipVision } from './clip.js';
import { parseClipVisionConfig } from './clip-config.js';
import {
  imageEncoderConfig,
  modelIndex,
  preprocessorConfig,
  schedulerConfig,
  unetConfig,
  vaeConfig,
} from './published-configs.js';
import { UNet } from './unet.js';
import { parseUNetConfig } from './unet-config.js';
import { Vae } from './vae.js';
import { parseVaeConfig } from './vae-config.js';

export type RandomModelOptions = {
  /** The same seed gives the same files, byte for byte. */
  readonly seed: number | string;
  /** `tiny`: about 7 million weights, 14 MB; half of them are ControlNeXt's, whose widths are fixed. */
  readonly size?: 'tiny';
  readonly signal?: AbortSignal;
};

export type RandomModel = {
  readonly dir: string;
  /** False when a whole and unchanged model of this seed and size was there already. */
  readonly created: boolean;
};

/** Raised whenever the files of a seed change, so that older folders are made anew. */
const revision = 2;
/** Lists what was written, with its hash; also marks a folder as one that may be replaced. */
const manifestName = 'random-model.json';

type Manifest = {
  readonly revision: number;
  readonly seed: string;
  readonly size: string;
  readonly files: Readonly<Record<string, { readonly sizeBytes: number; readonly sha256: string }>>;
};

/**
 * Writes a small model with random weights in the published folder layout: `model_index.json`, `unet/`, `vae/`,
 * `image_encoder/`, `scheduler/`, `feature_extractor/`, `controlnext.safetensors` and `unet_overlay.safetensors`
 * (other values for the UNet's attention outputs). It runs like a trained one and draws noise.
 *
 * The folder appears whole or not at all. One that is there already is kept if its files are unchanged and made anew
 * if they are not; a folder that is something else is left alone: PantomimeError `model.in-the-way`.
 */
export async function writeRandomModel(dir: string, options: RandomModelOptions): Promise<RandomModel> {
  const { seed, size = 'tiny', signal } = options;
  const wanted = { revision, seed: String(seed), size };
  if (await isIntact(dir, wanted)) return { dir, created: false };
  await requireReplaceable(dir);

  await mkdir(dirname(dir), { recursive: true });
  const partial = `${dir}.${randomUUID()}.partial`;
  try {
    await writeParts(partial, wanted.seed, signal);
    const files = Object.fromEntries(
      await Promise.all(partNames.map(async (name) => [name, await fingerprint(join(partial, name))] as const)),
    );
    await writeJson(join(partial, manifestName), { ...wanted, files } satisfies Manifest);
    await rm(dir, { recursive: true, force: true });
    try {
      await rename(partial, dir);
    } catch (error) {
      // Another process was faster: what it made is as good.
      if (!(await isIntact(dir, wanted))) throw error;
    }
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return { dir, created: true };
}

const weightFiles = {
  unet: 'unet/diffusion_pytorch_model.safetensors',
  vae: 'vae/diffusion_pytorch_model.safetensors',
  imageEncoder: 'image_encoder/model.safetensors',
  controlnext: 'controlnext.safetensors',
  overlay: 'unet_overlay.safetensors',
} as const;

const diffusersVersion = modelIndex._diffusers_version;

const configFiles = {
  'model_index.json': modelIndex,
  'unet/config.json': {
    ...unetConfig,
    _diffusers_version: diffusersVersion,
    addition_time_embed_dim: 32,
    block_out_channels: [32, 32, 32, 64],
    cross_attention_dim: 32,
    num_attention_heads: [1, 2, 2, 4],
    num_frames: 14,
    projection_class_embeddings_input_dim: 96,
    sample_size: 24,
  },
  'vae/config.json': {
    ...vaeConfig,
    _diffusers_version: diffusersVersion,
    block_out_channels: [32, 32, 32, 32],
    sample_size: 192,
  },
  'image_encoder/config.json': {
    ...imageEncoderConfig,
    architectures: ['CLIPVisionModelWithProjection'],
    attention_dropout: 0,
    hidden_size: 64,
    initializer_factor: 1,
    initializer_range: 0.02,
    intermediate_size: 128,
    model_type: 'clip_vision_model',
    num_attention_heads: 2,
    num_hidden_layers: 2,
    patch_size: 32,
    projection_dim: 32,
    torch_dtype: 'float16',
  },
  'scheduler/scheduler_config.json': schedulerConfig,
  'feature_extractor/preprocessor_config.json': preprocessorConfig,
} as const;

const partNames: readonly string[] = [...Object.keys(configFiles), ...Object.values(weightFiles)];

async function writeParts(root: string, seed: string, signal: AbortSignal | undefined): Promise<void> {
  for (const [name, config] of Object.entries(configFiles)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeJson(join(root, name), config);
  }
  const unet = parseUNetConfig(configFiles['unet/config.json']);
  const networks: Readonly<Record<Exclude<keyof typeof weightFiles, 'overlay'>, Module>> = {
    unet: new UNet(unet),
    vae: new Vae(parseVaeConfig(configFiles['vae/config.json'])),
    imageEncoder: new ClipVision(parseClipVisionConfig(configFiles['image_encoder/config.json'])),
    controlnext: new ControlNeXt(unet.levels[0]?.channels ?? 0),
  };
  const write = (part: keyof typeof weightFiles, parameters: Iterable<readonly [string, readonly number[]]>) => {
    const entries = [...parameters].map(([name, shape]) => randomTensor(seed, part, name, shape));
    return writeSafetensors(join(root, weightFiles[part]), entries, signal ? { signal } : {});
  };
  for (const part of ['unet', 'vae', 'imageEncoder', 'controlnext'] as const) {
    await write(part, listParameters(networks[part]));
  }
  // What the published control checkpoint changes in the UNet: how attention writes back.
  await write(
    'overlay',
    [...listParameters(networks.unet)].filter(([name]) => name.includes('.to_out.')),
  );
}

/**
 * Weights that keep the scale of what flows through them: uniform with variance 1 / fan-in, norms 1 and 0, biases 0,
 * mix factors at half as in a new diffusers model.
 */
function randomTensor(seed: string, part: string, name: string, shape: readonly number[]): SafetensorsEntry {
  const values = (): Uint16Array => {
    const halves = new Uint16Array(sizeOf(shape));
    if (name.endsWith('mix_factor')) return halves.fill(floatToHalf(0.5));
    if (shape.length === 1 && name.endsWith('.weight')) return halves.fill(floatToHalf(1));
    if (shape.length === 1 && name.endsWith('.bias')) return halves;
    const fanIn = Math.max(1, sizeOf(shape) / (shape.length > 1 ? (shape[0] ?? 1) : 1));
    const reach = Math.sqrt(3 / fanIn);
    const uniforms = createRandom(seed, `${part}/${name}`).uniforms(0, halves.length);
    for (const [i, u] of uniforms.entries()) halves[i] = floatToHalf((2 * u - 1) * reach);
    return halves;
  };
  return { name, dtype: 'float16', shape, data: () => [values()] };
}

const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);

async function fingerprint(path: string): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { sizeBytes: (await stat(path)).size, sha256: hash.digest('hex') };
}

/** Whether `dir` holds a model made by this revision for this seed and size, every byte of it. */
async function isIntact(dir: string, wanted: Omit<Manifest, 'files'>): Promise<boolean> {
  try {
    const manifest: Manifest = JSON.parse(await readFile(join(dir, manifestName), 'utf8'));
    if (manifest.revision !== wanted.revision || manifest.seed !== wanted.seed || manifest.size !== wanted.size)
      return false;
    for (const name of partNames) {
      const { sizeBytes, sha256 } = await fingerprint(join(dir, name));
      const noted = manifest.files[name];
      if (sizeBytes !== noted?.sizeBytes || sha256 !== noted.sha256) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Only what this module made is ever replaced. */
async function requireReplaceable(dir: string): Promise<void> {
  const exists = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (!(await exists(dir)) || (await exists(join(dir, manifestName)))) return;
  throw new PantomimeError({
    code: 'model.in-the-way',
    kind: 'usage',
    what: 'a random-weight model cannot be written here: this is something else',
    where: dir,
    expected: `no such folder, or one with ${manifestName}`,
    hint: 'Name another folder.',
  });
}
