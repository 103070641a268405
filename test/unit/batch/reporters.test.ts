import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openClipLog } from '#dist/pipeline/batch/clip-log.js';
import type { BatchEvent, BatchResult, ClipOutcome } from '#dist/pipeline/batch/types.js';
import { plainBatchReporter } from '#dist/pipeline/cli/batch-report-plain.js';
import { ttyBatchReporter } from '#dist/pipeline/cli/batch-report-tty.js';
import { makeBatchReporter } from '#dist/pipeline/cli/batch-reporter.js';
import { batchTable } from '#dist/pipeline/cli/batch-table.js';
import { cellsOf, column, cutTo } from '#dist/pipeline/cli/cells.js';

const clip = (name: string, more: Partial<ClipOutcome> = {}): ClipOutcome => ({
  ...{ name, state: 'done', video: 'v.mp4', image: 'i.png', attempts: 1, earlier: false, frames: 48, seconds: 62 },
  ...more,
});
const failed = (name: string): ClipOutcome =>
  clip(name, {
    ...{ state: 'failed', attempts: 2, frames: undefined, seconds: undefined },
    error: {
      code: 'video.no-frames',
      kind: 'input',
      what: 'no frames',
      where: 'b.mp4',
      got: '0',
      hint: 'another file',
    },
  });

const names = { a: 'a', b: 'b\x1b[2J\nx' };
const outcomes = [clip(names.a), failed(names.b)];
const result: BatchResult = {
  ...{ dir: 'out', clips: outcomes, skipped: [], summary: 'out/summary.html', seconds: 120 },
};
const skipped = Array.from({ length: 22 }, (_, i) => ({ name: `${i}.txt`, why: 'not a video' }));

/** A short batch, with the time at which each event comes. */
const batch: [number, BatchEvent][] = [
  [0, { type: 'batch.start', dir: 'out', clips: 3, earlier: 2, skipped }],
  [0, { type: 'clip.start', clip: names.a, attempt: 1 }],
  [0, { type: 'clip.event', clip: names.a, event: { type: 'stage.start', stage: 'denoise', title: 'denoising' } }],
  [5_000, { type: 'clip.start', clip: names.b, attempt: 1 }],
  [
    6_000,
    {
      ...{ type: 'clip.event', clip: names.a },
      event: { type: 'stage.progress', stage: 'denoise', done: 10, total: 20, unit: 'steps', etaSec: 95 },
    },
  ],
  [6_000, { type: 'clip.event', clip: names.a, event: { type: 'note', level: 'info', message: 'ffmpeg 7' } }],
  [7_000, { type: 'clip.event', clip: names.a, event: { type: 'warning', code: 'x', message: 'odd', hint: '--y' } }],
  [
    8_000,
    { type: 'clip.retry', clip: names.b, attempt: 1, delayMs: 2000, code: 'engine.died', what: 'the engine died' },
  ],
  [10_000, { type: 'clip.start', clip: names.b, attempt: 2 }],
  [31_000, { type: 'batch.progress', done: 0.5, failed: 0, total: 3, etaSec: 150 }],
  [60_000, { type: 'clip.end', ...clip(names.a) }],
  [61_000, { type: 'clip.end', ...failed(names.b) }],
  [61_000, { type: 'batch.progress', done: 2, failed: 1, total: 3, etaSec: 40 }],
  [62_000, { type: 'clip.end', ...clip('old', { earlier: true }) }],
  [63_000, { type: 'clip.end', ...clip('c', { state: 'interrupted' }) }],
  [64_000, { type: 'batch.done', ...result }],
];

type Make = (
  output: { write: (text: string) => void },
  now: () => number,
) => { onEvent: (event: BatchEvent) => void; close: () => void };

