import { describe, expect, it } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { formatError } from '#dist/pipeline/cli/format-error.js';
import { jsonlReporter } from '#dist/pipeline/cli/report-jsonl.js';
import { ttyReporter } from '#dist/pipeline/cli/report-tty.js';
import { isInteractive } from '#dist/pipeline/cli/reporter.js';
import { etaEstimator, type ProgressEvent } from '#dist/pipeline/events.js';
import { runError, toPantomimeError } from '#dist/pipeline/explain-error.js';
import { plainReporter } from '#dist/pipeline/progress/report-plain.js';
import { formatDuration, formatSeconds } from '#dist/pipeline/progress/report-text.js';

const progress = (done: number): ProgressEvent => ({
  type: 'stage.progress',
  stage: 'denoise',
  done,
  total: 20,
  unit: 'steps',
  etaSec: 95,
});

/** A short run, with the time at which each event comes. */
const run: [number, ProgressEvent][] = [
  [0, { type: 'run.start', command: 'animate', runDir: 'outputs/x', seed: 5 }],
  [0, { type: 'note', level: 'info', message: 'ffmpeg 7' }],
  [0, { type: 'note', level: 'detail', message: 'found at /usr/bin/ffmpeg' }],
  [0, { type: 'stage.start', stage: 'pose', title: 'finding poses', reused: true }],
  [0, { type: 'stage.done', stage: 'pose', ms: 1 }],
  [100, { type: 'stage.start', stage: 'denoise', title: 'denoising' }],
  [1_000, progress(1)],
  [1_010, progress(2)],
  [11_000, progress(10)],
  [12_000, progress(11)],
  [13_000, { type: 'warning', code: 'x', message: 'odd\x1b[2J', hint: '--y' }],
  [20_100, { type: 'stage.done', stage: 'denoise', ms: 20_000 }],
  [
    20_200,
    { type: 'run.done', runDir: 'outputs/x', outputs: { video: 'outputs/x/output.mp4' }, frames: 16, seconds: 75 },
  ],
];

/** Something done beside something else. */
const overlapping: [number, ProgressEvent][] = [
  [0, { type: 'stage.start', stage: 'encode', title: 'drawing the poses' }],
  [100, { type: 'stage.start', stage: 'denoise', title: 'denoising' }],
  [200, progress(1)],
  [300, { type: 'stage.done', stage: 'encode', ms: 300 }],
  [400, progress(2)],
  [900, { type: 'stage.done', stage: 'denoise', ms: 800 }],
];

function play(
  make: (
    output: { write: (text: string) => void },
    now: () => number,
  ) => { onEvent: (event: ProgressEvent) => void; close: () => void },
  events = run,
): string {
  let [written, ms] = ['', 0];
  const reporter = make(
    {
      write: (text) => {
        written += text;
      },
    },
    () => ms,
  );
  for (const [at, event] of events) {
    ms = at;
    reporter.onEvent(event);
  }
  reporter.close();
  reporter.onEvent({ type: 'note', level: 'info', message: 'after the end' });
  return written;
}

describe('plain', () => {
  it('has one line a stage and one every ten seconds', () => {
    expect(play((output, now) => plainReporter(output, 'normal', now)).split('\n')).toEqual([
      'run folder outputs/x, seed 5',
      'ffmpeg 7',
      'finding poses: reused',
      'denoising: 10/20 steps, 1 min 35 s left',
      'warning: odd?[2J (hint: --y)',
      'denoising: done in 20 s',
      '16 frames in 1 min 15 s',
      '',
    ]);
  });
  it('knows stages that overlap apart', () => {
    expect(play((output, now) => plainReporter(output, 'normal', now), overlapping)).toBe(
      'drawing the poses: done in 0.3 s\ndenoising: done in 0.8 s\n',
    );
  });
  it('has only warnings when quiet, and details when verbose', () => {
    expect(play((output, now) => plainReporter(output, 'quiet', now))).toBe('warning: odd?[2J (hint: --y)\n');
    expect(play((output, now) => plainReporter(output, 'verbose', now))).toContain('found at /usr/bin/ffmpeg\n');
  });
});

