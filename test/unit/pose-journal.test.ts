import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPoseJournal } from '#dist/pipeline/pose-journal.js';
import { detectPoses } from '#dist/stages/pose/detect-poses.js';
import type { Person, PoseFrame, RgbImage } from '#dist/stages/types.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-journal-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const person = (x: number): Person => ({
  body: [{ x, y: 0.1 + 0.2, score: 1 / 3 }],
  leftHand: null,
  rightHand: null,
  face: null,
});
const frame = (x: number): PoseFrame => ({ people: [person(x)] });

async function written(name: string, ...frames: PoseFrame[]): Promise<string> {
  const file = join(folder, name);
  await using journal = await openPoseJournal(file, true);
  for (const one of frames) await journal.add(one);
  return file;
}

async function known(file: string, keep = true): Promise<readonly PoseFrame[]> {
  await using journal = await openPoseJournal(file, keep);
  return journal.known;
}

it('gives back exactly what was added, and goes on behind it', async () => {
  const file = await written('plain', frame(0.1), { people: [] });
  await written('plain', frame(0.3));
  expect(await known(file)).toEqual([frame(0.1), { people: [] }, frame(0.3)]);
  expect(await known(file, false)).toEqual([]);
});

it('half a line, a changed line, and lines in another order end what is known', async () => {
  const half = await written('half', frame(1), frame(2));
  await appendFile(half, 'deadbeefdeadbeef {"peop');
  expect(await known(half)).toHaveLength(2);
  await written('half', frame(3));
  expect(await known(half)).toEqual([frame(1), frame(2), frame(3)]);

  const changed = await written('changed', frame(1), frame(2), frame(3));
  await writeFile(changed, (await readFile(changed, 'utf8')).replace('"x":2', '"x":4'));
  expect(await known(changed)).toEqual([frame(1)]);

  const moved = await written('moved', frame(1), frame(2));
  const lines = (await readFile(moved, 'utf8')).trimEnd().split('\n');
  await writeFile(moved, `${lines.reverse().join('\n')}\n`);
  expect(await known(moved)).toEqual([]);
});

it('pictures whose people are known are not looked at again', async () => {
  const looked: number[] = [];
  const pictures = async function* () {
    for (let i = 0; i < 4; i++) yield { width: 1, height: 1, data: new Uint8Array([i, i, i]) };
  };
  const added: PoseFrame[] = [];
  const detector = {
    name: 'given',
    workers: 2,
    detect: async ({ data }: RgbImage) => {
      looked.push(data[0] as number);
      return [person(data[0] as number)];
    },
  };
  const stream = { width: 1, height: 1, frameRate: { num: 1, den: 1 }, frameCount: 4, frames: pictures() };
  const found = await detectPoses(stream, detector, {
    known: [frame(0), frame(1)],
    onFrame: async (one) => void added.push(one),
  });
  expect(looked).toEqual([2, 3]);
  expect(found.frames).toEqual([0, 1, 2, 3].map(frame));
  expect(added).toEqual([frame(2), frame(3)]);
});