function play(make: Make, events = batch): { all: string; writes: string[] } {
  const writes: string[] = [];
  const reporter = make({ write: (text) => writes.push(text) }, () => Date.now());
  for (const [at, event] of events) {
    vi.advanceTimersByTime(at - Date.now());
    reporter.onEvent(event);
  }
  reporter.close();
  reporter.onEvent({ type: 'note', level: 'info', message: 'after the end' });
  vi.advanceTimersByTime(1000);
  return { all: writes.join(''), writes };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('plain', () => {
  it('has a line for what happens to a clip, and one every 30 s', () => {
    const lines = play((output, now) => plainBatchReporter(output, 'normal', now)).all.split('\n');
    expect(lines.splice(1, 20)).toEqual(skipped.slice(0, 20).map(({ name }) => `skipped ${name}: not a video`));
    expect(lines).toEqual([
      'batch folder out: 3 clips to animate, 2 finished earlier, 22 skipped',
      'and 2 more',
      'a: started',
      'b?[2J?x: started',
      'a: warning: odd (hint: --y)',
      'b?[2J?x: the engine died (engine.died); attempt 2 in 2 s',
      'b?[2J?x: attempt 2',
      '0/3 clips, 16 %, 2 min 30 s left',
      '[1/3] a: done, 48 frames in 1 min 2 s, 2 min 30 s left',
      '[2/3] b?[2J?x: failed after 2 attempts: no frames (video.no-frames; where b.mp4; got 0), hint: another file',
      '[2/3] c: interrupted',
      'summary page out/summary.html',
      '',
    ]);
  });
  it('has only warnings and failures when quiet', () => {
    expect(play((output, now) => plainBatchReporter(output, 'quiet', now)).all.split('\n')).toEqual([
      'a: warning: odd (hint: --y)',
      '[2/3] b?[2J?x: failed after 2 attempts: no frames (video.no-frames; where b.mp4; got 0), hint: another file',
      '',
    ]);
  });
  it('does not repeat a warning for every clip', () => {
    const events = Array.from({ length: 9 }, (_, i): [number, BatchEvent] => [
      i,
      { type: 'clip.event', clip: `c${i}`, event: { type: 'warning', code: 'x', message: 'odd' } },
    ]);
    expect(play((output, now) => plainBatchReporter(output, 'normal', now), events).all).toBe(
      'c0: warning: odd\nc1: warning: odd\nc2: warning: odd (said no more; the logs have it)\n',
    );
  });
});

describe('terminal', () => {
  const esc = String.fromCharCode(27);

  /** What a terminal shows after `text`: knows only the moves that are used. */
  function screen(text: string): string[] {
    const rows = [''];
    let at = 0;
    for (const [part] of text.matchAll(new RegExp(`${esc}\\[[\\d;?]*[a-zA-Z]|[^${esc}]`, 'gu'))) {
      if (part === '\n') at++;
      else if (part === '\r') continue;
      else if (part.endsWith('A')) at -= Number(part.slice(2, -1));
      else if (part === `${esc}[0J`) rows.splice(at, Number.POSITIVE_INFINITY, '');
      else if (!part.startsWith(esc)) rows[at] += part;
      rows[at] ??= '';
    }
    return rows;
  }
  const tty =
    (columns: number, verbosity: 'quiet' | 'normal' = 'normal'): Make =>
    (output, now) =>
      ttyBatchReporter({ ...output, columns }, verbosity, now);

  it('leaves what has ended, and gives the cursor back', () => {
    const { all } = play(tty(100));
    const lines = screen(all);
    expect(lines.slice(22)).toEqual([
      'warning: a: odd (hint: --y)',
      '↻ b?[2J?x the engine died (engine.died); attempt 2 in 2 s',
      '✓ a 48 frames in 1 min 2 s',
      '✗ b?[2J?x failed after 2 attempts: no frames (video.no-frames; where b.mp4; got 0)',
      '  hint: another file',
      '- c interrupted',
      'summary page out/summary.html',
      '',
    ]);
    expect(all.split(`${esc}[?25l`).length).toBe(2);
    expect(all.endsWith(`${esc}[?25h`)).toBe(true);
  });
  it('shows the batch and the clips at work', () => {
    const upTo = (ms: number) => batch.filter(([at]) => at <= ms);
    const writes: string[] = [];
    const reporter = ttyBatchReporter({ write: (text) => writes.push(text), columns: 100 }, 'normal', () => Date.now());
    for (const [at, event] of upTo(31_000)) {
      vi.advanceTimersByTime(at - Date.now());
      reporter.onEvent(event);
    }
    vi.advanceTimersByTime(80);
    expect(screen(writes.join('')).slice(-3)).toEqual([
      '█████░░░░░░░░░░░░░░░░░░░░░░░░░ 0/3 clips, 2 min 30 s left',
      '  a        denoising ██████░░░░░░ 10/20 steps, 1 min 35 s left',
      '  b?[2J?x  starting (attempt 2)',
    ]);
    reporter.close();
    expect(screen(writes.join('')).at(-1)).toBe('');
  });
  it('draws at most every 80 ms, and shows the last state in the end', () => {
    const writes: string[] = [];
    const reporter = ttyBatchReporter({ write: (text) => writes.push(text), columns: 100 }, 'normal', () => Date.now());
    reporter.onEvent({ type: 'batch.start', dir: 'out', clips: 9, earlier: 0, skipped: [] });
    vi.advanceTimersByTime(100);
    const before = writes.length;
    for (let i = 1; i <= 200; i++) {
      vi.advanceTimersByTime(1);
      reporter.onEvent({ type: 'batch.progress', done: i / 100, failed: 0, total: 9, etaSec: i });
    }
    vi.advanceTimersByTime(80);
    expect(writes.length - before).toBeLessThanOrEqual(4);
    expect(screen(writes.join('')).at(-1)).toContain('3 min 20 s left');
    reporter.close();
  });
  it('never fills a line, and shows no more clips than there is room for', () => {
    const events: [number, BatchEvent][] = [
      [0, { type: 'batch.start', dir: 'out', clips: 50, earlier: 0, skipped: [] }],
      ...Array.from({ length: 12 }, (_, i): [number, BatchEvent] => [
        100,
        { type: 'clip.start', clip: `${i} 一二三四五六七八九十一二三四五六七八九十`, attempt: 1 },
      ]),
      [300, { type: 'batch.progress', done: 0.1, failed: 0, total: 50 }],
    ];
    const { writes } = play(tty(30), events);
    const drawn = screen(writes.slice(0, -1).join('')).slice(1);
    expect(drawn).toHaveLength(10);
    expect(drawn.at(-1)).toBe('  and 4 more');
    for (const line of drawn) expect(cellsOf(line)).toBeLessThan(30);
  });
  it('draws nothing when quiet', () => {
    const { all } = play(tty(100, 'quiet'));
    expect(all).not.toContain('█');
    expect(screen(all)).toEqual([
      'warning: a: odd (hint: --y)',
      '✗ b?[2J?x failed after 2 attempts: no frames (video.no-frames; where b.mp4; got 0)',
      '  hint: another file',
      '',
    ]);
  });
});

it('JSON Lines: each event as it is', () => {
  const { all } = play((output) =>
    makeBatchReporter({ json: true, verbosity: 'normal' }, { stdout: output, stderr: { write: () => {} }, env: {} }),
  );
  const lines = all.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    batch.map(([t, event]) => JSON.parse(JSON.stringify({ v: 1, t, ...event }))),
  );
});

