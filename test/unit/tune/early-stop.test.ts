import { describe, expect, it } from 'vitest';
import { whyDominated, whyNoMoreSeeds } from '#dist/pipeline/tune/early-stop.js';
import { type PlannedCell, planGrid } from '#dist/pipeline/tune/grid.js';

const lists = { chunks: [8, 12], overlaps: [0, 2, 4, 6], fusions: ['flat' as const], steps: [4, 8, 16] };
const grid = planGrid(lists, { frames: 47, anchor: 'reference', phaseRotation: false, noise: 'independent' });
const cellOf = (id: string) => grid.find((cell) => cell.id === id) as PlannedCell;
const tried = (scores: Readonly<Record<string, number>>) =>
  Object.entries(scores).map(([id, score]) => ({ cell: cellOf(id), score }));

describe('what a sweep leaves out', () => {
  it('goes on while more overlap scores more, or no less than chance explains', () => {
    const line = tried({ 'c8-o0-flat-s4': 0.6, 'c8-o2-flat-s4': 0.55 });
    expect(whyDominated(cellOf('c8-o4-flat-s4'), line)).toBeUndefined();
  });

  it('stops in a direction in which it got dearer and clearly worse, and says so', () => {
    const line = tried({ 'c8-o0-flat-s4': 0.7, 'c8-o2-flat-s4': 0.8, 'c8-o4-flat-s4': 0.5 });
    expect(whyDominated(cellOf('c8-o6-flat-s4'), line)).toMatch(
      /^c8-o4-flat-s4 costs 1\.\d\d times as much as c8-o[02]-flat-s4 and scores 0\.[23]0 less, and more overlap/,
    );
  });

  it('judges by the last one of the line, not by one that was passed', () => {
    const line = tried({ 'c8-o0-flat-s4': 0.8, 'c8-o2-flat-s4': 0.4, 'c8-o4-flat-s4': 0.85 });
    expect(whyDominated(cellOf('c8-o6-flat-s4'), line)).toBeUndefined();
  });

  it('judges steps in the same way, and other chunks not at all', () => {
    const line = tried({ 'c8-o2-flat-s4': 0.8, 'c8-o2-flat-s8': 0.5 });
    expect(whyDominated(cellOf('c8-o2-flat-s16'), line)).toMatch('more steps');
    expect(whyDominated(cellOf('c12-o2-flat-s16'), line)).toBeUndefined();
    expect(whyDominated(cellOf('c8-o4-flat-s16'), line)).toBeUndefined();
  });

  it('gives no further seeds where a cheaper cell is far better', () => {
    const all = tried({ 'c8-o0-flat-s4': 0.9, 'c8-o2-flat-s4': 0.5, 'c8-o4-flat-s4': 0.75 });
    expect(all.map((own) => whyNoMoreSeeds(own, all))).toEqual([
      undefined,
      expect.stringContaining('c8-o0-flat-s4 is cheaper and scores 0.40 more'),
      undefined,
    ]);
  });
});
