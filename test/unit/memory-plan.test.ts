import { expect, it } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { graphMemory } from '#dist/models/runtime/memory.js';
import type { MemoryChoice, MemoryRequest } from '#dist/pipeline/memory-choice.js';
import { type GraphMaker, planMemory } from '#dist/pipeline/memory-plan.js';
import { optionsFrom } from '#dist/pipeline/options/resolve.js';
import { memorySize } from '#dist/pipeline/options/values.js';

const GiB = 2 ** 30;
const size = { width: 1024, height: 576 };
const area = size.width * size.height;

function graph(name: string, weightGiB: number, activationGiB: number, residency: BuiltGraph['residency']): BuiltGraph {
  return {
    ...{ name, residency, target: 'cpu', model: new Uint8Array(), weightsRoot: '/', inputs: [], outputs: [] },
    ...{ weightBytes: weightGiB * GiB, convertedWeightBytes: 2 * weightGiB * GiB, mergedBytes: 0 },
    peakActivationBytes: activationGiB * GiB,
    multiplyAdds: { convolution: 0, linear: 0, attention: 0, merging: 0 },
  } as BuiltGraph;
}

const nothingBeside = { beside: [], keptBytes: 0 };

/** A denoiser of 3 GiB whose activations shrink as they do, with scores on WebGPU, and a decoder of 1 GiB a frame. */
const maker = (provider: MemoryRequest['provider'], frames = 60): GraphMaker => ({
  steps: ({ residency, splitGuidance, feedForwardParts, attentionParts, windowsTogether, chunk }) => {
    const scores = provider === 'webgpu' ? 40 / attentionParts : 0;
    const activations =
      ((splitGuidance ? 10 : 20) - (feedForwardParts > 1 ? 1 : 0) + scores) *
      (Math.min(chunk, frames) / 24) *
      windowsTogether;
    // Without control in the last steps, which needs less and decides nothing.
    return [
      { ...nothingBeside, graph: graph('unet-step', 3, activations, residency), steps: 20, runs: 20 },
      { ...nothingBeside, graph: graph('unet-step', 3, 0.9 * activations, residency), steps: 5, runs: 5 },
    ];
  },
  decode: ({ residency, decodeChunk, decodeTile }) => {
    const tile =
      decodeTile === null ? 1 : (Math.min(decodeTile, size.width) * Math.min(decodeTile, size.height)) / area;
    return graph('vae-decode', 0.1, decodeChunk * tile, residency);
  },
  features: () => [],
  once: () => [],
});
const inputs = { image: 'a.png', video: 'b.mp4' };
/** Options as somebody gives them, chunk and overlap named unless they are left out. */
const given = (changes: object = {}) => optionsFrom({ ...inputs, chunk: 24, overlap: 6, ...changes });

function choose(bytes: number | undefined, changes: Partial<MemoryRequest> = {}) {
  const budget = bytes === undefined ? undefined : ({ bytes: bytes * GiB, from: 'option' } as const);
  const base = { options: given(), provider: 'cpu', guided: true, splitIsFree: false } as const;
  const request = { ...base, size, frames: 60, windowCount: 3, begun: undefined };
  return planMemory({ ...request, ...changes }, budget, maker(changes.provider ?? 'cpu', changes.frames));
}

/** What an error says to type. */
function hintOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof PantomimeError) return error.details.hint;
  }
  return undefined;
}

const first: MemoryChoice = {
  ...{ residency: 'fast', splitGuidance: false, attentionParts: 1, feedForwardParts: 1 },
  ...{ windowsTogether: 1, decodeChunk: 8, decodeTile: null, chunk: 24, overlap: 6 },
};

it('saves only as much as it must, in order', () => {
  expect(choose(40).choice).toEqual(first);
  expect(choose(40).savings).toEqual([]);
  expect(choose(22).choice).toEqual({ ...first, residency: 'low-memory' });
  expect(choose(10.5).choice).toEqual({ ...first, residency: 'low-memory', splitGuidance: true });
  expect(choose(9.5).choice).toMatchObject({ splitGuidance: true, feedForwardParts: 4 });
  expect(choose(9.5).savings).toHaveLength(3);
  expect(choose(9.5, { options: given({ decodeChunk: 30 }) }).choice.decodeChunk).toBe(8);
});

