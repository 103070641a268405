import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Checkpoint, StoredDType } from '#dist/models/checkpoint/checkpoint.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { isTextEncoderKey, parseLayerKey } from '#dist/models/lora/layer-key.js';
import { layersOf } from '#dist/models/lora/layers.js';
import { openLora } from '#dist/models/lora/open-lora.js';
import { listParameters } from '#dist/models/onnx/module.js';
import { unetConfig } from '#dist/models/svd/published-configs.js';
import { UNet } from '#dist/models/svd/unet.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { sizeOf } from '#dist/models/tensor.js';

describe('names', () => {
  const flat = 'down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_q';
  const dotted = 'down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q';
  const attention = 'up_blocks.1.attentions.0.transformer_blocks.0.attn2';
  it.each([
    [`lora_unet_${flat}.lora_down.weight`, 'down', flat, true],
    [`lora_unet_${flat}.lora_up.weight`, 'up', flat, true],
    [`lora_unet_${flat}.lora_mid.weight`, 'mid', flat, true],
    [`lora_unet_${flat}.alpha`, 'alpha', flat, true],
    [`${dotted}.lora_A.weight`, 'down', dotted, false],
    [`unet.${dotted}.lora_B.weight`, 'up', dotted, false],
    [`unet.${dotted}.lora_A.default.weight`, 'down', dotted, false],
    [`unet.${dotted}.alpha`, 'alpha', dotted, false],
    [`unet.${dotted}.lora.down.weight`, 'down', dotted, false],
    [`${dotted}.lora.up.weight`, 'up', dotted, false],
    [`${dotted}.lora.alpha`, 'alpha', dotted, false],
    [`unet.${attention}.processor.to_k_lora.down.weight`, 'down', `${attention}.to_k`, false],
    [`${attention}.processor.to_out_lora.up.weight`, 'up', `${attention}.to_out.0`, false],
    [`${attention}.to_v_lora.up.weight`, 'up', `${attention}.to_v`, false],
    [`${attention}.processor.to_out_lora.alpha`, 'alpha', `${attention}.to_out.0`, false],
  ])('%s', (name, part, layer, isFlat) => {
    expect(parseLayerKey(name)).toEqual({ part, layer, flat: isFlat });
  });
  it.each(['conv_in.weight', 'conv_in.bias', 'lora_unet_conv_in.lora_down', 'x.dora_scale', 'x.hada_w1_a', ''])(
    '%j is none',
    (name) => expect(parseLayerKey(name)).toBeUndefined(),
  );
  it.each(['lora_te_text_model_encoder.alpha', 'lora_te2_x.alpha', 'text_encoder.text_model.x.lora_A.weight'])(
    '%s belongs to a text encoder',
    (name) => expect(isTextEncoderKey(name)).toBe(true),
  );
});

describe("kohya's names against the full-size UNet", () => {
  const shapes = listParameters(new UNet(parseUNetConfig(unetConfig)));
  const location = { file: '/', offset: 0, byteLength: 0, dtype: 'float16' as const };
  const tensors = new Map([...shapes].map(([name, shape]) => [name, { ...location, shape }]));
  const layers = layersOf({ tensors, sources: [] });
  const weights = [...shapes].filter(([name, shape]) => name.endsWith('.weight') && shape.length > 1);

  test('each of its 574 layers is found by one name, and by no other', () => {
    expect(weights).toHaveLength(574);
    for (const [weight, shape] of weights) {
      const layer = weight.slice(0, -'.weight'.length).replaceAll('.', '_');
      expect(layers.find({ part: 'down', layer, flat: true })).toEqual({ weight, shape });
    }
  });

  test('names that fit two layers are no guess', () => {
    const two = new Map(
      ['a.b_c.weight', 'a_b.c.weight', 'a.d.weight'].map((name) => [name, { ...location, shape: [2, 2] }]),
    );
    const found = layersOf({ tensors: two, sources: [] }).find({ part: 'down', layer: 'a_b_c', flat: true });
    expect(found).toEqual([
      { weight: 'a.b_c.weight', shape: [2, 2] },
      { weight: 'a_b.c.weight', shape: [2, 2] },
    ]);
  });
});

