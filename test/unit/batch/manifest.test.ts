import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { pairClips } from '#dist/pipeline/batch/pairing.js';
import type { Pair } from '#dist/pipeline/batch/types.js';

/** A folder with a manifest and these files, one byte each. */
async function folder(manifest: string, text: string | Uint8Array, ...files: string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'manifest-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, manifest), text);
  for (const file of files) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), 'x');
  }
  return dir;
}

type Request = { image?: string; pair?: 'auto' | 'one' | 'name' | 'all' };

const pairs = (dir: string, manifest: string, { image, pair = 'auto' }: Request = {}) =>
  pairClips({ clips: join(dir, manifest), image: image === undefined ? null : join(dir, image), pair });

/** Values and places of a pair, with paths from the folder. */
function plain({ name, layer }: Pair, dir: string) {
  const short = (value: unknown) => (typeof value === 'string' ? value.replaceAll(`${dir}/`, '') : value);
  const options = [...layer.entries].map(([key, { value, where }]) => [key, [short(value), short(where)]]);
  return { name, ...Object.fromEntries(options) };
}

/** The lines of the error that a manifest causes. */
async function complaints(dir: string, manifest: string, request?: Request): Promise<string[]> {
  const error = await pairs(dir, manifest, request).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof PantomimeError) || error.kind !== 'usage') throw error ?? new Error('nothing was thrown');
  return error.message.replaceAll(`${dir}/`, '').split('\n');
}

const files = ['clips/a.mp4', 'clips/b.mov', 'refs/x.png', 'refs/y.png'];

describe('a CSV manifest', () => {
  it('gives clips, pictures, names and options, with lines', async () => {
    const text = [
      '\uFEFFvideo , Image, steps,guidance_scale,hands, name,skip',
      'clips/a.mp4,refs/x.png,12,,no,"first, best",',
      '',
      '"clips/b.mov" ,refs/y.png,,2.5,,,false',
      'clips/c.mp4,refs/y.png,,,,,yes',
    ].join('\r\n');
    const dir = await folder('clips.csv', text, ...files);
    const pairing = await pairs(dir, 'clips.csv');
    expect(pairing.pairs.map((pair) => plain(pair, dir))).toEqual([
      {
        name: 'first, best',
        video: ['clips/a.mp4', 'clips.csv:2'],
        image: ['refs/x.png', 'clips.csv:2'],
        steps: [12, 'clips.csv:2'],
        hands: [false, 'clips.csv:2'],
      },
      {
        name: 'b',
        video: ['clips/b.mov', 'clips.csv:4'],
        image: ['refs/y.png', 'clips.csv:4'],
        guidanceScale: [2.5, 'clips.csv:4'],
      },
    ]);
    expect(pairing.skipped).toEqual([{ name: 'c.mp4', why: `switched off in ${join(dir, 'clips.csv')}:5` }]);
  });

  it.each([
    ['semicolons', ';'],
    ['tabs', '\t'],
  ])('may be parted by %s', async (_, mark) => {
    const dir = await folder('clips.csv', `clip${mark}image\nclips/a.mp4${mark}refs/x.png\n`, ...files);
    expect((await pairs(dir, 'clips.csv')).pairs.map(({ name }) => name)).toEqual(['a']);
  });

  it('lists everything that is wrong, with lines', async () => {
    const text = [
      'clip,image,setps,steps,output,threads,guidance_scale,guidanceScale,name',
      'clips/a.mp4,refs/x.png,1,many,out,2,1,1,',
      '"clips/',
      'b.mov",refs/x.png,,0,,,,,CON',
      'clips/b.mov,refs/x.png,,,,,x,,,,extra',
      ',refs/x.png,,,,,,,',
    ].join('\n');
    const dir = await folder('clips.csv', text, ...files);
    const [head, ...list] = await complaints(dir, 'clips.csv');
    expect(head).toContain('10 things are wrong');
    expect(list.map((line) => line.trim())).toEqual([
      '- clips.csv:1: there is no option "setps"',
      '- clips.csv:1: output is one for the whole batch',
      '- clips.csv:1: threads is one for the whole batch',
      '- clips.csv:1: guidanceScale is given twice',
      '- clips.csv:2: steps does not fit, got "many", expected a whole number from 1 to 1000',
      expect.stringContaining('- clips.csv:3: steps does not fit, got 0'),
      '- clips.csv:3: this cannot be the name of a run folder, got "CON"',
      '- clips.csv:5: more cells than columns, got "extra"',
      expect.stringContaining('- clips.csv:5: guidanceScale does not fit, got "x"'),
      expect.stringContaining('- clips.csv:6: nothing says how to move'),
    ]);
  });

  it.each([
    ['a quote without an end', 'video,image\na,"b\n', /clips\.csv:\d: Quote Not Closed/],
    ['a quote in a cell', 'video,image\na,b"c"\n', /clips\.csv:2: Invalid Opening Quote/],
    ['a row without an end', `video,image\na,"${'x'.repeat(1.1e6)}`, /clips\.csv:2: Max Record Size/],
    ['too many rows', `video\n${'a\n'.repeat(100_001)}`, /too many clips/],
  ])('is refused with %s', async (_, text, message) => {
    const dir = await folder('clips.csv', text);
    expect((await complaints(dir, 'clips.csv')).join('\n')).toMatch(message);
  });

  it('lists the first 20 of many problems', async () => {
    const dir = await folder('clips.csv', `video,steps\n${'a.mp4,x\n'.repeat(3000)}`);
    const lines = await complaints(dir, 'clips.csv', {});
    expect(lines).toHaveLength(22);
    expect(lines[0]).toContain('3000 things are wrong');
    expect(lines.at(-1)).toContain('and 2980 more');
  });
});

