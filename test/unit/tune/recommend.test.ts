import { describe, expect, it } from 'vitest';
import { type Candidate, frontOf, recommend } from '#dist/pipeline/tune/recommend.js';
import type { Cell } from '#dist/pipeline/tune/types.js';

type Made = { readonly cost: number; readonly score: number; readonly deviation?: number; readonly runs?: number };

const cell = (overlap: number, { cost, score, deviation, runs = 1 }: Made): Cell => ({
  ...{ id: `o${overlap}`, settings: { chunk: 16, overlap, fusion: 'flat', steps: 8 }, state: 'done' },
  ...{ windows: [], joints: [], score, scoreDeviation: deviation },
  runs: Array.from({ length: runs }, () => ({}) as Cell['runs'][number]),
  values: { secondsPerFrame: { mean: cost, deviation: undefined } },
});
const choose = (...made: Made[]) =>
  recommend(
    made.map((one, i) => cell(i, one)),
    new Map(),
    'preset.yaml',
  )!;

describe('the front', () => {
  it('holds what nothing beats, cheapest first', () => {
    const candidates = [
      { cost: 3, score: 0.9 },
      { cost: 1, score: 0.2 },
      { cost: 2, score: 0.1 },
      { cost: 3, score: 0.8 },
      { cost: 1, score: 0.2 },
    ] as Candidate[];
    expect(frontOf(candidates).map(({ score }) => score)).toEqual([0.2, 0.2, 0.9]);
  });
});

describe('the recommendation', () => {
  it('is the knee: what doubles the cost must buy enough', () => {
    const one = choose({ cost: 1, score: 0.2 }, { cost: 1.3, score: 0.8 }, { cost: 4, score: 0.95 });
    expect(one.cell).toBe('o1');
    expect(one.withinNoise).toBe(false);
    expect(one.reasons.join(' ')).toMatch(
      /scores 0\.80\. The best, chunk 16, overlap 2 .* scores 0\.95: 0\.15 more for 3\.08 times the time/,
    );
    expect(one.reasons.join(' ')).toMatch(/overlap 0 .* takes 0\.77 of the time and scores 0\.20/);
  });

  it('pays for quality that is worth it', () => {
    expect(choose({ cost: 1, score: 0.2 }, { cost: 2, score: 0.8 }).cell).toBe('o1');
  });

  it('takes the cheapest where differences are chance, and says so', () => {
    const one = choose({ cost: 1, score: 0.75 }, { cost: 1.1, score: 0.84 }, { cost: 1.2, score: 0.3 });
    expect(one).toMatchObject({ cell: 'o0', withinNoise: true });
    expect(one.reasons.join(' ')).toMatch('There is one seed, so differences up to 0.10 are taken for chance');
  });

  it('knows by seeds that a small difference is none of chance', () => {
    const repeated = { runs: 3, deviation: 0.005 };
    const one = choose({ cost: 1, score: 0.75, ...repeated }, { cost: 1.1, score: 0.84, ...repeated });
    expect(one).toMatchObject({ cell: 'o1', withinNoise: false });
    const noisy = { runs: 3, deviation: 0.1 };
    const other = choose({ cost: 1, score: 0.75, ...noisy }, { cost: 1.1, score: 0.84, ...noisy });
    expect(other).toMatchObject({ cell: 'o0', withinNoise: true });
    expect(other.reasons.join(' ')).toMatch('by the spread over the seeds');
  });

  it('is none where nothing was measured, and the only one where one was', () => {
    expect(recommend([], new Map(), 'preset.yaml')).toBeUndefined();
    expect(choose({ cost: 1, score: 1 }).reasons).toEqual([expect.stringContaining('the only cell')]);
  });
});
