import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { scanFolder, videoEndings } from '#dist/pipeline/batch/clip-folder.js';
import { pairClips } from '#dist/pipeline/batch/pairing.js';
import { giveNames, nameKey, namesFor, safeName } from '#dist/pipeline/batch/run-names.js';
import type { Pairing } from '#dist/pipeline/batch/types.js';

/** A folder with these files in it, one byte each. */
async function folder(...files: string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pairing-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'clips'));
  for (const file of files) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), 'x');
  }
  return dir;
}

const names = ({ pairs }: Pairing) => pairs.map(({ name }) => name);
const reasons = ({ skipped }: Pairing) => Object.fromEntries(skipped.map(({ name, why }) => [name, why]));
const shown = ({ pairs }: Pairing, dir: string) =>
  pairs.map(({ name, layer }) => {
    const path = (option: 'video' | 'image') => String(layer.entries.get(option)?.value).replace(`${dir}/`, '');
    return `${name}: ${path('video')} + ${path('image')}`;
  });

async function failure(run: Promise<unknown>): Promise<PantomimeError> {
  const error = await run.then(() => undefined).catch((caught: unknown) => caught);
  if (error instanceof PantomimeError) return error;
  throw error ?? new Error('nothing was thrown');
}

describe('one picture for all', () => {
  it('takes the videos of a folder in natural order, with where they come from', async () => {
    const dir = await folder(
      'hero.png',
      'clips/a10.mp4',
      'clips/a2.MOV',
      'clips/notes.txt',
      'clips/.hidden.mp4',
      'clips/sub/x.mp4',
    );
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'auto' });
    expect(shown(pairing, dir)).toEqual(['a2: clips/a2.MOV + hero.png', 'a10: clips/a10.mp4 + hero.png']);
    const [first] = pairing.pairs;
    expect([...first!.layer.entries]).toEqual([
      ['video', { value: join(dir, 'clips/a2.MOV'), where: join(dir, 'clips/a2.MOV') }],
      ['image', { value: join(dir, 'hero.png'), where: join(dir, 'hero.png') }],
    ]);
    expect(reasons(pairing)).toEqual({
      'notes.txt': 'not a video, by its ending',
      sub: 'a folder; only files directly in the folder are taken',
    });
  });

  it('follows links to files, and says why others are of no use', async () => {
    const dir = await folder('hero.png', 'far/real.mp4', 'clips/empty.mp4');
    const clips = join(dir, 'clips');
    await truncate(join(clips, 'empty.mp4'));
    await symlink(join(dir, 'far/real.mp4'), join(clips, 'link.mp4'));
    await symlink(join(dir, 'nowhere.mp4'), join(clips, 'broken.mp4'));
    await symlink(join(dir, 'far'), join(clips, 'folder.mp4'));
    const pairing = await pairClips({ clips, image: join(dir, 'hero.png'), pair: 'one' });
    expect(names(pairing)).toEqual(['link']);
    expect(reasons(pairing)).toEqual({
      'empty.mp4': 'an empty file',
      'broken.mp4': 'there is no such file',
      'folder.mp4': 'a folder, not a file',
    });
  });

  it('does not animate the picture itself', async () => {
    const dir = await folder('clips/hero.gif', 'clips/a.mp4');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'clips/hero.gif'), pair: 'auto' });
    expect(names(pairing)).toEqual(['a']);
    expect(pairing.skipped).toEqual([]);
  });

  it('takes the only picture of a folder, but not one of several', async () => {
    const dir = await folder('clips/a.mp4', 'refs/hero.png');
    const request = { clips: join(dir, 'clips'), image: join(dir, 'refs'), pair: 'one' } as const;
    expect(shown(await pairClips(request), dir)).toEqual(['a: clips/a.mp4 + refs/hero.png']);
    await writeFile(join(dir, 'refs/other.jpg'), 'x');
    const { code, kind, details } = await failure(pairClips(request));
    expect({ code, kind }).toEqual({ code: 'batch.pair', kind: 'usage' });
    expect(details).toMatchObject({ got: '2 pictures', hint: expect.stringContaining('--pair name') });
  });
});