const list = `
  - video: clips/a.mp4
    image: refs/x.png
    steps: 12
    max-frames: 30
  - {clip: clips/b.mov, seed: 7, anchor: none, image: null, name: 2026}
  - skip: true
    nonsense: [1, 2]
`;

describe.each([
  [
    'clips.yaml',
    `defaults:\n  image: refs/y.png\n  steps: 3\nclips:${list.replace('nonsense: [1, 2]', 'nonsense: 1')}`,
  ],
  [
    'clips.json',
    JSON.stringify(
      {
        defaults: { image: 'refs/y.png', steps: 3 },
        clips: [
          { video: 'clips/a.mp4', image: 'refs/x.png', steps: 12, 'max-frames': 30 },
          { clip: 'clips/b.mov', seed: 7, image: null, name: 2026 },
          { skip: true, nonsense: 1 },
        ],
      },
      null,
      2,
    ),
  ],
])('%s', (file, given) => {
  const text = given.replace(', anchor: none', '');

  it('gives clips over its defaults', async () => {
    const dir = await folder(file, text, ...files);
    const pairing = await pairs(dir, file);
    const line = (part: string) => text.slice(0, text.indexOf(part)).split('\n').length;
    const [first, second] = pairing.pairs.map((pair) => plain(pair, dir));
    expect(first).toMatchObject({
      name: 'a',
      image: ['refs/x.png', expect.any(String)],
      maxFrames: [30, expect.any(String)],
    });
    expect(first).toMatchObject({ steps: [12, expect.stringMatching(`^${file}:${line('12')}:\\d+$`)] });
    expect(second).toMatchObject({
      name: '2026',
      image: ['refs/y.png', expect.any(String)],
      seed: [7, expect.any(String)],
    });
    expect(second).toMatchObject({ steps: [3, expect.stringMatching(`^${file}:${line(' 3')}:\\d+$`)] });
    expect(pairing.skipped.map(({ why }) => why)).toEqual([expect.stringContaining('switched off in')]);
  });

  it('must be UTF-8', async () => {
    const dir = await folder(file, Uint8Array.of(0x5b, 0xff, 0x5d));
    await expect(pairs(dir, file)).rejects.toMatchObject({ code: 'batch.manifest', kind: 'input' });
  });
});

