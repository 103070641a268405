import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { parseInterval } from '#dist/pipeline/options/interval-value.js';
import { layerFromFlags, layerFromObject, layerFromSettings } from '#dist/pipeline/options/layer.js';
import { loadOptions } from '#dist/pipeline/options/load.js';
import { findOption, kebabCase, metaOf, normaliseName, suggestOption } from '#dist/pipeline/options/names.js';
import { editDistance, nearestName } from '#dist/pipeline/options/nearest.js';
import { optionsFrom, resolveOptions } from '#dist/pipeline/options/resolve.js';
import { type AnimateInput, optionNames } from '#dist/pipeline/options/schema.js';
import { layerFromYaml } from '#dist/pipeline/options/yaml-layer.js';

const context = 'animate';
const inputs = { image: 'a.png', video: 'b.mp4', model: 'svd' };
const yaml = (text: string) => layerFromYaml(text, 'config.yaml', '/project');

/** The usage error that `run` throws. */
async function usageError(run: () => unknown): Promise<PantomimeError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof PantomimeError && error.kind === 'usage') return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

describe('precedence', () => {
  it('is flags, settings, config, preset, defaults', () => {
    const sources = {
      flags: layerFromFlags({ ...inputs, steps: '1' }),
      settings: layerFromSettings(['steps=2', 'crf=2']),
      config: yaml('steps: 3\ncrf: 3\nchunk: 33'),
      preset: layerFromObject({ steps: 4, crf: 4, chunk: 44, fpsId: 4 }),
      defaults: layerFromObject({ steps: 5, crf: 5, chunk: 55, fpsId: 5, seed: 5 }),
    };
    expect(resolveOptions(sources, context)).toMatchObject({
      steps: 1,
      crf: 2,
      chunk: 33,
      fpsId: 4,
      seed: 5,
      overlap: 6,
    });
  });

  it('lets a stronger source replace how to move, in whatever form', () => {
    const config = yaml('image: a.png\nmodel: svd\nvideo: b.mp4\n');
    const options = resolveOptions({ flags: layerFromFlags({ pose: 'p.json' }), config }, context);
    expect(options).toMatchObject({ pose: 'p.json', video: null, stride: 1 });
  });

  it('takes back what a file says', () => {
    const config = yaml('maxFrames: 10\nsteps: 4');
    const flags = layerFromFlags({ ...inputs, maxFrames: 'auto', steps: 'auto' });
    expect(resolveOptions({ flags, config }, context)).toMatchObject({ maxFrames: null, steps: 25 });
  });
});

describe('defaults that depend on other options', () => {
  const cases: [AnimateInput, object][] = [
    [{}, { steps: 25, stride: 2, guidanceScale: 3, guidanceScaleMin: 3, decodeOverlap: 2 }],
    [{ scheduler: 'ays' }, { steps: 10 }],
    [{ guidanceScale: 2 }, { guidanceScaleMin: 2 }],
    [{ guidanceScaleMin: 1 }, { guidanceScale: 3, guidanceScaleMin: 1 }],
    [{ decodeChunk: 1 }, { decodeOverlap: 0 }],
    [{ preset: 'reference' }, { decodeChunk: 2, align: 'reference', keepReferenceFrame: true, smooth: 0, chunk: 24 }],
    [{ preset: 'fast' }, { steps: 10, scheduler: 'ays', guidanceInterval: '0.28..5.42' }],
    [{ preset: 'fast', guidanceInterval: null }, { guidanceInterval: null }],
  ];
  it.each(cases)('%j', (given, expected) => {
    expect(optionsFrom({ ...inputs, ...given })).toMatchObject(expected);
  });

  it('leaves the seed to the run, which may go on with that of an interrupted one, and keeps a given one', () => {
    expect(optionsFrom(inputs).seed).toBeNull();
    expect(optionsFrom({ ...inputs, seed: 0 }).seed).toBe(0);
  });
});

