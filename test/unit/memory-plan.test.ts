import { expect, it } from 'vitest';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { type GraphMaker, type MemoryRequest, planMemory } from '#dist/pipeline/memory-plan.js';
import { memorySize } from '#dist/pipeline/options/values.js';

const GiB = 2 ** 30;

function graph(name: string, weightGiB: number, activationGiB: number, residency: BuiltGraph['residency']): BuiltGraph {
  return {
    ...{ name, residency, model: new Uint8Array(), weightsRoot: '/', inputs: [], outputs: [] },
    ...{ weightBytes: weightGiB * GiB, floatWeightBytes: 2 * weightGiB * GiB, mergedBytes: 0 },
    peakActivationBytes: activationGiB * GiB,
    multiplyAdds: { convolution: 0, linear: 0, attention: 0, merging: 0 },
  } as BuiltGraph;
}

/** A denoiser of 3 GiB whose activations shrink as they do, and a decoder of 1 GiB a frame. */
const make: GraphMaker = {
  chunk: 24,
  steps: ({ residency, splitGuidance, feedForwardParts }, chunk = 24) => {
    const activations = ((splitGuidance ? 10 : 20) - (feedForwardParts > 1 ? 1 : 0)) * (chunk / 24);
    // Without control in the last steps, which needs less and decides nothing.
    return [
      { graph: graph('unet-step', 3, activations, residency), runs: 20 },
      { graph: graph('unet-step', 3, 0.9 * activations, residency), runs: 5 },
    ];
  },
  decode: ({ residency, decodeChunk }) => graph('vae-decode', 0.1, decodeChunk, residency),
  features: () => [],
  once: () => [],
};
const options = { residency: 'auto', splitGuidance: 'auto', feedForwardParts: null, decodeChunk: 8 } as const;

function choose(bytes: number | undefined, changes: Partial<MemoryRequest> = {}) {
  const budget = bytes === undefined ? undefined : ({ bytes: bytes * GiB, from: 'option' } as const);
  return planMemory(
    { options, provider: 'cpu', guided: true, splitIsFree: false, begun: undefined, budget, ...changes },
    make,
  );
}

it('saves only as much as it must, in order', () => {
  expect(choose(40).choice).toEqual({
    ...{ residency: 'fast', splitGuidance: false, feedForwardParts: 1, decodeChunk: 8 },
  });
  expect(choose(40).savings).toEqual([]);
  expect(choose(22).choice).toMatchObject({ residency: 'low-memory', splitGuidance: false });
  expect(choose(10.5).choice).toMatchObject({ splitGuidance: true, feedForwardParts: 1, decodeChunk: 8 });
  expect(choose(9.5).choice).toMatchObject({ splitGuidance: true, feedForwardParts: 4 });
  expect(choose(9.5).savings).toHaveLength(3);
  expect(choose(9.5, { options: { ...options, decodeChunk: 30 } }).choice.decodeChunk).toBe(8);
});

it('does as it is told, and takes up what was begun', () => {
  const told = { ...options, residency: 'fast', splitGuidance: 'off', feedForwardParts: 2 } as const;
  expect(choose(undefined, { options: told }).choice).toMatchObject({ residency: 'fast', feedForwardParts: 2 });
  expect(() => choose(10, { options: told })).toThrow('does not fit');
  const begun = { residency: 'low-memory', splitGuidance: true, feedForwardParts: 4, decodeChunk: 2 } as const;
  expect(choose(40, { begun }).choice).toEqual(begun);
});

it('splits guidance that works at times where that costs nothing, unless told not to', () => {
  const at = (splitGuidance: 'auto' | 'on' | 'off') =>
    choose(undefined, { splitIsFree: true, options: { ...options, splitGuidance } }).choice.splitGuidance;
  expect([at('auto'), at('on'), at('off')]).toEqual([true, true, false]);
});

it('says what would fit when nothing does', () => {
  const thrown = (() => {
    try {
      return choose(4);
    } catch (error) {
      return error;
    }
  })();
  expect(thrown).toMatchObject({ code: 'memory.short', kind: 'usage', details: { where: '--vram, unet-step' } });
  expect(thrown).toMatchObject({ details: { hint: '--chunk 6, or a smaller --width and --height' } });
  // Memory that happens to be free is no order: it is tried, and said.
  const free = { bytes: 4 * GiB, from: 'machine' } as const;
  expect(choose(4, { budget: free }).savings.at(-1)).toMatch(/needed and .* free$/);
});

it('reads sizes as people write them', () => {
  expect(memorySize.parse('8g')).toBe(8 * GiB);
  expect(memorySize.parse('7500MB')).toBe(7.5e9);
  expect(memorySize.parse('1.5 GiB')).toBe(1.5 * GiB);
  for (const wrong of ['8', '8 gigs', '-8g', '1m', 'Infinity', 8])
    expect(memorySize.safeParse(wrong).success).toBe(false);
});