describe('a JSON or YAML manifest', () => {
  it.each([
    ['wrong values', 'a.json', '[{"video": "a.mp4",\n "steps": "12"}]', 'a.json:2:11: steps does not fit (got "12"'],
    ['names given twice', 'a.json', '[{"video": "a", "clip": "b"}]', 'a.json:1:17: video is given twice'],
    ['names given twice', 'a.yaml', '- steps: 1\n  steps: 2\n  video: a', 'a.yaml:2:3: steps is given twice'],
    ['a list as a value', 'a.json', '[{"video": ["a", {"b": []}]}]', 'a.json:1:3: "video" must be a single value'],
    ['a list as a value', 'a.yml', '- video: [a]', 'a.yml:1:3: "video" must be a single value'],
    ['something else', 'a.json', '[[[1]]]', 'a.json:1:2: this is not a clip'],
    ['something else', 'a.yaml', '- a.mp4', 'a.yaml:1:3: this is not a clip'],
    ['no list', 'a.json', '{}', 'a.json: there is no list of clips'],
    ['no list', 'a.json', '3', 'a.json: there is no list of clips'],
    ['no list', 'a.yaml', '', 'a.yaml: there is no list of clips'],
    ['other parts', 'a.json', '{"clips": [],\n"settings": {"a": [1]}}', 'a.json:2:1: this does not belong here'],
    ['other parts', 'a.yaml', 'clips: []\nsettings: 1', 'a.yaml:2:1: this does not belong here'],
    ['two lists', 'a.json', '{"clips": [], "clips": []}', 'a.json:1:15: this does not belong here'],
    ['two lists', 'a.yaml', 'clips: []\nclips: []', 'a.yaml:2:1: this does not belong here'],
    ['half a file', 'a.json', '[{"video": "a"},\n', 'a.json:2:1: not JSON'],
    ['a slip', 'a.json', '[{"video": "a",\n  video: 1}]', 'a.json:2:3: not JSON'],
    ['a slip', 'a.json', '[{"video": tru}]', 'a.json: not JSON: Unexpected token'],
    ['a slip', 'a.yaml', '- video: "a\n', 'a.yaml:2:1: Missing closing "quote'],
    ['aliases', 'a.yaml', '- &a {video: a}\n- *a', 'a.yaml:2:3: this is not a clip'],
    ['aliases', 'a.yaml', '- video: &a x\n- video: *a', 'a.yaml:2:3: "video" must be a single value'],
    ['merge keys', 'a.yaml', '- &a {video: a}\n- <<: *a', '"<<" must be a single value'],
    ['names in defaults', 'a.yaml', 'defaults: {name: x}\nclips: []', 'a.yaml:1:12: "name" belongs to one clip'],
    ['the output', 'a.json', '[{"video": "a", "out": "b"}]', 'a.json:1:17: output is one for the whole batch'],
    ['the machine', 'a.json', '[{"video": "a", "device": "cpu"}]', 'provider is one for the whole batch'],
    ['two movements', 'a.json', '[{"video": "a", "pose": "b"}]', 'a.json:1:2: more than one thing says how to move'],
    ['no movement', 'a.json', '[{"steps": 1}]', 'a.json:1:2: nothing says how to move'],
    ['a bad skip', 'a.json', '[{"skip": "perhaps"}]', 'skip does not fit'],
    ['a NUL', 'a.json', '[{"video": "a\\u0000b"}]', 'video does not fit'],
    ['a path as name', 'a.json', '[{"video": "a", "name": "../b"}]', 'cannot be the name of a run folder'],
    ['no picture', 'a.json', '[{"video": "clips/a.mp4"}]', 'a.json:1:2: this clip has no picture'],
    ['depth', 'a.json', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'this is not a clip'],
    ['depth', 'a.yaml', '['.repeat(5000), 'a.yaml:1:'],
  ])('is refused with %s (%s)', async (_, file, text, message) => {
    const dir = await folder(file, text, 'clips/a.mp4');
    expect((await complaints(dir, file)).join('\n')).toContain(message);
  });

  it('is bounded in size', async () => {
    const dir = await folder('a.yaml', '');
    await truncate(join(dir, 'a.yaml'), 1024 * 1024 + 1);
    await expect(pairs(dir, 'a.yaml')).rejects.toMatchObject({
      code: 'batch.manifest',
      details: { what: 'the manifest is too large' },
    });
    const many = await folder('a.json', `[${'{},'.repeat(100_001)}{}]`);
    expect((await complaints(many, 'a.json')).join('\n')).toContain('too many clips');
  });

  it('is refused with a name given ever again', async () => {
    const dir = await folder('a.json', `[{"video": "a"${', "steps": 1'.repeat(200_000)}}]`);
    expect((await complaints(dir, 'a.json')).join('\n')).toMatch(/^199999 things.*steps is given twice/s);
  });

  it('is read quickly, with thousands of clips', async () => {
    const clips = Array.from({ length: 20_000 }, (_, i) => ({
      video: `clips/c${i}.mp4`,
      image: 'refs/x.png',
      seed: i,
    }));
    const dir = await folder('a.json', JSON.stringify(clips), 'refs/x.png', 'clips/c19999.mp4');
    const start = performance.now();
    const { pairs: found, skipped } = await pairs(dir, 'a.json');
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(found.map(({ name }) => name)).toEqual(['c19999']);
    expect(skipped).toHaveLength(19_999);
    expect(skipped[0]).toEqual({ name: 'clips/c0.mp4', why: 'there is no such file' });
  });
});