describe('pictures by name', () => {
  it('pairs equal names and gives reasons on both sides', async () => {
    const dir = await folder(
      ...['dance.mp4', 'Walk.mp4', 'jump.mp4', 'two.mp4'].map((file) => `clips/${file}`),
      ...['dance.png', 'walk.JPG', 'two.png', 'two.webp', 'nobody.png', 'notes.md'].map((file) => `refs/${file}`),
    );
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'refs'), pair: 'auto' });
    expect(shown(pairing, dir)).toEqual([
      'dance: clips/dance.mp4 + refs/dance.png',
      'Walk: clips/Walk.mp4 + refs/walk.JPG',
    ]);
    expect(reasons(pairing)).toEqual({
      'jump.mp4': expect.stringMatching(/^no picture for it: none of jump\.png, \.jpg, .* in .*refs$/),
      'two.mp4': 'more than one picture for it: two.png, two.webp',
      'nobody.png': 'a picture without a clip of its name',
      'notes.md': 'not a picture, by its ending',
    });
  });

  it('lets capitals decide where both spellings are there', async () => {
    const dir = await folder('clips/Dance.mp4', 'clips/dance.mp4', 'refs/Dance.png', 'refs/dance.png');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'refs'), pair: 'name' });
    const files = pairing.pairs.map(({ layer }) => [layer.entries.get('video'), layer.entries.get('image')]);
    expect(files.map((pair) => pair.map((entry) => String(entry?.value).slice(-9, -4)))).toEqual([
      ['dance', 'dance'],
      ['Dance', 'Dance'],
    ]);
    expect(new Set(names(pairing).map(nameKey)).size).toBe(2);
  });

  it('finds clips and pictures in one folder, without a word about the others', async () => {
    const dir = await folder('clips/a.mp4', 'clips/a.png', 'clips/b.gif', 'clips/b.jpg', 'clips/readme.txt');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'clips'), pair: 'auto' });
    expect(shown(pairing, dir)).toEqual(['a: clips/a.mp4 + clips/a.png', 'b: clips/b.gif + clips/b.jpg']);
    expect(pairing.skipped.map(({ name }) => name)).toEqual(['readme.txt', 'readme.txt']);
  });

  it('matches composed with decomposed accents', async () => {
    const dir = await folder('clips/e\u0301te\u0301.mp4', 'refs/\u00e9t\u00e9.png');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'refs'), pair: 'name' });
    expect(names(pairing)).toEqual(['\u00e9t\u00e9']);
  });

  it('needs a folder', async () => {
    const dir = await folder('clips/a.mp4', 'hero.png');
    const run = pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'name' });
    expect(await failure(run)).toMatchObject({ code: 'batch.pair', kind: 'usage' });
  });
});

describe('every picture with every clip', () => {
  it('names both', async () => {
    const dir = await folder('clips/a.mp4', 'clips/b.mp4', 'clips/b.mov', 'refs/x.png', 'refs/y.png', 'refs/y.jpg');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'refs'), pair: 'all' });
    const clips = ['a', 'b-mov', 'b-mp4'];
    expect(names(pairing)).toEqual(clips.flatMap((clip) => ['x', 'y-jpg', 'y-png'].map((ref) => `${clip}--${ref}`)));
  });

  it('tells names apart that would read the same', async () => {
    const dir = await folder('clips/a.mp4', 'clips/a--b.mp4', 'refs/b--c.png', 'refs/c.png');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'refs'), pair: 'all' });
    expect(new Set(names(pairing)).size).toBe(4);
    expect(names(pairing).filter((name) => /^a--b--c-[0-9a-f]{8}$/.test(name))).toHaveLength(2);
  });

  it('is fine with one picture', async () => {
    const dir = await folder('clips/a.mp4', 'hero.png');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'all' });
    expect(names(pairing)).toEqual(['a--hero']);
  });
});

describe('what is not there', () => {
  it.each([
    ['nothing', 'hero.png', 'batch.clips', 'input'],
    ['hero.png', 'hero.png', 'batch.clips', 'usage'],
    ['clips/a.mp4', 'hero.png', 'batch.clips', 'usage'],
    ['nothing.csv', 'hero.png', 'batch.manifest', 'input'],
    ['clips', 'nothing.png', 'batch.image', 'input'],
    ['clips', 'void', 'batch.image', 'input'],
    ['clips', null, 'batch.no-image', 'usage'],
  ])('%s with %s is %s', async (clips, image, code, kind) => {
    const dir = await folder('clips/a.mp4', 'hero.png', 'void/a.txt');
    const request = { clips: join(dir, clips), image: image && join(dir, image), pair: 'auto' } as const;
    expect(await failure(pairClips(request))).toMatchObject({ code, kind });
  });

  it('may be everything', async () => {
    const dir = await folder('hero.png', 'clips/a.txt');
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'auto' });
    expect(pairing).toEqual({ pairs: [], skipped: [{ name: 'a.txt', why: 'not a video, by its ending' }] });
  });
});

