import { describe, expect, it } from 'vitest';
import { floatTensor } from '#dist/models/tensor.js';
import { type DecodeChunk, decodeChunks, decodeLatents, quantise } from '#dist/stages/decode-latents.js';

const options = { scalingFactor: 0.5, chunk: 4, overlap: 2 };

/** A stand-in for the network: each frame's value plus an offset that depends on the chunk, as a temporal decoder's does. */
function decoder(offsets: number[]): { decode: DecodeChunk; sizes: number[] } {
  const sizes: number[] = [];
  const decode: DecodeChunk = async (latents) => {
    const offset = offsets[sizes.length % offsets.length] as number;
    const count = latents.dims[0] as number;
    sizes.push(count);
    const pixels = floatTensor([count, 3, 1, 1]);
    for (let frame = 0; frame < count; frame++)
      pixels.data.fill(latents.data[frame]! + offset, frame * 3, frame * 3 + 3);
    return pixels;
  };
  return { decode, sizes };
}

async function values(count: number, mode: 'reference' | 'overlapped', offsets: number[], skip = 0) {
  const latents = floatTensor([count, 1, 1, 1]);
  for (let i = 0; i < count; i++) latents.data[i] = (i / 64 - 0.5) * 0.5;
  const { decode, sizes } = decoder(offsets);
  const frames: number[] = [];
  for await (const frame of decodeLatents(latents, decode, { ...options, mode }, skip)) frames.push(frame.data[0]!);
  return { frames, sizes };
}

describe('decode chunks', () => {
  it('reference: consecutive, the last one short', () => {
    const plans = decodeChunks(10, { ...options, mode: 'reference' });
    expect(plans.map((plan) => plan.frames.length)).toEqual([4, 4, 2]);
  });

  it('overlapped: one size for any count, every frame made once, in order', async () => {
    for (let count = 1; count <= 17; count++) {
      const { frames, sizes } = await values(count, 'overlapped', [0]);
      expect(new Set(sizes)).toEqual(new Set([4]));
      expect(frames).toEqual(Array.from({ length: count }, (_, i) => Math.round(255 * (i / 128 + 0.25))));
    }
  });

  it('overlapped: a step between chunks becomes a ramp; reference: it stays', async () => {
    const jump = (frames: number[]) => Math.max(...frames.slice(1).map((value, i) => Math.abs(value - frames[i]!)));
    const blended = await values(6, 'overlapped', [0, 0.5]);
    const hard = await values(6, 'reference', [0, 0.5]);
    expect(jump(hard.frames)).toBeGreaterThan(60);
    expect(jump(blended.frames)).toBeLessThan(26);
  });

  it('skips leading frames but decodes them', async () => {
    const { frames } = await values(5, 'reference', [0], 1);
    expect(frames).toHaveLength(4);
  });
});

describe('quantise', () => {
  it('rounds halves to even and clamps', () => {
    const at = (level: number) => level / 127.5 - 1;
    // 0 is level 127.5 exactly: the even neighbour is 128
    const pixels = new Float32Array([0, -9, at(1), 9, at(126), at(254.4)]);
    const { data } = quantise(pixels, 2, 1);
    expect([...data]).toEqual([128, 1, 126, 0, 255, 254]);
  });
});