describe('clips of a manifest', () => {
  it('that are not there, or whose picture is not, are left out with the reason', async () => {
    const text =
      'video,image\nclips/a.mp4,refs/x.png\nclips/gone.mp4,refs/x.png\nclips/b.mov,refs/gone.png\nclips,refs/x.png\n';
    const dir = await folder('clips.csv', text, ...files);
    const { pairs: found, skipped } = await pairs(dir, 'clips.csv');
    expect(found.map(({ name }) => name)).toEqual(['a']);
    expect(skipped).toEqual([
      { name: 'clips/gone.mp4', why: 'there is no such file' },
      { name: 'clips/b.mov', why: 'its picture refs/gone.png: there is no such file' },
      { name: 'clips', why: 'a folder, not a file' },
    ]);
  });

  it('take the picture of the batch where they name none', async () => {
    const dir = await folder('clips.csv', 'video,image\nclips/a.mp4,\nclips/b.mov,refs/y.png\n', ...files);
    const { pairs: found } = await pairs(dir, 'clips.csv', { image: 'refs/x.png' });
    expect(found.map((pair) => plain(pair, dir).image[0])).toEqual(['refs/x.png', 'refs/y.png']);
  });

  it('are paired with a folder of pictures by name, or with all of it', async () => {
    const dir = await folder(
      'clips.csv',
      'video,name\nclips/a.mp4,\nclips/b.mov,special\n',
      ...files,
      'more/a.png',
      'more/c.png',
    );
    const byName = await pairs(dir, 'clips.csv', { image: 'more' });
    expect(byName.pairs.map(({ name }) => name)).toEqual(['a']);
    expect(byName.skipped.map(({ name }) => name)).toEqual(['special', 'c.png']);
    const all = await pairs(dir, 'clips.csv', { image: 'more', pair: 'all' });
    expect(all.pairs.map(({ name }) => name)).toEqual(['a--a', 'a--c', 'special--a', 'special--c']);
  });

  it('may be poses or skeleton videos, or folders of skeleton pictures', async () => {
    const text =
      '- {pose: runs/one/pose.json}\n- {pose: runs/two/pose.json}\n- {controlVideo: frames}\n- {control-video: sk.mp4}\n';
    const paths = ['runs/one/pose.json', 'runs/two/pose.json', 'frames/1.png', 'sk.mp4', 'x.png'];
    const dir = await folder('clips.yaml', text, ...paths);
    const { pairs: found, skipped } = await pairs(dir, 'clips.yaml', { image: 'x.png' });
    expect(skipped).toEqual([]);
    expect(found.map(({ name }) => name)).toEqual(['one-pose-json', 'two-pose-json', 'frames', 'sk']);
    expect(found.map(({ layer }) => [...layer.entries.keys()][0])).toEqual([
      'pose',
      'pose',
      'controlVideo',
      'controlVideo',
    ]);
  });

  it('have names of their own, with the folder or the picture where needed', async () => {
    const text = [
      'video,image',
      'left/walk.mp4,refs/x.png',
      'right/walk.mp4,refs/x.png',
      'clips/a.mp4,refs/x.png',
      'clips/a.mp4,refs/y.png',
    ].join('\n');
    const dir = await folder('clips.csv', text, ...files, 'left/walk.mp4', 'right/walk.mp4');
    const { pairs: found } = await pairs(dir, 'clips.csv');
    expect(found.map(({ name }) => name)).toEqual(['left-walk-mp4', 'right-walk-mp4', 'a--x', 'a--y']);
  });

  it('must not be the same, or have one name', async () => {
    const text =
      'video,image,name\nclips/a.mp4,refs/x.png,\nclips/a.mp4,refs/x.png,\nclips/a.mp4,refs/x.png,One\nclips/b.mov,refs/x.png,one\n';
    const dir = await folder('clips.csv', text, ...files);
    const [, ...list] = await complaints(dir, 'clips.csv');
    expect(list.map((line) => line.trim())).toEqual(
      [
        '- clips.csv:3: the same clip and picture as clips.csv:2',
        '- clips.csv:5: the same name as clips.csv:4, got "one"',
      ].map((line) => line.replace('"one"', 'one')),
    );
  });

  it('give way to a name that somebody chose', async () => {
    const text = 'video,image,name\nclips/a.mp4,refs/x.png,\nclips/b.mov,refs/x.png,a\n';
    const dir = await folder('clips.csv', text, ...files);
    const { pairs: found } = await pairs(dir, 'clips.csv');
    expect(found.map(({ name }) => name)).toEqual([expect.stringMatching(/^a-[0-9a-f]{8}$/), 'a']);
  });
});
