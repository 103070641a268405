import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { earlierResult, filesKey, type Job } from '#dist/pipeline/batch/jobs.js';
import type { MemoryChoice } from '#dist/pipeline/memory-choice.js';
import { optionsFrom } from '#dist/pipeline/options/resolve.js';
import { optionNames } from '#dist/pipeline/options/schema.js';
import { repeatableOption } from '#dist/pipeline/repeat.js';
import { unfinishedRun } from '#dist/pipeline/run-store.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-begun-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const memory: MemoryChoice = {
  ...{ residency: 'low-memory', splitGuidance: true, attentionParts: 1, feedForwardParts: 16, windowsTogether: 2 },
  ...{ decodeChunk: 1, decodeTile: 512, chunk: 10, overlap: 2 },
};

it('an unfinished run says how it was begun, and nonsense is not taken up', async () => {
  await mkdir(join(folder, 'work'));
  const begun = async (choice: unknown) => {
    await writeFile(join(folder, 'work', 'begun.json'), JSON.stringify({ seed: 7, memory: choice }));
    return await unfinishedRun(folder);
  };
  expect(await begun(memory)).toEqual({ seed: 7, memory });
  expect((await begun({ ...memory, decodeTile: null, overlap: 0 })).memory).toMatchObject({ decodeTile: null });
  const { chunk, ...without } = memory;
  for (const wrong of [
    without,
    { ...memory, overlap: chunk },
    { ...memory, decodeTile: 'x' },
    { ...memory, chunk: 0.5 },
  ])
    expect((await begun(wrong)).memory).toBeUndefined();
});

it('a batch knows its own results where the memory has made them other than asked for', async () => {
  const runDir = join(folder, 'clip');
  await mkdir(runDir);
  const [image, video] = [join(folder, 'a.png'), join(folder, 'b.mp4')];
  for (const file of [image, video, join(runDir, 'output.mp4')]) await writeFile(file, 'x');
  const job = (changes: object): Job => ({
    ...{ name: 'clip', runDir, movement: video },
    options: optionsFrom({ image, video, model: 'embedded', ...changes }),
  });
  const { options } = job({});
  const did = Object.fromEntries(optionNames.map((name) => [name, repeatableOption(options, name)]));
  const decided = { ...did, chunk: 10, overlap: 2, decodeChunk: 1, decodeOverlap: 0, decodeTile: 512 };
  const fitted = { chunk: 24, overlap: 6, decodeChunk: 8, decodeOverlap: 2, decodeTile: 'auto' };
  const asked = async (changes: object, record: object) => {
    await writeFile(join(runDir, 'run.json'), JSON.stringify({ options: decided, inputs: {}, ...record }));
    return await earlierResult(job(changes), await filesKey(job(changes)));
  };
  expect(await asked({}, { fitted })).toBe('same');
  expect(await asked({ chunk: 10, overlap: 2 }, { fitted })).toBe('same');
  expect(await asked({ chunk: 16 }, { fitted })).toBe('other');
  expect(await asked({}, {})).toBe('other');
});