it('columns are counted as a terminal does', () => {
  expect([cellsOf('abc'), cellsOf('一二'), cellsOf('e\u0301'), cellsOf('🕺')]).toEqual([3, 4, 1, 2]);
  expect([cutTo('abcdef', 4), cutTo('一二三', 4), cutTo('abc', 3), cutTo('abc', 0)]).toEqual([
    'abc…',
    '一…',
    'abc',
    '',
  ]);
  expect([column('一二三', 4), column('7', 3, 'right')]).toEqual(['一… ', '  7']);
});

describe('table', () => {
  it('has failed clips first, and totals', () => {
    const clips = [
      clip('walk', { startUpSec: 4.1 }),
      clip('run', { startUpSec: 0.2 }),
      failed('evil\x1b[2J'),
      clip('old', { earlier: true }),
      clip('late', { state: 'interrupted', attempts: 0, frames: undefined, seconds: undefined }),
    ];
    const table = batchTable({ ...result, clips, skipped: skipped.slice(0, 1) }, { color: false });
    expect(table.split('\n')).toEqual([
      'clip      state         frames          time  attempts  start-up',
      'evil?[2J  failed                                     2',
      '  video.no-frames: no frames',
      '  hint: another file',
      'late      interrupted',
      'walk      done              48     1 min 2 s         1     4.1 s',
      'run       done              48     1 min 2 s         1     0.2 s',
      'old       done earlier      48     1 min 2 s         1',
      '0.txt     skipped: not a video',
      '2 done, 1 done earlier, 1 failed, 1 interrupted, 1 skipped; 2 min 0 s in all, 1.00 clips a minute',
      'start-up 4.1 s for the first clip, 0.2 s for the other',
      '',
    ]);
    expect(batchTable(result, { color: true })).toContain('\x1b[31mfailed');
  });
  it('stays readable for a thousand clips', () => {
    const clips = Array.from({ length: 1000 }, (_, i) => (i % 25 === 0 ? failed(`clip ${i}`) : clip(`clip ${i}`)));
    const lines = batchTable({ ...result, clips, skipped }, { color: false }).split('\n');
    expect(lines.filter((line) => line.includes(' failed '))).toHaveLength(40);
    expect(lines).toContain('and 930 more');
    expect(lines).toContain('and 2 more skipped');
    expect(lines.length).toBeLessThan(180);
  });
  it('of nothing is one line', () => {
    expect(batchTable({ ...result, clips: [], seconds: 0 }, { color: false })).toBe('no clips; 0 s in all\n');
  });
});

