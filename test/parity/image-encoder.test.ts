import { beforeAll, describe, expect, it } from 'vitest';
import { type ModelFolder, openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { buildImageEncoder } from '#dist/models/graphs/image-encoder.js';
import { fixture } from '../support/fixtures.js';
import { relativeL2, runGraph } from '../support/run-graph.js';
import { openFixture } from '../support/tensors.js';

/** Relative L2 against the published code from the same pixel values; its own distance from float64 is 5e-7. */
const tolerance = 5e-5;

let imageEncoder: ModelFolder['imageEncoder'];
beforeAll(async () => {
  ({ imageEncoder } = await openModelFolder(fixture('model')));
});

describe('image encoder', () => {
  it.each([
    ['fast', 'cpu'],
    ['low-memory', 'cpu'],
    ['fast', 'webgpu'],
  ] as const)('gives the published embedding (%s, graph for %s)', async (residency, target) => {
    const { floats } = await openFixture(fixture('modules/clip_a.safetensors'));
    const graph = buildImageEncoder({ ...imageEncoder, residency, target });
    const { image_embeds } = await runGraph(graph, { pixel_values: await floats('pixel_values') });
    // Row 0 of the stored embeddings is the unconditional one: zeros.
    const published = (await floats('image_embeddings')).data.slice(-32);
    expect(image_embeds?.dims).toEqual([1, 32]);
    expect(relativeL2(image_embeds!.data, published)).toBeLessThan(tolerance);
  });

  it('tells the activations apart', async () => {
    const { floats } = await openFixture(fixture('modules/clip_a.safetensors'));
    const config = { ...(imageEncoder.config as object), hidden_act: 'quick_gelu' };
    const graph = buildImageEncoder({ ...imageEncoder, config, residency: 'fast', target: 'cpu' });
    const { image_embeds } = await runGraph(graph, { pixel_values: await floats('pixel_values') });
    const published = (await floats('image_embeddings')).data.slice(-32);
    const distance = relativeL2(image_embeds!.data, published);
    expect(distance).toBeGreaterThan(tolerance);
    expect(distance).toBeLessThan(0.1);
  });

  it('refuses configs it does not know, listing everything', () => {
    const config = { hidden_size: 65, num_attention_heads: 2, hidden_act: 'relu', patch_size: 0 };
    const options = { ...imageEncoder, config, residency: 'fast', target: 'cpu' } as const;
    expect(() => buildImageEncoder(options)).toThrow(
      /patch_size is 0.*hidden_act is "relu".*cannot be shared by 2 heads/,
    );
  });
});
