import { expect, it } from 'vitest';
import { floatToHalf, halfToFloat } from '#dist/models/half.js';
import { crc32 } from '#dist/pipeline/parity/crc32.js';
import { unitAt, weightAt } from '#dist/pipeline/parity/formula-weights.js';

/** Check values of the recordings' description, salt `public-`. */
it.each([
  ['conv_in.weight', [320, 8, 3, 3], 0, 3347503874, 0.11407470703125],
  ['conv_in.weight', [320, 8, 3, 3], 23039, 2383074521, 0.02239990234375],
  ['down_blocks.0.resnets.0.spatial_res_block.norm1.weight', [320], 5, 665020576, 0.82763671875],
  ['down_blocks.0.resnets.0.time_mixer.mix_factor', [1], 0, 3326360808, 0.548828125],
  [
    'mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight',
    [1280, 1280],
    1000000,
    3822288888,
    0.037750244140625,
  ],
] as const)('%s %j [%i]', (name, shape, index, mixed, value) => {
  const seed = crc32(`public-${name}`);
  expect((unitAt(index, seed) + 1) * 2 ** 31).toBe(mixed);
  expect(halfToFloat(floatToHalf(weightAt(name, shape, index, seed)))).toBe(value);
});

it('crc32 has its standard check value', () => {
  expect(crc32('123456789')).toBe(0xcbf43926);
});
