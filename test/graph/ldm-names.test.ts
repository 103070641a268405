import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint, TensorLocation } from '#dist/models/checkpoint/checkpoint.js';
import { readJsonFile } from '#dist/models/checkpoint/json-file.js';
import { asUnetNames } from '#dist/models/checkpoint/ldm/unet-checkpoint.js';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { openCheckpoint } from '#dist/models/checkpoint/open-checkpoint.js';
import { bind } from '#dist/models/onnx/module.js';
import { ClipVision } from '#dist/models/svd/clip.js';
import { parseClipVisionConfig } from '#dist/models/svd/clip-config.js';
import { unetConfig } from '#dist/models/svd/published-configs.js';
import { UNet } from '#dist/models/svd/unet.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { Vae } from '#dist/models/svd/vae.js';
import { parseVaeConfig } from '#dist/models/svd/vae-config.js';
import { sizeOf } from '#dist/models/tensor.js';
import { fixture } from '../support/fixtures.js';
import { type LdmTensor, ldmShape, ldmUnet, ldmVae, openClipVision } from '../support/ldm-layout.js';

type Shapes = Readonly<Record<string, readonly number[]>>;
const published = async (name: string) => (await readJsonFile(fixture(`full-size/${name}.json`))) as Shapes;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ldm-names-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A safetensors file of half floats with all its size and none of its values: gigabytes that take no room. */
async function writeHollow(path: string, shapes: ReadonlyMap<string, readonly number[]>): Promise<number> {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, shape] of [...shapes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const end = offset + sizeOf(shape) * 2;
    header[name] = { dtype: 'F16', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const handle = await open(path, 'w');
  await handle.writeFile(Buffer.concat([length, padded]));
  await handle.truncate(8 + padded.length + offset);
  await handle.close();
  return 8 + padded.length + offset;
}

const shapesOf = (tensors: readonly LdmTensor[], shapes: Shapes): (readonly [string, readonly number[]])[] =>
  tensors.map((tensor) => [tensor.name, ldmShape(tensor, (name) => shapes[name]!)]);

const listed = ({ tensors }: Checkpoint): Shapes =>
  Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));

describe('the full-size UNet under the names of its authors', () => {
  it('comes back tensor by tensor, and the file has the size of the published one to the byte', async () => {
    const shapes = await published('unet');
    const names = new Map(shapesOf(ldmUnet(Object.keys(shapes)), shapes));
    expect(names.size).toBe(1428);
    const path = join(dir, 'converted.safetensors');
    // controlnext-svd_v2-unet-fp16_converted.safetensors: one character more in any name would show.
    expect(await writeHollow(path, names)).toBe(3_049_445_996);
    const stored = await openCheckpoint(path);
    const unet = asUnetNames(stored, unetConfig);
    expect(listed(unet)).toEqual(shapes);
    // Each tensor of the file is used once.
    const offsets = new Set([...unet.tensors.values()].map(({ offset }) => offset));
    expect(offsets).toEqual(new Set([...stored.tensors.values()].map(({ offset }) => offset)));
    expect(asUnetNames(unet, unetConfig)).toBe(unet);
  });

  it.each(['', 'diffusion_model.'])('also with the prefix "%s", and in parts', async (prefix) => {
    const shapes = await published('unet');
    const all = new Map(
      shapesOf(ldmUnet(Object.keys(shapes)), shapes).map(([name, shape]) => [
        name.replace('model.diffusion_model.', prefix),
        shape,
      ]),
    );
    const some = [...all].filter((_, i) => i % 7 === 0);
    const unet = asUnetNames(imaginary(some), unetConfig);
    expect(unet.tensors.size).toBe(some.length);
    for (const [name, { shape }] of unet.tensors) expect(shape).toEqual(shapes[name]);
  });

  it.each([
    'input_blocks.12.0.in_layers.0.weight', // there are 12
    'input_blocks.12.0.op.weight', // the last level has no downsampler
    'input_blocks.10.1.norm.weight.x',
    'input_blocks.1.2.norm.weight',
    'input_blocks.1.0.constructor.weight',
    'output_blocks.12.0.in_layers.0.weight',
    'output_blocks.11.2.conv.weight', // the last level has no upsampler
    'middle_block.3.in_layers.0.weight',
    'time_embed.1.weight',
    'constructor.weight',
    'conv_in.weight', // of the other naming
  ])('does not know %s', (name) => {
    const unet = imaginary([
      ['time_embed.0.bias', [1280]],
      [name, [1]],
    ]);
    expect(() => asUnetNames(unet, unetConfig)).toThrow(expect.objectContaining({ code: 'checkpoint.names' }));
  });

  it('refuses a tensor that is there under two names', () => {
    const unet = imaginary([
      ['time_embed.0.bias', [1280]],
      ['model.diffusion_model.time_embed.0.bias', [1280]],
    ]);
    expect(() => asUnetNames(unet, unetConfig)).toThrow(/time_embedding\.linear_1\.bias, which is there already/);
  });
});

