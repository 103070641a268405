import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fieldOf } from '#dist/pipeline/options/field.js';
import { kebabCase } from '#dist/pipeline/options/names.js';
import { optionNames } from '#dist/pipeline/options/schema.js';

const main = fileURLToPath(new URL('../../dist/pipeline/cli/main.js', import.meta.url));

type Ended = { code: number | null; stdout: string; stderr: string };

/** Runs the command line as users do, in a process of its own. */
function pantomime(...words: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const inputs = ['a.png', 'b.mp4', '--model', 'svd'];

describe('help', () => {
  it('lists every flag with its default', async () => {
    const { code, stdout, stderr } = await pantomime('animate', '--help');
    expect([code, stderr]).toEqual([0, '']);
    const flat = stdout.replace(/\s+/g, ' ');
    for (const name of optionNames) {
      const { boolean, defaultText } = fieldOf(name);
      const flag = boolean && defaultText === 'on' ? `--no-${kebabCase(name)}` : `--${kebabCase(name)}`;
      const after = flat.slice(flat.indexOf(` ${flag} `));
      expect(flat, flag).toContain(` ${flag} `);
      expect(after.slice(0, after.indexOf(')', after.indexOf('(default:')) + 1), flag).toContain(
        `(default: ${defaultText}`,
      );
    }
  });
  it('of pose leaves out what only animate needs', async () => {
    const { stdout } = await pantomime('help', 'pose');
    expect(stdout).toContain('--pose-model');
    expect(stdout).not.toContain('--guidance-scale');
  });
  it('lists the commands, and the version is that of the package', async () => {
    const { stdout } = await pantomime('--help');
    for (const command of ['animate', 'pose', 'plan', 'character', 'demo', 'help'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect((await pantomime('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('usage errors end with 2, say what to type, and keep stdout clean', () => {
  const cases: [string, string[], RegExp][] = [
    ['an unknown flag', ['animate', ...inputs, '--overlp', '3'], /there is no flag --overlp\n +hint --overlap\n/],
    ['an unknown command', ['animat'], /there is no command animat\n +hint pantomime animate\n/],
    [
      'overlap >= chunk',
      ['animate', ...inputs, '--chunk', '8', '--overlap=8'],
      /overlap must be less than the chunk\n +where --overlap\n +got overlap 8, chunk 8\n +expected 0 to 7\n +hint --overlap 2\n/,
    ],
    [
      'the same in published spelling',
      ['animate', ...inputs, '--batch_frames=8', '--overlap', '9'],
      /got overlap 9, chunk 8/,
    ],
    [
      'a size beyond the limit',
      ['animate', ...inputs, '--width', '5000'],
      /got 5000\n +expected a whole number from 8 to 4096/,
    ],
    ['a missing value', ['animate', ...inputs, '--steps'], /a value is missing after --steps/],
    ['too many arguments', ['animate', 'a', 'b', 'c'], /more arguments than expected/],
    ['a picture given twice', ['animate', 'a', 'b', '--image', 'c'], /image is given twice/],
    ['two presets', ['animate', ...inputs, '--reference', '--preset', 'fast'], /cannot both be meant/],
    ['no inputs', ['animate'], /2 things are wrong with the options\n {2}- nothing says how to move/],
    [
      'an unreadable config',
      ['animate', ...inputs, '--config', 'does-not-exist.yaml'],
      /no such config\n +where does-not-exist.yaml/,
    ],
    ['nothing at all', [], /Usage: pantomime/],
  ];
  it.each(cases)('%s', async (_title, words, message) => {
    const { code, stdout, stderr } = await pantomime(...words);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('inputs that are not there end with 3', () => {
  it('the picture', async () => {
    const { code, stdout, stderr } = await pantomime('plan', 'missing.png', 'missing.mp4', '--model', 'svd');
    expect(stderr).toMatch(/^error: .*\n +where missing\.png\n/m);
    expect([code, stdout]).toEqual([3, '']);
  });
  it('the driving video', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'pantomime-cli-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const picture = join(dir, 'a.png');
    await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } }).toFile(picture);
    const { code, stdout } = await pantomime('plan', picture, 'missing.mp4', '--model', 'svd', '--json');
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      code: 'video.missing',
      where: 'missing.mp4',
    });
    expect(code).toBe(3);
  });
});

describe('character', () => {
  it('draws the same person for the same seed, at the size asked for, and replaces nothing unasked', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'pantomime-cli-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    const [one, other] = [join(dir, 'new', 'one.png'), join(dir, 'other.png')];
    const size = ['--width', '96', '--height=144'];
    const { code, stdout, stderr } = await pantomime('character', '--seed', '7', '--out', one, ...size);
    expect([code, stdout], stderr).toEqual([0, `${one}\n`]);
    expect(await sharp(one).metadata()).toMatchObject({ format: 'png', width: 96, height: 144 });
    await pantomime('character', '--seed', '7', '-o', other, ...size);
    expect((await readFile(one)).equals(await readFile(other))).toBe(true);
    const again = await pantomime('character', '--seed', '8', '--out', one, ...size);
    expect([again.code, again.stdout]).toEqual([2, '']);
    expect((await pantomime('character', '--seed', '8', '--out', one, '-y', ...size)).code).toBe(0);
    expect((await readFile(one)).equals(await readFile(other))).toBe(false);
  });
  it.each([
    [['--seed', 'abc'], /seed does not fit\n +where --seed/],
    [['--seed', '1', '--width', '9999'], /got 9999\n +expected a whole number from 64 to 2048/],
    [['--seed', '1', '--out', 'me.jpg'], /written as PNG/],
    [['--sed', '1'], /there is no flag --sed/],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await pantomime('character', ...words);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

it('with --json the last line is the error with all its fields', async () => {
  const { code, stdout } = await pantomime('animate', ...inputs, '--json', '--overlap', '24');
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(code).toBe(2);
  expect(last).toMatchObject({
    v: 1,
    type: 'run.error',
    code: 'options.overlap',
    kind: 'usage',
    exitCode: 2,
    where: '--overlap',
    expected: '0 to 23',
  });
  expect(last.t).toBeTypeOf('number');
});