describe('run names', () => {
  it.each([
    ['..', 'clip'],
    ['', 'clip'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['a\nb\u202Ec\0', 'a_b_c_'],
    ['.hidden', 'hidden'],
    ['-rf', 'rf'],
    ['end. . ', 'end'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['COM\u00b9', '_COM\u00b9'],
    ['console', 'console'],
    ['work', '_work'],
    ['Lock', '_Lock'],
    ['workout', 'workout'],
    ['work-1-of-2', '_work-1-of-2'],
    ['manifest.jsonl', '_manifest.jsonl'],
    ['Summary of May', '_Summary of May'],
    ['dance.mp4', 'dance-mp4'],
    ['dance.MP4 ', 'dance-MP4'],
    ['dance.png', 'dance-png'],
    ['v1.2', 'v1.2'],
    ['a:b*c?', 'a_b_c_'],
    ['\ud800x', '_x'],
    ['踊り 💃', '踊り 💃'],
  ])('%j is %j', (text, name) => {
    expect(safeName(text)).toBe(name);
    expect(safeName(name)).toBe(name);
  });

  it('cuts long names with a hash of the whole, between characters', () => {
    for (const text of ['x'.repeat(101), '踊'.repeat(90), '💃'.repeat(60), `${'a.'.repeat(80)}mp4`]) {
      const name = safeName(text);
      expect(name.length).toBeLessThanOrEqual(100);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
      expect(name).toMatch(/^[^\p{Cs}]+-[0-9a-f]{10}$/u);
      expect(safeName(`${text}y`)).not.toBe(name);
      expect(safeName(name)).toBe(name);
    }
  });

  it('tells equal stems apart by their endings, whatever the order', async () => {
    const dir = await folder(
      'hero.png',
      ...['dance.mp4', 'dance.mov', 'Dance.webm', 'solo.mp4'].map((file) => `clips/${file}`),
    );
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'auto' });
    expect(names(pairing).sort()).toEqual(['Dance-webm', 'dance-mov', 'dance-mp4', 'solo']);
  });

  it('are unique on every disk, and do not depend on the order', () => {
    const files = ['dance.mp4', 'Dance.mp4', 'DANCE.MP4', 'dance-mp4.avi', 'a:b.mp4', 'a?b.mp4', 'con.mp4', '_con.mp4'];
    const choices = (list: string[]) => list.map((file) => namesFor({ file, id: file }));
    const there = giveNames(choices(files));
    const back = giveNames(choices(files.toReversed()));
    expect(back.names.toReversed()).toEqual(there.names);
    expect(there.clashes).toEqual([]);
    expect(new Set(there.names.map(nameKey)).size).toBe(files.length);
  });

  it('keep the name of a clip that cannot be animated yet', async () => {
    const dir = await folder('hero.png', 'clips/dance.mp4', 'clips/dance.mov');
    await truncate(join(dir, 'clips/dance.mov'));
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'auto' });
    expect(names(pairing)).toEqual(['dance-mp4']);
  });

  it('survive hostile files on a real disk', async () => {
    const hostile = [
      '...mp4',
      'CON.mp4',
      'new\nline.mp4',
      'a\\..\\b.mp4',
      `${'n'.repeat(250)}.mp4`,
      'work.mp4',
      'x.mp4.mp4',
    ];
    // The first is hidden.
    const dir = await folder('hero.png', ...hostile.map((file) => `clips/${file}`));
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'auto' });
    expect(pairing.pairs).toHaveLength(hostile.length - 1);
    for (const name of names(pairing)) {
      expect(dirname(join('/batch', name))).toBe('/batch');
      expect(safeName(name)).toBe(name);
      await mkdir(join(dir, 'batch', name), { recursive: true });
    }
  });
});

describe('thousands of files', () => {
  it('are scanned by name and size', async () => {
    const dir = await folder('hero.png');
    for (let i = 0; i < 5000; i++) await writeFile(join(dir, 'clips', `clip${i}.mp4`), 'x');
    const start = performance.now();
    const pairing = await pairClips({ clips: join(dir, 'clips'), image: join(dir, 'hero.png'), pair: 'auto' });
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(names(pairing)).toEqual(Array.from({ length: 5000 }, (_, i) => `clip${i}`));
  });

  it('of pairs are refused before they fill the memory', async () => {
    const dir = await folder();
    await mkdir(join(dir, 'refs'));
    for (let i = 0; i < 320; i++) {
      await writeFile(join(dir, 'clips', `${i}.mp4`), 'x');
      await writeFile(join(dir, 'refs', `${i}.png`), 'x');
    }
    const run = pairClips({ clips: join(dir, 'clips'), image: join(dir, 'refs'), pair: 'all' });
    expect(await failure(run)).toMatchObject({ code: 'batch.too-many' });
  });

  it('are not read from what is no folder', async () => {
    const dir = await folder('file');
    const request = { dir: join(dir, 'file'), endings: videoEndings, otherwise: 'no' };
    expect(await failure(scanFolder(request))).toMatchObject({ code: 'batch.folder' });
  });
});
