import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readJsonFile } from '#dist/models/checkpoint/json-file.js';
import * as published from '#dist/models/svd/published-configs.js';
import { sizeOf } from '#dist/models/tensor.js';
import { fixture } from './fixtures.js';

export type Shapes = Readonly<Record<string, readonly number[]>>;
export type SparseType = 'F16' | 'F32';

/** The tensors of a network of SVD-XT with ControlNeXt, as published. */
export async function publishedShapes(network: 'unet' | 'controlnext' | 'vae' | 'image_encoder'): Promise<Shapes> {
  return (await readJsonFile(fixture(`full-size/${network}.json`))) as Shapes;
}

/**
 * A safetensors file with the right header and length and nothing in it: all weights are zero, and take no disk; or `filled`
 * with numbers about 1/64, which no two weights share.
 */
export async function writeSparse(
  path: string,
  shapes: Shapes,
  type: SparseType = 'F16',
  filled = false,
): Promise<void> {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const start = end;
      end += sizeOf(shape) * (type === 'F16' ? 2 : 4);
      return [name, { dtype: type, shape, data_offsets: [start, end] }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  try {
    await file.writeFile(Buffer.concat([length, text]));
    await file.truncate(8 + text.length + end);
    const block = filled ? smallNumbers(type) : Buffer.alloc(0);
    for (let at = 0; filled && at < end; at += block.length)
      await file.write(block, 0, Math.min(block.length, end - at), 8 + text.length + at);
  } finally {
    await file.close();
  }
}

/** 16 MB or more, of a length that is no multiple of any weight's. */
function smallNumbers(type: SparseType): Buffer {
  const count = 8_388_593;
  const random = Uint32Array.from({ length: count }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
  const values =
    type === 'F16'
      ? Uint16Array.from(random, (bits) => ((bits >>> 16) & 0x83ff) | 0x2400)
      : Uint32Array.from(random, (bits) => ((bits & 0x807fffff) | 0x3c800000) >>> 0);
  return Buffer.from(values.buffer);
}

/** A model folder of SVD-XT with ControlNeXt: real configs, sparse weights. */
export async function writeSparseModel(folder: string, type: SparseType = 'F16', filled = false): Promise<void> {
  const configs: Readonly<Record<string, unknown>> = {
    'model_index.json': published.modelIndex,
    'unet/config.json': published.unetConfig,
    'vae/config.json': published.vaeConfig,
    'image_encoder/config.json': published.imageEncoderConfig,
    'scheduler/scheduler_config.json': published.schedulerConfig,
    'feature_extractor/preprocessor_config.json': published.preprocessorConfig,
  };
  await writeSparse(
    join(folder, 'unet/diffusion_pytorch_model.safetensors'),
    await publishedShapes('unet'),
    type,
    filled,
  );
  await writeSparse(
    join(folder, 'vae/diffusion_pytorch_model.safetensors'),
    await publishedShapes('vae'),
    type,
    filled,
  );
  await writeSparse(
    join(folder, 'image_encoder/model.safetensors'),
    await publishedShapes('image_encoder'),
    type,
    filled,
  );
  await writeSparse(join(folder, 'controlnext.safetensors'), await publishedShapes('controlnext'), type, filled);
  for (const [path, config] of Object.entries(configs)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), JSON.stringify(config));
  }
}