describe('files that do not fit', () => {
  let folder: string;
  let unet: Checkpoint;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pantomime-lora-'));
    unet = await write('unet', {
      'to_q.weight': [4, 6],
      'conv.weight': [4, 6, 3, 3],
      'time.weight': [4, 6, 3, 1, 1],
      'x.y_z.weight': [2, 2],
      'x_y.z.weight': [2, 2],
      'norm.weight': [4],
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  type Shapes = Readonly<Record<string, readonly number[]>>;
  type Written = { readonly dtype?: StoredDType; readonly values?: Readonly<Record<string, number>> };
  let count = 0;

  async function write(name: string, shapes: Shapes, { dtype = 'float32', values = {} }: Written = {}) {
    const path = join(folder, `${name}-${count++}.safetensors`);
    const entries = Object.entries(shapes).map(([tensor, shape]) => {
      const size = sizeOf(shape);
      const data = dtype === 'float64' ? new Float64Array(size) : new Float32Array(size);
      return { name: tensor, dtype, shape, data: data.fill(values[tensor] ?? 1) };
    });
    await writeSafetensors(path, entries);
    return openSafetensors(path);
  }
  const open = async (shapes: Shapes, written?: Written) =>
    openLora((await write('lora', shapes, written)).sources[0] as string, unet);
  const pair = (layer: string, down: readonly number[], up: readonly number[]) => ({
    [`${layer}.lora_A.weight`]: down,
    [`${layer}.lora_B.weight`]: up,
  });

  test('one that fits, with ones at the end of shapes or without', async () => {
    const { changes } = await open({
      ...pair('to_q', [2, 6, 1, 1], [4, 2, 1, 1]),
      ...pair('conv', [3, 6, 3, 3], [4, 3]),
      ...pair('unet.time', [1, 6, 3], [4, 1, 1, 1, 1]),
    });
    expect([...changes].map(([weight, { rank, scale }]) => [weight, rank, scale])).toEqual([
      ['to_q.weight', 2, 1],
      ['conv.weight', 3, 1],
      ['time.weight', 1, 1],
    ]);
  });

  test('alpha is divided by the rank, whatever its type', async () => {
    const layer = { ...pair('to_q', [2, 6], [4, 2]), 'to_q.alpha': [] };
    const { changes } = await open(layer, { values: { 'to_q.alpha': -3 } });
    expect(changes.get('to_q.weight')?.scale).toBe(-1.5);
    const path = join(folder, 'whole.safetensors');
    const factor = (name: string, shape: readonly number[]) => {
      return { name, dtype: 'float16' as const, shape, data: new Uint16Array(sizeOf(shape)) };
    };
    await writeSafetensors(path, [
      factor('to_q.lora_A.weight', [2, 6]),
      factor('to_q.lora_B.weight', [4, 2]),
      { name: 'to_q.alpha', dtype: 'int64', shape: [1], data: BigInt64Array.of(16n) },
    ]);
    expect((await openLora(path, unet)).changes.get('to_q.weight')?.scale).toBe(8);
  });

  test('alpha from the header, as diffusers writes what PEFT was told', async () => {
    const factor = (name: string, shape: readonly number[]) => {
      return { name, dtype: 'float32' as const, shape, data: new Float32Array(sizeOf(shape)) };
    };
    const tensors = [factor('to_q.lora_A.weight', [2, 6]), factor('to_q.lora_B.weight', [4, 2])];
    const path = join(folder, 'header.safetensors');
    const openWith = async (settings: object, more: typeof tensors = []) => {
      const metadata = { format: 'pt', lora_adapter_metadata: JSON.stringify(settings) };
      await writeSafetensors(path, [...tensors, ...more], { metadata });
      return (await openLora(path, unet)).changes.get('to_q.weight')?.scale;
    };
    const told = { 'unet.r': 2, 'unet.lora_alpha': 8, 'unet.alpha_pattern': {}, 'unet.use_dora': false };
    expect(await openWith(told)).toBe(4);
    expect(await openWith(told, [{ ...factor('to_q.alpha', []), data: Float32Array.of(1) }])).toBe(0.5);
    expect(await openWith({})).toBe(1);
    await expect(openWith({ ...told, 'unet.use_rslora': true })).rejects.toThrow(/not supported.*unet\.use_rslora/);
  });

  const kohya = 'lora_unet_to_q';
  it.each<[code: string, says: RegExp, shapes: Shapes, written?: Written]>([
    [
      'lora.unknown',
      /2 of 4 tensors .*nowhere\.lora_A\.weight; nowhere\.lora_B\.weight/,
      { ...pair('to_q', [2, 6], [4, 2]), ...pair('nowhere', [2, 6], [4, 2]) },
    ],
    ['lora.unknown', /norm\.lora_A/, pair('norm', [1, 4], [4, 1])],
    [
      'lora.unknown',
      /to_q\.dora_scale.*expected lora_unet_LAYER/,
      { ...pair('to_q', [2, 6], [4, 2]), 'to_q.dora_scale': [4] },
    ],
    [
      'lora.text-encoder',
      /Stable Video Diffusion has none.*lora_te_x\.alpha/,
      { ...pair('to_q', [2, 6], [4, 2]), 'lora_te_x.alpha': [] },
    ],
    [
      'lora.ambiguous',
      /x\.y_z\.weight or x_y\.z\.weight/,
      { 'lora_unet_x_y_z.lora_down.weight': [1, 2], 'lora_unet_x_y_z.lora_up.weight': [2, 1] },
    ],
    [
      'lora.repeated',
      /changes to_q\.weight twice/,
      { ...pair('to_q', [2, 6], [4, 2]), [`${kohya}.lora_down.weight`]: [2, 6] },
    ],
    ['lora.incomplete', /to_q\.weight.*got down, expected down and up/, { 'to_q.lora_A.weight': [2, 6] }],
    ['lora.incomplete', /got alpha/, { 'to_q.alpha': [] }],
    ['lora.shape', /down of to_q\.weight.*\[2, 5\].*\[2, 6\]/, pair('to_q', [2, 5], [4, 2])],
    ['lora.shape', /up of to_q\.weight.*\[4, 3\].*\[4, 2\]/, pair('to_q', [2, 6], [4, 3])],
    ['lora.shape', /down of conv\.weight.*\[2, 6, 3, 3\]/, pair('conv', [2, 6, 1, 1], [4, 2, 1, 1])],
    [
      'lora.shape',
      /mid of conv\.weight/,
      { 'conv.lora_down.weight': [2, 6, 1, 1], 'conv.lora_mid.weight': [2, 3, 3, 3], 'conv.lora_up.weight': [4, 2] },
    ],
    [
      'lora.shape',
      /down of to_q\.weight.*float32 \[0, 6\].*\[rank, 6\], rank at least 1/,
      pair('to_q', [0, 6], [4, 0]),
    ],
    ['lora.shape', /got float64 \[2, 6\], expected floats/, pair('to_q', [2, 6], [4, 2]), { dtype: 'float64' }],
    [
      'lora.values',
      /to_q\.weight.*NaN at element 0/,
      pair('to_q', [2, 6], [4, 2]),
      { values: { 'to_q.lora_B.weight': Number.NaN } },
    ],
    [
      'lora.values',
      /Infinity/,
      pair('to_q', [2, 6], [4, 2]),
      { values: { 'to_q.lora_A.weight': Number.POSITIVE_INFINITY } },
    ],
    [
      'lora.alpha',
      /got NaN/,
      { ...pair('to_q', [2, 6], [4, 2]), 'to_q.alpha': [] },
      { values: { 'to_q.alpha': Number.NaN } },
    ],
    ['lora.alpha', /got \[2\]/, { ...pair('to_q', [2, 6], [4, 2]), 'to_q.alpha': [2] }],
    ['lora.empty', /holds no layer/, {}],
  ])('%s, %s', async (code, says, shapes, written) => {
    const error = await open(shapes, written).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, kind: 'model', message: expect.stringMatching(says) });
    expect((error as { details: { where: string } }).details.where).toContain(folder);
  });
});