function imaginary(shapes: Iterable<readonly [string, readonly number[]]>): Checkpoint {
  const tensors = new Map<string, TensorLocation>();
  for (const [name, shape] of shapes)
    tensors.set(name, { file: '/weights', offset: 0, byteLength: sizeOf(shape) * 2, dtype: 'float16', shape });
  return { tensors, sources: ['/weights'] };
}

describe('the full-size model in one file', () => {
  const path = () => join(dir, 'svd_xt_1_1.safetensors');
  let names: Map<string, readonly number[]>;
  beforeAll(async () => {
    const [unet, vae, clip] = [await published('unet'), await published('vae'), await published('image_encoder')];
    names = new Map([
      ...shapesOf(ldmUnet(Object.keys(unet)), unet),
      ...shapesOf(ldmVae(Object.keys(vae), 4), vae),
      ...shapesOf(openClipVision(Object.keys(clip)), clip),
      // What else such a file holds.
      ['conditioner.embedders.0.open_clip.model.token_embedding.weight', [49408, 1024]],
      ['conditioner.embedders.0.open_clip.model.text_projection', [1024, 1024]],
      ['conditioner.embedders.0.open_clip.model.logit_scale', []],
      ['conditioner.embedders.3.encoder.post_quant_conv.bias', [4]],
      ['conditioner.embedders.3.encoder.decoder.conv_in.bias', [512]],
      ['first_stage_model.encoder.conv_in.bias', [128]],
    ]);
  });

  it('has every tensor of every network, in their published shapes, and is all used', async () => {
    await writeHollow(path(), names);
    const model = await openModelFolder(path());
    expect(listed(model.unet.checkpoint)).toEqual(await published('unet'));
    expect(listed(model.vae.checkpoint)).toEqual(await published('vae'));
    expect(listed(model.imageEncoder.checkpoint)).toEqual(await published('image_encoder'));
    bind(new UNet(parseUNetConfig(model.unet.config)), model.unet.checkpoint, 'UNet');
    bind(new Vae(parseVaeConfig(model.vae.config)), model.vae.checkpoint, 'VAE');
    bind(new ClipVision(parseClipVisionConfig(model.imageEncoder.config)), model.imageEncoder.checkpoint, 'encoder');

    const stored = await openCheckpoint(path());
    const used = [model.unet, model.vae, model.imageEncoder].flatMap(({ checkpoint }) => [
      ...checkpoint.tensors.values(),
    ]);
    const bytes = used.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).toBe(2 * (1_524_623_082 + 97_742_847 + 632_076_800));
    // Every byte of theirs once: sorted, they never overlap.
    used.sort((a, b) => a.offset - b.offset);
    for (const [i, { offset, byteLength }] of used.entries())
      expect(offset + byteLength).toBeLessThanOrEqual(used[i + 1]?.offset ?? Infinity);

    const fused = stored.tensors.get(
      'conditioner.embedders.0.open_clip.model.visual.transformer.resblocks.31.attn.in_proj_weight',
    )!;
    const part = (name: string) =>
      model.imageEncoder.checkpoint.tensors.get(`vision_model.encoder.layers.31.self_attn.${name}_proj.weight`)!;
    const third = 1280 * 1280 * 2;
    expect(['q', 'k', 'v'].map((name) => part(name).offset - fused.offset)).toEqual([0, third, 2 * third]);
    expect(model.imageEncoder.checkpoint.tensors.get('visual_projection.weight')).toMatchObject({ transposed: true });
  });

  it('lists what is missing, too much or of another shape', async () => {
    const bent = new Map(names);
    bent.delete('first_stage_model.decoder.up.3.block.0.mix_factor');
    bent.set('first_stage_model.decoder.conv_in.bias', [511]);
    await writeHollow(path(), bent);
    const { vae } = await openModelFolder(path());
    expect(() => bind(new Vae(parseVaeConfig(vae.config)), vae.checkpoint, 'VAE')).toThrow(
      /1 missing \(decoder\.up_blocks\.0\.resnets\.0\.time_mixer\.mix_factor\).*decoder\.conv_in\.bias is \[511\]/,
    );

    await writeHollow(path(), new Map([...names, ['first_stage_model.decoder.up.4.block.0.conv1.bias', [1]]]));
    await expect(openModelFolder(path())).rejects.toMatchObject({
      code: 'checkpoint.names',
      message: expect.stringContaining('decoder.up.4.block.0.conv1.bias [1] is unknown'),
    });
  });

  it('says which networks a file lacks', async () => {
    await writeHollow(path(), new Map([...names].filter(([name]) => name.startsWith('model.'))));
    await expect(openModelFolder(path())).rejects.toMatchObject({
      code: 'model.single-file',
      message: expect.stringMatching(/lacks the VAE \(first_stage_model.*the image encoder \(conditioner/),
      details: { hint: expect.stringContaining('--overlay') },
    });
  });
});
