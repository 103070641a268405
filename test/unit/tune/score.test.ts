import { describe, expect, it } from 'vitest';
import { presumedNoise, scoreNoise } from '#dist/pipeline/tune/noise.js';
import { type ScoredCell, scoreCells } from '#dist/pipeline/tune/score.js';

const cell = (id: string, ...runs: ScoredCell['runs']): ScoredCell => ({ id, alone: false, runs });
const scoreOf = (cells: readonly ScoredCell[], id: string) => scoreCells(cells).get(id)?.score as number;

describe('the score of cells', () => {
  it('is 1 for the best in everything and 0 for the worst', () => {
    const cells = [
      cell('good', { seamRatio: 1, flicker: 0.2, oks: 0.9 }),
      cell('bad', { seamRatio: 3, flicker: 4, oks: 0.2 }),
    ];
    expect(scoreOf(cells, 'good')).toBe(1);
    expect(scoreOf(cells, 'bad')).toBeCloseTo(0, 12);
  });

  it('makes little of little differences', () => {
    const cells = [cell('a', { seamRatio: 1, flicker: 0.2 }), cell('b', { seamRatio: 1.01, flicker: 0.21 })];
    expect(scoreOf(cells, 'b')).toBeGreaterThan(0.97);
  });

  it('knows no seam better than none, and one window has none', () => {
    const cells = [
      cell('under', { seamRatio: 0.7 }),
      cell('none', { seamRatio: 1 }),
      { ...cell('whole', {}), alone: true },
      cell('seam', { seamRatio: 2 }),
    ];
    expect(['under', 'none', 'whole', 'seam'].map((id) => scoreOf(cells, id))).toEqual([1, 1, 1, 0]);
  });

  it('judges seams of cells alike together, since a few joints are luck', () => {
    const joined = (id: string, joints: number, kind: string, seamRatio: number) => ({
      ...cell(id, { seamRatio }),
      seams: { joints, kind },
    });
    const [few, many] = [joined('few', 2, 'none', 1), joined('many', 400, 'none', 1)];
    const bad = [joined('a', 20, 'none', 2), joined('b', 20, 'none', 2)];
    const good = [1, 2, 3].map((i) => joined(`good${i}`, 20, 'four', 1));
    // A cell with two lucky joints goes where its kind is; one that has proved itself stays.
    expect(scoreOf([few, ...bad, ...good], 'few')).toBeLessThan(0.25);
    expect(scoreOf([many, ...bad, ...good], 'many')).toBeGreaterThan(0.95);
    expect(scoreOf([few, ...bad, ...good], 'good1')).toBe(1);
    // Two are not enough to say so.
    expect(scoreOf([few, bad[0]!, ...good], 'few')).toBe(1);
  });

  it('neither rewards nor punishes a missing metric', () => {
    const cells = [cell('a', { flicker: 0, oks: 1 }), cell('b', { flicker: 2, oks: 0 }), cell('c', { flicker: 1 })];
    expect(scoreOf(cells, 'c')).toBeCloseTo(0.5, 12);
  });

  it('does not count what the disagreement of windows or costs say', () => {
    const cells = [
      cell('a', { seamRatio: 1, overlapDisagreement: 9, secondsPerFrame: 9 }),
      cell('b', { seamRatio: 1, overlapDisagreement: 0, secondsPerFrame: 1 }),
    ];
    expect(scoreOf(cells, 'a')).toBe(scoreOf(cells, 'b'));
  });

  it('tells the spread over the runs, and what most of the loss is due to', () => {
    const cells = [cell('a', { seamRatio: 1 }, { seamRatio: 1 }), cell('b', { seamRatio: 1.5 }, { seamRatio: 2.5 })];
    const { score, deviation, losses } = scoreCells(cells).get('b')!;
    expect(score).toBeCloseTo(0, 12);
    expect(deviation).toBeCloseTo(Math.sqrt(0.5), 12);
    expect(losses[0]).toMatchObject({ metric: 'seamRatio', loss: 1 });
    expect(scoreCells(cells).get('a')?.deviation).toBe(0);
  });
});

describe('noise of scores', () => {
  it('is presumed where no cell was repeated', () => {
    expect(scoreNoise([{ deviation: undefined, runs: 1 }])).toBe(presumedNoise);
  });

  it('is twice the standard error of a difference, pooled over the cells', () => {
    const cells = [
      { deviation: 0.03, runs: 3 },
      { deviation: 0.05, runs: 3 },
      { deviation: undefined, runs: 1 },
    ];
    expect(scoreNoise(cells)).toBeCloseTo(2 * Math.sqrt(((0.03 ** 2 + 0.05 ** 2) / 2) * (2 / 3)), 12);
  });
});