describe('terminal', () => {
  const clear = '\r\x1b[2K';
  /** Colours and cursor switches. */
  const codes = new RegExp(`${String.fromCharCode(27)}\\[[\\d;?]*[a-zA-Z]`, 'g');
  /** What is left on the screen: a carriage return and clear starts the line anew. */
  const screen = (text: string) => text.split('\n').map((line) => line.split(clear).at(-1)?.replace(codes, ''));

  it('leaves one line a stage', () => {
    const written = play((output, now) => ttyReporter({ ...output, columns: 80 }, 'normal', now));
    expect(screen(written)).toEqual([
      'run folder outputs/x, seed 5',
      'ffmpeg 7',
      '✓ finding poses reused',
      'warning: odd?[2J (hint: --y)',
      '✓ denoising 20 s',
      '✓ 16 frames in 1 min 15 s',
      '',
    ]);
    expect(written).toContain('denoising ████████████░░░░░░░░░░░░ 10/20 steps, 1 min 35 s left');
    // 10 ms after the one before: not worth drawing.
    expect(written).not.toContain(' 2/20');
    expect(written.split('\x1b[?25l').length).toBe(written.split('\x1b[?25h').length);
  });
  it('shows of stages that overlap the one that tells how far it is', () => {
    const written = play((output, now) => ttyReporter({ ...output, columns: 80 }, 'normal', now), overlapping);
    expect(screen(written)).toEqual(['✓ drawing the poses 0.3 s', '✓ denoising 0.8 s', '']);
    const drawn = written.split(clear).map((line) => line.replace(codes, '').trim());
    expect(drawn).toContain('drawing the poses ...');
    expect(drawn.filter((line) => /^denoising █░+ 1\/20 steps/.test(line)).length).toBeGreaterThan(0);
  });
  it('never fills a line', () => {
    const written = play((output, now) => ttyReporter({ ...output, columns: 30 }, 'normal', now));
    const bars = written
      .split(clear)
      .flatMap((part) => part.split('\n'))
      .filter((part) => part.includes('█') || part.includes('░'));
    expect(bars.length).toBeGreaterThan(0);
    for (const bar of bars) expect(bar.length).toBeLessThan(30);
  });
  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: false }, {}, false],
    [{}, {}, false],
    [{ isTTY: true }, { CI: '1' }, false],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
  ])('%j with %j: %s', (stream, env, expected) => {
    expect(isInteractive({ write: () => {}, ...stream }, env)).toBe(expected);
  });
});

it('JSON Lines: version, time, then the event as it is', () => {
  const lines = play((output, now) => jsonlReporter(output, now))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual(run.map(([t, event]) => ({ v: 1, t, ...event })));
});

it('times read well', () => {
  expect([0, 59.4, 60, 3599, 7325].map(formatSeconds)).toEqual([
    '0 s',
    '59 s',
    '1 min 0 s',
    '59 min 59 s',
    '2 h 2 min',
  ]);
  expect([40, 9_900, 61_000].map(formatDuration)).toEqual(['0.0 s', '9.9 s', '1 min 1 s']);
});

describe('errors', () => {
  const error = new PantomimeError({
    code: 'a.b',
    kind: 'input',
    what: 'no frames',
    where: 'x.mp4',
    got: '0',
    expected: '1 or more',
    hint: 'another file',
  });
  it('have one anatomy', () => {
    expect(formatError(error, { color: false, stack: false })).toBe(
      'error: no frames\n     where x.mp4\n       got 0\n  expected 1 or more\n      hint another file\n',
    );
    expect(formatError(error, { color: true, stack: true })).toContain('\x1b[');
  });
  it('as an event keep every field', () => {
    expect(runError(error, 3)).toMatchObject({
      type: 'run.error',
      code: 'a.b',
      kind: 'input',
      exitCode: 3,
      what: 'no frames',
      where: 'x.mp4',
      got: '0',
      expected: '1 or more',
      hint: 'another file',
    });
  });
  it('from elsewhere get a kind', () => {
    const system = (code: string) => Object.assign(new Error('system'), { code, path: '/x' });
    const aborted = AbortSignal.abort();
    expect(toPantomimeError(error)).toBe(error);
    expect(toPantomimeError(aborted.reason, aborted)).toMatchObject({ kind: 'interrupted', exitCode: 130 });
    expect(toPantomimeError(system('ENOSPC'))).toMatchObject({ code: 'output.no-space', exitCode: 3 });
    expect(toPantomimeError(system('EACCES'))).toMatchObject({ code: 'file.no-permission', exitCode: 3 });
    expect(toPantomimeError(new TypeError('x'))).toMatchObject({ kind: 'internal', exitCode: 1 });
    expect(toPantomimeError('text')).toMatchObject({ kind: 'internal' });
  });
});

describe('the estimate of the time left', () => {
  it('follows the recent pace and forgets a slow start', () => {
    let ms = 0;
    const eta = etaEstimator(() => ms);
    ms = 60_000;
    expect(eta(1, 11)).toBe(600);
    for (let done = 2; done <= 10; done++) {
      ms += 1000;
      eta(done, 11);
    }
    ms += 0;
    expect(eta(10, 11)).toBeCloseTo(1, 1);
  });
  it('says nothing while it cannot tell', () => {
    let ms = 0;
    const eta = etaEstimator(() => ms);
    ms = 100;
    expect(eta(1, 10)).toBeUndefined();
    ms = 5000;
    expect(eta(2)).toBeUndefined();
    expect(etaEstimator(() => ms)(0, 10)).toBeUndefined();
  });
  it('stays bounded and right over many advances', () => {
    let ms = 0;
    const eta = etaEstimator(() => ms);
    let left: number | undefined;
    for (let done = 1; done <= 5000; done++) {
      ms += 10;
      left = eta(done, 10_000);
    }
    expect(left).toBeCloseTo(50, 5);
  });
});
