import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { ControlNeXt } from '#dist/models/controlnext/controlnext.js';
import { listParameters } from '#dist/models/onnx/module.js';
import { unetConfig as published } from '#dist/models/svd/published-configs.js';
import { UNet } from '#dist/models/svd/unet.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { sizeOf } from '#dist/models/tensor.js';
import { writeFormulaWeights } from '#dist/pipeline/parity/formula-weights.js';

/** What a step needs of a model. */
export type StepModel = {
  readonly name: string;
  readonly unet: Checkpoint;
  readonly unetConfig: unknown;
  readonly controlnext: Checkpoint;
  readonly frames: number;
  /** Size of the video in pixels. */
  readonly height: number;
  readonly width: number;
  readonly pixelsPerLatent: number;
};

/** UNets of SVD's four levels, with one layer each and heads of 32 channels, between the embedded one and the published one. */
const widths = { '33M': [96, 160, 192, 192], '60M': [128, 256, 256, 256] } as const;
export type MiddleSize = keyof typeof widths;
export const middleSizes = Object.keys(widths) as MiddleSize[];

export function middleConfig(size: MiddleSize) {
  return {
    ...published,
    block_out_channels: widths[size],
    layers_per_block: 1,
    num_attention_heads: widths[size].map((width) => width / 32),
    cross_attention_dim: 256,
    addition_time_embed_dim: 64,
    projection_class_embeddings_input_dim: 192,
  };
}

/** Files of a model of this size below `folder`; weights by formula, the same everywhere. */
export async function writeMiddleModel(folder: string, size: MiddleSize) {
  const dir = join(folder, size);
  const config = middleConfig(size);
  const files = { unet: join(dir, 'unet.safetensors'), controlnext: join(dir, 'controlnext.safetensors') };
  const unet = listParameters(new UNet(parseUNetConfig(config)));
  const controlnext = listParameters(new ControlNeXt(config.block_out_channels[0]));
  await mkdir(dir, { recursive: true });
  await writeFormulaWeights(files.unet, unet, 'bench-', () => {});
  await writeFormulaWeights(files.controlnext, controlnext, 'bench-', () => {});
  const parameters = [...unet.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const model: StepModel = {
    name: size,
    unet: await openSafetensors(files.unet),
    unetConfig: config,
    controlnext: await openSafetensors(files.controlnext),
    ...{ frames: 8, height: 256, width: 256, pixelsPerLatent: 8 },
  };
  return { model, config, files, parameters };
}