it('parts attention only where it is not fused', () => {
  // 20 GiB and scores of 40, 10, 2.5 or 0.6 GiB, a fifth on top, and 6 GiB of weights.
  expect(choose(43, { provider: 'webgpu' }).choice).toEqual({ ...first, attentionParts: 4 });
  expect(choose(19, { provider: 'webgpu' }).choice).toMatchObject({ attentionParts: 64, splitGuidance: true });
  expect(choose(43, { provider: 'webgpu' }).savings).toEqual(['attention computes in 4 parts (--attention-parts)']);
  expect(choose(20, { provider: 'webgpu', options: given({ attentionParts: 256 }) }).choice.attentionParts).toBe(256);
});

it('decodes in tiles last, when a single frame is too much', () => {
  const options = given({ chunk: 1, overlap: 0 });
  expect(choose(1.3, { options }).choice).toMatchObject({ decodeChunk: 1, decodeTile: null });
  const tiled = choose(0.7, { options: given({ chunk: 1, overlap: 0, splitGuidance: 'on' }) });
  expect(tiled.choice).toMatchObject({ decodeChunk: 1, decodeTile: 512 });
  expect(tiled.savings.at(-1)).toMatch(/tiles of 512 pixels, which shows a little/);
  expect(tiled.ownBytes).toBeLessThan(0.7 * GiB);
  const whole = given({ chunk: 1, overlap: 0, decodeTile: 'off' });
  expect(hintOf(() => choose(0.7, { options: whole }))).toMatch(/^--decode-tile auto/);
  // One that was asked for is taken, and one as large as the picture is none.
  expect(choose(40, { options: given({ decodeTile: 256 }) }).choice).toMatchObject({ decodeTile: 256, decodeChunk: 8 });
  expect(choose(40, { options: given({ decodeTile: 1024 }) }).choice.decodeTile).toBeNull();
});

it('takes the largest smaller windows where nobody chose them', () => {
  const open = optionsFrom(inputs);
  expect(open.named).toEqual({ chunk: false, overlap: false });
  // 9 GiB for 24 frames.
  const smaller = choose(4, { options: open });
  // 16 parts save no more than 4.
  expect(smaller.choice).toMatchObject({ splitGuidance: true, feedForwardParts: 4, chunk: 10, overlap: 2 });
  expect(smaller.savings).toContain(
    'windows have 10 instead of 24 frames and share 2, which shows; --chunk keeps a number',
  );
  expect(choose(4, { options: open, frames: 9 }).choice.chunk).toBe(24);
  expect(choose(4, { options: optionsFrom({ ...inputs, overlap: 6 }) }).choice).toMatchObject({
    chunk: 10,
    overlap: 6,
  });
  expect(hintOf(() => choose(2, { options: optionsFrom({ ...inputs, overlap: 6 }) }))).toMatch('--chunk 5 --overlap 1');
  const begun = { ...first, residency: 'low-memory', chunk: 10, overlap: 2 } as const;
  expect(choose(40, { options: open, begun }).choice).toEqual(begun);
  expect(choose(40, { begun }).choice).toMatchObject({ chunk: 24, overlap: 6 });
});

it('does as it is told, and takes up what was begun', () => {
  const told = given({ residency: 'fast', splitGuidance: 'off', feedForwardParts: 2 });
  expect(choose(undefined, { options: told }).choice).toMatchObject({ residency: 'fast', feedForwardParts: 2 });
  expect(() => choose(10, { options: told })).toThrow('does not fit');
  const begun = {
    ...{ ...first, residency: 'low-memory' as const, splitGuidance: true, feedForwardParts: 4 },
    ...{ decodeChunk: 1, decodeTile: 512 },
  };
  expect(choose(40, { begun }).choice).toEqual(begun);
});

it('splits guidance that works at times where that costs nothing, unless told not to', () => {
  const at = (splitGuidance: 'auto' | 'on' | 'off') =>
    choose(undefined, { splitIsFree: true, options: given({ splitGuidance }) }).choice.splitGuidance;
  expect([at('auto'), at('on'), at('off')]).toEqual([true, true, false]);
});

