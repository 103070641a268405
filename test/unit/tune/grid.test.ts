import { describe, expect, it } from 'vitest';
import { excerptFrames, type GridClip, type GridLists, planGrid, shownWindows } from '#dist/pipeline/tune/grid.js';

const clip: GridClip = { frames: 17, anchor: 'reference', phaseRotation: false, noise: 'independent' };
const lists = (changes: Partial<GridLists> = {}): GridLists => ({
  ...{ chunks: [8], overlaps: [2], fusions: ['flat'], steps: [4] },
  ...changes,
});
const reasons = (of: GridLists, on = clip) => new Map(planGrid(of, on).map(({ id, why }) => [id, why]));

describe('the grid of a sweep', () => {
  it('runs by chunk, then from the cheapest on, each cell once', () => {
    const grid = planGrid(lists({ chunks: [8, 6, 8], overlaps: [3, 2], steps: [4, 2] }), clip);
    expect(grid.map(({ id }) => id)).toEqual([
      'c6-o2-flat-s2',
      'c6-o3-flat-s2',
      'c6-o2-flat-s4',
      'c6-o3-flat-s4',
      'c8-o2-flat-s2',
      'c8-o3-flat-s2',
      'c8-o2-flat-s4',
      'c8-o3-flat-s4',
    ]);
  });

  it('predicts the frames that go through the network', () => {
    const [cell] = planGrid(lists(), clip);
    // 18 frames in windows of 8 that begin at 0, 6 and 10.
    expect(cell).toMatchObject({ forwardFrames: 3 * 8 * 4, factor: 24 / 18, why: undefined });
  });

  it('says of cells that cannot be run why', () => {
    const why = reasons(lists({ chunks: [4, 24], overlaps: [2, 4] }));
    expect(why.get('c4-o2-flat-s4')).toBeUndefined();
    expect(why.get('c4-o4-flat-s4')).toBe('the overlap 4 is not less than the chunk 4');
    expect(why.get('c24-o2-flat-s4')).toMatch(/longer than the excerpt: 17 frames/);
  });

  it('runs no cell that would give the same video as another', () => {
    const one = reasons(lists({ chunks: [18], overlaps: [0, 6], fusions: ['flat', 'triangular'] }));
    expect([...one.values()].filter((why) => why === undefined)).toHaveLength(1);
    expect(one.get('c18-o6-triangular-s4')).toMatch('the same as those of c18-o0-flat-s4');
    // Noise that is laid by chunk and overlap makes them differ.
    const free = reasons(lists({ chunks: [18], overlaps: [0, 6] }), { ...clip, noise: 'freenoise' });
    expect([...free.values()]).toEqual([undefined, undefined]);
    const fused = reasons(lists({ overlaps: [4], fusions: ['flat', 'triangular', 'overlap-linear'] }));
    expect([...fused.values()]).toEqual([undefined, undefined, undefined]);
  });

  it('takes an excerpt of three windows of the largest chunk that any overlap allows', () => {
    const of = lists({ chunks: [8, 12], overlaps: [2, 6] });
    const frames = excerptFrames(of);
    expect(frames).toBe(3 * 12 - 2 * 2 - 1);
    const largest = planGrid(of, { ...clip, frames }).find(({ id }) => id === 'c12-o2-flat-s4');
    expect(largest?.windows).toHaveLength(3);
  });

  it('tells windows and joints in frames of the video', () => {
    const [cell] = planGrid(lists(), clip);
    const { windows, joints, shared, period } = shownWindows(cell!, clip);
    expect(windows.map(({ frames }) => frames[0])).toEqual([-1, 5, 9]);
    expect(joints.length).toBeGreaterThan(1);
    expect(shared).toContain(6);
    expect(period).toBe(6);
    expect(shownWindows(cell!, { ...clip, phaseRotation: true })).toMatchObject({ joints: [], period: undefined });
  });
});
