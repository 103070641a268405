import { describe, expect, test } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';

const base = { _class_name: 'UNetSpatioTemporalConditionModel' };

function failure(config: unknown): PantomimeError {
  try {
    parseUNetConfig(config);
  } catch (error) {
    if (error instanceof PantomimeError) return error;
  }
  throw new Error('the config was accepted');
}

describe('UNet config', () => {
  test('an empty one is the published architecture', () => {
    const { levels, ...rest } = parseUNetConfig(base);
    expect(rest).toMatchObject({ inChannels: 8, outChannels: 4, contextWidth: 1024 });
    expect(levels.map(({ channels, heads }) => [channels, heads])).toEqual([
      [320, 5],
      [640, 10],
      [1280, 20],
      [1280, 20],
    ]);
    expect(levels.at(-1)).toMatchObject({ down: 'DownBlockSpatioTemporal', up: 'UpBlockSpatioTemporal' });
  });

  test('numbers for all levels and lists for each', () => {
    const { levels } = parseUNetConfig({ ...base, num_attention_heads: 5, layers_per_block: [1, 2, 3, 4] });
    expect(levels.map(({ heads }) => heads)).toEqual([5, 5, 5, 5]);
    expect(levels.map(({ layers }) => layers)).toEqual([1, 2, 3, 4]);
  });

  test('everything that is wrong is listed at once', () => {
    const error = failure({
      _class_name: 'UNet2DConditionModel',
      block_out_channels: [320, 100],
      num_attention_heads: [5],
      down_block_types: ['DownBlock2D', 'DownBlock2D'],
      in_channels: 9,
      layers_per_block: -1,
    });
    expect(error).toMatchObject({ code: 'model.unet-config', kind: 'model' });
    for (const part of [
      '_class_name',
      '100',
      'num_attention_heads has 1',
      'down_block_types',
      'in_channels',
      'layers_per_block',
    ])
      expect(error.message).toContain(part);
  });

  test.each([null, 'text', [], { ...base, cross_attention_dim: [1, 2, 3, 4] }, { ...base, block_out_channels: [32] }])(
    '%j is refused',
    (config) => {
      expect(failure(config).code).toBe('model.unet-config');
    },
  );
});