describe('the log of a clip', () => {
  const dir = () => mkdtempSync(join(tmpdir(), 'clip-log-'));
  it('has every line with its time, and is added to', () => {
    const folder = dir();
    const path = join(folder, 'logs', 'a.log');
    for (const attempt of [1, 2]) {
      const log = openClipLog(path, () => 0);
      log.write(`attempt ${attempt}`);
      log.onEvent({ type: 'stage.start', stage: 'pose', title: 'finding poses' });
      log.onEvent({ type: 'note', level: 'detail', message: 'two\nlines \x1b[2J' });
      log.onEvent({ ...{ type: 'run.error', kind: 'input', exitCode: 3 }, code: 'x.y', what: 'no frames', got: '0' });
      log.close();
      log.close();
      log.write('after the end');
      expect(log.problem()).toBeUndefined();
    }
    const time = '1970-01-01T00:00:00.000Z';
    const more = ' '.repeat(time.length);
    expect(readFileSync(path, 'utf8').split('\n')).toEqual([
      ...[1, 2].flatMap((attempt) => [
        `${time} attempt ${attempt}`,
        `${time} finding poses ...`,
        `${time} two`,
        `${more} lines ?[2J`,
        `${time} error: no frames [x.y]`,
        `${more}   got: 0`,
      ]),
      '',
    ]);
    rmSync(folder, { recursive: true });
  });
  it('never fails the clip', () => {
    const folder = dir();
    writeFileSync(join(folder, 'logs'), 'a file where the folder should be');
    const log = openClipLog(join(folder, 'logs', 'a.log'));
    log.onEvent({ type: 'stage.start', stage: 'pose', title: 'finding poses', reused: true });
    log.close();
    expect(log.problem()).toMatch(/EEXIST|ENOTDIR/);
    rmSync(folder, { recursive: true });
  });
});
