import { describe, expect, it } from 'vitest';
import { noiseSources } from '#dist/stages/denoise/noise.js';
import { contextWindows, costFactor, rotatingPhase, type WindowOptions } from '#dist/stages/denoise/windows.js';

const published = { anchor: 'reference', fusion: 'flat' } as const;
const starts = (count: number, options: WindowOptions) => contextWindows(count, options).map((w) => w.frames[0]);

describe('published windows', () => {
  it.each([
    [8, 8, 2, [0]],
    [18, 8, 2, [0, 6, 10]],
    [20, 8, 3, [0, 5, 10, 12]],
    [5, 8, 2, [0]],
  ])('%i frames, chunk %i, overlap %i start at %j', (count, chunk, overlap, expected) => {
    expect(starts(count, { ...published, chunk, overlap })).toEqual(expected);
  });

  it('240 frames at 24/6 take 13 windows, 1.3 forwards a frame', () => {
    const windows = contextWindows(240, { ...published, chunk: 24, overlap: 6 });
    expect(windows).toHaveLength(13);
    expect(costFactor(windows, 240)).toBeCloseTo(1.3, 10);
  });

  it('shows later windows the reference pose in slot 0 and discards that slot', () => {
    const [first, second] = contextWindows(18, { ...published, chunk: 8, overlap: 2 });
    expect(first).toEqual({ frames: range(0, 8), poses: range(0, 8), weights: Array(8).fill(1) });
    expect(second?.frames).toEqual(range(6, 8));
    expect(second?.poses).toEqual([0, ...range(7, 7)]);
    expect(second?.weights).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('overlap 0 keeps slot 0, with its own pose, where nothing else covers the frame', () => {
    const [, second] = contextWindows(16, { ...published, chunk: 8, overlap: 0 });
    expect(second?.poses[0]).toBe(8);
    expect(second?.weights[0]).toBe(1);
  });
});

describe('every layout', () => {
  it('covers every frame, at any count, chunk, overlap and phase, with windows of one size', () => {
    const faults: WindowOptions[] = [];
    for (const anchor of ['reference', 'true'] as const)
      for (const fusion of ['flat', 'triangular', 'overlap-linear'] as const)
        for (const phase of [0, 0.25, 0.5, 0.99])
          for (let count = 1; count <= 19; count++)
            for (let chunk = 1; chunk <= 9; chunk++)
              for (let overlap = 0; overlap < chunk; overlap++) {
                const options = { anchor, fusion, phase, chunk, overlap };
                const total = new Float64Array(count);
                let sound = true;
                for (const { frames, weights, poses } of contextWindows(count, options)) {
                  sound &&= frames.length === Math.min(chunk, count) && poses.length === frames.length;
                  sound &&= new Set(frames).size === frames.length;
                  frames.forEach((frame, slot) => {
                    total[frame]! += weights[slot]!;
                  });
                }
                if (!sound || total.includes(0)) faults.push(options);
              }
    expect(faults).toEqual([]);
  });

  it('true anchor: slot 0 of every later window is frame 0, as context only', () => {
    const [, ...later] = contextWindows(20, { anchor: 'true', fusion: 'flat', chunk: 8, overlap: 3 });
    for (const window of later) expect([window.frames[0], window.poses[0], window.weights[0]]).toEqual([0, 0, 0]);
  });

  it('overlap-linear ramps over the frames really shared and sums to one between two windows', () => {
    const windows = contextWindows(18, { anchor: 'true', fusion: 'overlap-linear', chunk: 8, overlap: 3 });
    const total = new Float64Array(18);
    for (const { frames, weights } of windows.slice(0, 2))
      frames.forEach((frame, slot) => {
        total[frame]! += weights[slot]!;
      });
    const shared = windows[0]!.frames.filter((frame) => frame > 0 && windows[1]!.frames.includes(frame));
    expect(shared.length).toBeGreaterThan(0);
    for (const frame of shared) expect(total[frame]).toBeCloseTo(1, 12);
  });

  it('phases rotate evenly', () => {
    expect([0, 1, 2, 3, 4, 5].map(rotatingPhase)).toEqual([0, 0.5, 0.25, 0.75, 0.125, 0.625]);
  });
});

describe('noise layout', () => {
  it.each([
    ['independent', [0, 1, 2, 3]],
    ['shared', [0, 0, 0, 0]],
  ] as const)('%s', (layout, sources) => {
    expect(noiseSources(layout, 4, 2, 1, () => 0)).toEqual(sources);
  });

  it('freenoise repeats earlier frames shuffled, each block a permutation of the one a chunk before', () => {
    let state = 1;
    const random = () => {
      state = (state * 16807) % 2147483647;
      return state / 2147483647;
    };
    const sources = noiseSources('freenoise', 30, 8, 6, random);
    expect(sources.slice(0, 8)).toEqual(range(0, 8));
    expect(sources.slice(8, 14).toSorted((a, b) => a - b)).toEqual(range(0, 6));
    expect(Math.max(...sources)).toBe(7);
    expect(sources).toHaveLength(30);
    // no two of any eight neighbours within the first window share noise
    expect(new Set(sources.slice(0, 8)).size).toBe(8);
  });
});

function range(from: number, length: number): number[] {
  return Array.from({ length }, (_, i) => from + i);
}
