import { describe, expect, it } from 'vitest';
import { overallProgress } from '#dist/pipeline/batch/overall-progress.js';
import type { BatchEvent, ClipState } from '#dist/pipeline/batch/types.js';
import type { StageName } from '#dist/pipeline/events.js';

const start = (clip: string, attempt = 1): BatchEvent => ({ type: 'clip.start', clip, attempt });
const progress = (clip: string, stage: StageName, done: number, total: number | undefined = 10): BatchEvent => ({
  type: 'clip.event',
  clip,
  event: { type: 'stage.progress', stage, done, total, unit: 'frames' },
});
const stageDone = (clip: string, stage: StageName): BatchEvent => ({
  type: 'clip.event',
  clip,
  event: { type: 'stage.done', stage, ms: 5 },
});
const end = (name: string, state: ClipState, earlier = false): BatchEvent => ({
  ...{ type: 'clip.end', name, state, video: 'v', image: 'i', attempts: 1, earlier },
});

describe('overall progress', () => {
  it('counts clips under way by the weights of their stages', () => {
    const see = overallProgress(4);
    expect(see(start('a'))).toEqual({ done: 0, failed: 0, total: 4 });
    expect(see(progress('a', 'pose', 5)).done).toBeCloseTo(0.125);
    expect(see(stageDone('a', 'align')).done).toBeCloseTo(0.13);
    see(start('b'));
    expect(see(progress('b', 'pose', 10)).done).toBeCloseTo(0.38);
    // Poses that were not needed, or taken from an earlier run without a word, count as done.
    expect(see(progress('a', 'denoise', 5)).done).toBeCloseTo(0.25 + 0.275 + 0.005 + 0.25);
    expect(see(end('a', 'done')).done).toBeCloseTo(1.25);
    expect(see(end('b', 'failed'))).toMatchObject({ done: 2, failed: 1 });
  });
  it('never falls within an attempt, and starts anew with the next', () => {
    const see = overallProgress(1);
    see(start('a'));
    const before = see(progress('a', 'denoise', 5)).done;
    expect(see(progress('a', 'pose', 1)).done).toBe(before);
    expect(see(progress('a', 'denoise', 1)).done).toBe(before);
    expect(see(progress('a', 'denoise', 3, undefined)).done).toBe(before);
    expect(see(start('a', 2)).done).toBe(0);
  });
  it('does not count interrupted clips, nor those of an earlier call', () => {
    const see = overallProgress(2);
    expect(see(end('old', 'done', true)).done).toBe(0);
    see(start('a'));
    expect(see(end('a', 'interrupted'))).toMatchObject({ done: 0, failed: 0 });
  });
  it('estimates from the pace, once a clip has come to the long stages', () => {
    let ms = 0;
    const see = overallProgress(10, () => ms);
    see(start('a'));
    ms = 5000;
    expect(see(progress('a', 'pose', 10)).etaSec).toBeUndefined();
    ms = 10_000;
    expect(see(progress('a', 'denoise', 1)).etaSec).toBeGreaterThan(0);
    for (let i = 1; i <= 8; i++) {
      ms = 10_000 + i * 1000;
      see(end(`clip ${i}`, 'done'));
    }
    expect(see(end('a', 'done')).etaSec).toBeCloseTo(1, 0);
  });
});
