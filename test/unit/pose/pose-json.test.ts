import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPoseJson, writePoseJson } from '#dist/stages/pose/pose-json.js';
import type { Keypoint, PoseSequence } from '#dist/stages/types.js';
import { figure, random, sequence } from './stick-figure.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pose-json-'));
});
afterAll(() => rm(folder, { recursive: true }));

const uniform = random(1);
const some = (count: number) =>
  Array.from({ length: count }, (): Keypoint => ({ x: uniform() * 1.4 - 0.2, y: uniform(), score: uniform() * 1.3 }));
const poses: PoseSequence = {
  ...sequence([[{ ...figure(0.5), leftHand: some(21), face: some(68) }, figure(1 / 3)], [], [figure(0.1)]]),
  frameRate: { num: 30000, den: 1001 },
};

/** What reading `document` says. */
async function complaint(document: unknown): Promise<string> {
  const path = join(folder, 'bad.json');
  await writeFile(path, typeof document === 'string' ? document : JSON.stringify(document));
  return readPoseJson(path).then(
    () => 'read',
    (error) => `${error.kind} ${error.code}: ${error.message}`,
  );
}

describe('pose.json', () => {
  test('what is read is exactly what was written, one frame a line, nothing else in the folder', async () => {
    const path = join(folder, 'pose.json');
    await writePoseJson(path, poses);
    expect(await readPoseJson(path)).toEqual(poses);
    expect((await readFile(path, 'utf8')).split('\n').filter((line) => line.includes('"people"'))).toHaveLength(3);
    expect(await readdir(folder)).toEqual(['pose.json']);
  });

  test('the example in the documentation has the documented form', async () => {
    const page = await readFile(new URL('../../../docs/pose-json.md', import.meta.url), 'utf8');
    const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] as string;
    const body = JSON.stringify(Array.from({ length: 18 }, () => [0.532, 0.2793, 0.9999]));
    const whole = example.replace(/"body": \[\[.*?"\.\.\. 17 more"\]/, `"body": ${body}`);
    expect(whole).not.toBe(example);
    expect(await complaint(whole)).toBe('read');
  });

  test('errors say where', async () => {
    const triple = [0.5, 0.5, 1];
    const body = Array.from({ length: 18 }, () => triple);
    const person = { body, leftHand: null, rightHand: null, face: null };
    const good = {
      version: 1,
      width: 8,
      height: 8,
      frameRate: { num: 25, den: 1 },
      detector: 'x',
      frames: [{ people: [person] }],
    };
    expect(await complaint(good)).toBe('read');

    const withBody = (changed: unknown) => ({
      ...good,
      frames: [{ people: [] }, { people: [{ ...person, body: changed }] }],
    });
    expect(await complaint('{"version": 1,')).toMatch(/^input pose-json.not-json: .*bad.json: not JSON/);
    expect(await complaint([])).toMatch(/^input pose-json.bad-form: .*the document/);
    expect(await complaint({ ...good, version: 2 })).toMatch(/bad-form: .*: version: /);
    expect(await complaint(withBody([...body.slice(0, 3), [0.5, 'a', 1], ...body.slice(4)]))).toContain(
      'frames[1].people[0].body[3][1]',
    );
    expect(await complaint(withBody(body.slice(1)))).toContain('frames[1].people[0].body');
    expect(await complaint(withBody(body.with(0, [1e6, 0, 1])))).toContain('frames[1].people[0].body[0][0]');
    expect(await complaint({ ...good, frameRate: { num: 25, den: 0 } })).toContain('frameRate.den');
    expect(await complaint({ ...good, width: 0.5 })).toContain('width');
    expect(await complaint({ ...good, extra: 1 })).toContain('extra');
    expect(await complaint({ ...good, frames: [{ people: Array.from({ length: 65 }, () => person) }] })).toContain(
      'frames[0].people',
    );
    expect(await complaint(JSON.stringify(good).replace('"width":8', '"width":1e999'))).toContain('width');
  });

  test('no file, and no folder to write to', async () => {
    await expect(readPoseJson(join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'pose-json.unreadable',
      kind: 'input',
    });
    await expect(writePoseJson(join(folder, 'none', 'pose.json'), poses)).rejects.toMatchObject({
      code: 'pose-json.unwritable',
    });
  });
});