describe('names and values', () => {
  it('has no two options that share a spelling', () => {
    const all = optionNames.flatMap((name) => [name, ...(metaOf(name).aliases ?? [])].map(normaliseName));
    expect(all.filter((spelling, i) => all.indexOf(spelling) !== i)).toEqual([]);
  });

  it.each([
    ['ref_image_path', 'image'],
    ['--validation_control_video_path', 'video'],
    ['batch_frames', 'chunk'],
    ['sample-stride', 'stride'],
    ['num_inference_steps', 'steps'],
    ['context-length', 'chunk'],
    ['context_overlap', 'overlap'],
    ['cfg', 'guidanceScale'],
    ['max_frame_num', 'maxFrames'],
    ['output_dir', 'output'],
    ['decode_chunk_size', 'decodeChunk'],
    ['noiseAugStrength', 'noiseAugStrength'],
  ])('%s means %s', (spelling, name) => {
    expect(findOption(spelling)).toBe(name);
  });

  it('understands text of the command line', () => {
    const options = resolveOptions(
      {
        flags: layerFromFlags({
          ...inputs,
          start: '1:02.5',
          fps: '30000/1001',
          fusion: 'pyramid',
          guidanceScale: '2.5',
        }),
        settings: layerFromSettings(['audio=off', 'subject=2', 'anchor=true', 'seed=1', 'seed=2']),
      },
      context,
    );
    expect(options).toMatchObject({
      start: 62.5,
      fps: { num: 30000, den: 1001 },
      fusion: 'triangular',
      guidanceScale: 2.5,
      audio: false,
      subject: 2,
      anchor: 'true',
      seed: 2,
    });
  });

  it('reads intervals of noise levels', () => {
    expect(parseInterval('0.28..5.42')).toEqual({ low: 0.28, high: 5.42 });
    expect(parseInterval('3..')).toEqual({ low: 3, high: Number.POSITIVE_INFINITY });
    expect(parseInterval('..3')).toEqual({ low: 0, high: 3 });
    for (const wrong of [
      '..',
      '5..5',
      '5..1',
      '1...5',
      '-1..5',
      '1..x',
      '1',
      ' 1..2',
      '0x1..2',
      `${'9'.repeat(400)}..`,
    ])
      expect(parseInterval(wrong)).toBeUndefined();
  });

  it('reads decimal rates exactly', () => {
    expect(optionsFrom({ ...inputs, fps: 29.97 }).fps).toEqual({ num: 2997, den: 100 });
    expect(optionsFrom({ ...inputs, fps: 25 }).fps).toEqual({ num: 25, den: 1 });
  });

  it.each([
    ['overlp', 'overlap'],
    ['guidence-scale', 'guidance-scale'],
    ['gudiance_scale', 'guidance-scale'],
    ['batch-frame', 'batch-frames'],
    ['qqqqqqqq', undefined],
  ])('for %s suggests %s', (typed, near) => {
    expect(suggestOption(typed)).toBe(near);
  });

  it('counts edits, a swap being one', () => {
    expect([editDistance('abc', 'acb'), editDistance('', 'ab'), editDistance('kitten', 'sitting')]).toEqual([1, 2, 3]);
    expect(nearestName('x'.repeat(100_000), ['y'])).toBeUndefined();
  });

  it('spells flags with dashes', () => {
    expect(optionNames.map(kebabCase).filter((flag) => !/^[a-z]+(-[a-z]+)*$/.test(flag))).toEqual([]);
  });
});

describe('what is refused', () => {
  const bad: [string, object, string, RegExp][] = [
    [
      'overlap as large as the chunk',
      { chunk: 8, overlap: 8 },
      'options.overlap',
      /overlap 8, chunk 8.*expected 0 to 7/,
    ],
    ['default overlap with a small chunk', { chunk: 4 }, 'options.overlap', /overlap 6 \(the default\), chunk 4/],
    ['decode overlap too large', { decodeChunk: 4, decodeOverlap: 4 }, 'options.decode-overlap', /decode-overlap 4/],
    ['a width beyond the limit', { width: 5000 }, 'options.value', /from 8 to 4096/],
    ['a size without bounds', { height: 64_000 }, 'options.value', /got 64000/],
    ['two movements', { pose: 'p.json' }, 'options.movement', /--video and --pose/],
    ['no movement', { video: null }, 'options.movement', /nothing says how to move/],
    ['no picture', { image: null }, 'options.no-image', /no picture/],
    ['no model', { model: null }, 'options.value', /model does not fit/],
    ['another video format', { output: 'x.webm' }, 'options.output-format', /\.webm/],
    ['an option without effect', { motionBucketId: 90 }, 'options.no-effect', /6, 128 and 0.02/],
    ['a name with a NUL', { image: 'a\0b' }, 'options.value', /image does not fit/],
    ['a very long name', { image: 'a'.repeat(5000) }, 'options.value', /image does not fit/],
    ['a rate of nothing', { fps: '0/1' }, 'options.value', /fps does not fit/],
    ['a number as text', { steps: '25' }, 'options.value', /whole number from 1 to 1000/],
    ['a number that is none', { guidanceScale: Number.NaN }, 'options.value', /guidanceScale/],
    ['an unknown preset', { preset: 'best' }, 'options.preset', /"best", expected balanced, reference, fast/],
    ['an interval upside down', { guidanceInterval: '5..1' }, 'options.value', /guidanceInterval.*LO\.\.HI/],
    ['an unknown name', { overlapp: 3 }, 'options.unknown', /no option "overlapp"/],
    ['a name of the language', { constructor: 2 }, 'options.unknown', /no option "constructor"/],
  ];
  it.each(bad)('%s', async (_title, given, code, message) => {
    const error = await usageError(() => optionsFrom({ ...inputs, ...given } as AnimateInput));
    expect(error.message).toMatch(message);
    expect([error.code, error.exitCode]).toEqual([code, 2]);
  });

  it('lists everything that is wrong at once, and where', async () => {
    const flags = layerFromFlags({ ...inputs, steps: 'abc', crf: '99' });
    const settings = layerFromSettings(['foo=1', '=2']);
    const error = await usageError(() => resolveOptions({ flags, settings }, context));
    expect(error.message).toContain('4 things');
    expect(error.message).toContain('--steps: steps does not fit, got "abc", expected a whole number from 1 to 1000');
    expect(error.message).toContain('--crf: crf does not fit, got 99, expected a whole number from 0 to 51');
    expect(error.message).toContain('--set "foo=1": there is no option "foo"');
    expect((error.cause as { problems: unknown[] }).problems).toHaveLength(4);
  });

  it('finds poses only in a video', async () => {
    const purpose = 'pose';
    expect(resolveOptions({ flags: layerFromFlags({ video: 'b.mp4' }) }, purpose).stride).toBe(2);
    expect((await usageError(() => resolveOptions({}, purpose))).code).toBe('options.no-video');
  });
});