it('prepares weights in memory where they are to be quantized, whatever there is', () => {
  const quantized = given({ quantize: 'linear' });
  expect(choose(22).choice.residency).toBe('low-memory');
  expect(choose(22, { options: quantized }).choice).toMatchObject({ residency: 'fast', splitGuidance: true });
  expect(() => given({ quantize: 'linear', residency: 'low-memory' })).toThrow('cannot be quantized');
});

it('says what would fit when nothing does', () => {
  expect(() => choose(4)).toThrow(
    expect.objectContaining({
      code: 'memory.short',
      kind: 'usage',
      details: expect.objectContaining({ where: '--vram, unet-step' }),
    }),
  );
  expect(hintOf(() => choose(4))).toBe('--chunk 10, or a smaller --width and --height');
  // Memory that happens to be free is no order: it is tried, and said.
  const free = { bytes: 4 * GiB, from: 'machine' } as const;
  const base = { options: given(), provider: 'cpu', guided: true, splitIsFree: false } as const;
  const request = { ...base, size, frames: 60, windowCount: 3, begun: undefined };
  expect(planMemory(request, free, maker('cpu')).savings.at(-1)).toMatch(/needed and .* free$/);
});

it('knows whether somebody chose the windows', () => {
  expect(optionsFrom({ ...inputs, chunk: 16 }).named).toEqual({ chunk: true, overlap: false });
  expect(optionsFrom({ ...inputs, preset: 'reference' }).named).toEqual({ chunk: true, overlap: true });
  expect(optionsFrom({ ...inputs, preset: 'fast' }).named).toEqual({ chunk: false, overlap: false });
});

it('reads sizes as people write them', () => {
  expect(memorySize.parse('8g')).toBe(8 * GiB);
  expect(memorySize.parse('7500MB')).toBe(7.5e9);
  expect(memorySize.parse('1.5 GiB')).toBe(1.5 * GiB);
  for (const wrong of ['8', '8 gigs', '-8g', '1m', 'Infinity', 8])
    expect(memorySize.safeParse(wrong).success).toBe(false);
});

it('counts weights once on a device, as they are computed with', () => {
  const onDevice = { ...graph('unet-step', 3, 10, 'fast'), target: 'cuda', convertedWeightBytes: 3 * GiB } as const;
  const { ownBytes, filePageBytes } = graphMemory(onDevice);
  expect(ownBytes).toBeGreaterThan(13 * GiB);
  expect(ownBytes).toBeLessThan(14 * GiB);
  expect(filePageBytes).toBe(0);
});

it('puts several windows into a call on a device with twice the room, as many as are asked for, or one', () => {
  const together = (bytes: number | undefined, changes: Partial<MemoryRequest> = {}) =>
    choose(bytes, { provider: 'cuda', ...changes }).choice.windowsTogether;
  // 24 GiB a window, and 6 GiB of weights and context.
  expect([together(200), together(120), together(70), together(undefined)]).toEqual([3, 2, 1, 1]);
  expect(choose(200).choice.windowsTogether).toBe(1);
  expect(together(undefined, { options: given({ windowsTogether: 2 }) })).toBe(2);
  expect(together(200, { options: given({ windowsTogether: 16 }) })).toBe(3);
  // Three windows of five in a call are as many calls as four.
  expect([together(900, { windowCount: 5 }), together(900, { windowCount: 8 })]).toEqual([3, 4]);
  const begun = { ...first, windowsTogether: 2 };
  expect(together(80, { begun })).toBe(2);
});

it('counts what lies in the engine beside a step, and what is kept for it', () => {
  const beside = graph('controlnext', 1, 40, 'fast');
  const plan = (changes: object) => {
    const make = maker('cpu');
    const steps: GraphMaker['steps'] = (choice) => make.steps(choice).map((some) => ({ ...some, ...changes }));
    const base = { options: given(), provider: 'cpu', guided: true, splitIsFree: false } as const;
    const request = { ...base, size, frames: 60, windowCount: 3, begun: undefined };
    return planMemory(request, undefined, { ...make, steps }).ownBytes / GiB;
  };
  const alone = plan({});
  expect(plan({ keptBytes: 5 * GiB })).toBeCloseTo(alone + 5);
  // It needs more than the step while it runs, which waits with its weights, twice as large as on disk.
  expect(plan({ beside: [beside] })).toBeCloseTo(0.03 + 6 + 2 + 40 * 1.2, 1);
});