describe('YAML', () => {
  const at = async (text: string) =>
    (await usageError(() => resolveOptions({ flags: layerFromFlags(inputs), config: yaml(text) }, context))).message;

  it('names line and column of a wrong value', async () => {
    expect(await at('# comment\nchunk: 8\n\nsteps:   many\n')).toContain(
      'config.yaml:4:10: steps does not fit (got "many"',
    );
  });
  it('names line and column of an unknown key, with the nearest name', async () => {
    const error = await usageError(() =>
      resolveOptions({ flags: layerFromFlags(inputs), config: yaml('a: 1\nguidence_scale: 2') }, context),
    );
    expect(error.message).toContain('config.yaml:2:1: there is no option "guidence_scale"');
    expect(
      (
        await usageError(() =>
          resolveOptions({ config: yaml('guidence_scale: 2'), flags: layerFromFlags(inputs) }, context),
        )
      ).details.hint,
    ).toBe('guidanceScale?');
  });
  it('names the place of a conflict', async () => {
    expect(await at('chunk: 8\noverlap: 12')).toContain('config.yaml:2:10: the overlap must be less');
  });
  it('refuses one option in two spellings', async () => {
    expect(await at('chunk: 8\nbatch_frames: 9')).toContain('config.yaml:2:1: chunk is given twice');
  });
  it.each([
    ['repeated keys', 'chunk: 8\nchunk: 9', 'config.yaml:2:1'],
    ['broken syntax', 'chunk: [1, 2', 'config.yaml:1:'],
    ['a list', '- chunk: 8', 'not a list of options'],
    ['nested values', 'chunk:\n  a: 1', 'chunk must be a single value'],
    ['aliases', 'image: &a x\nvideo: *a', 'video must be a single value'],
  ])('refuses %s', async (_title, text, message) => {
    expect(await at(text)).toContain(message);
  });
  it('means paths from its own folder, and words as words', () => {
    const config = yaml('image: ../a.png\nvideo: /abs/b.mp4\nmodel: svd\noverlay: none\n');
    expect(resolveOptions({ config }, context)).toMatchObject({
      image: '/a.png',
      video: '/abs/b.mp4',
      model: '/project/svd',
      overlay: 'none',
    });
  });
  it('may be empty', () => {
    expect(yaml('').entries.size + yaml('# nothing\n').entries.size).toBe(0);
  });
});

describe('files', () => {
  async function folder(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'pantomime-options-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    return dir;
  }
  const flags = inputs;

  it('reads a config file and the preset it names', async () => {
    const dir = await folder();
    await writeFile(join(dir, 'mine.yaml'), 'steps: 9\nchunk: 12\n');
    await writeFile(join(dir, 'config.yaml'), 'preset: ./mine.yaml\nchunk: 16\n');
    const options = await loadOptions({ flags, settings: [], config: join(dir, 'config.yaml') }, 'animate');
    expect(options).toMatchObject({ steps: 9, chunk: 16, preset: join(dir, 'mine.yaml') });
  });

  it('refuses a preset that names another, a missing file, a folder and a huge file', async () => {
    const dir = await folder();
    await writeFile(join(dir, 'nested.yaml'), 'preset: fast');
    await writeFile(join(dir, 'huge.yaml'), '#'.repeat(300_000));
    const code = async (config: string | undefined, preset?: string) =>
      (await usageError(() => loadOptions({ flags: { ...flags, preset }, settings: [], config }, 'animate'))).code;
    expect(await code(undefined, join(dir, 'nested.yaml'))).toBe('preset.nested');
    expect(await code(undefined, 'nonsense')).toBe('preset.unreadable');
    expect(await code(join(dir, 'none.yaml'))).toBe('config.unreadable');
    expect(await code(dir)).toBe('config.unreadable');
    expect(await code(join(dir, 'huge.yaml'))).toBe('config.unreadable');
  });
});
