import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exists } from '#dist/pipeline/files.js';
import { checkSeal, seal } from '#dist/pipeline/sealed-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-seal-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function sealed(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(`${file}.part`, text);
  await seal(`${file}.part`, file);
  return file;
}

it('a sealed file is whole, and one that never was is missing', async () => {
  expect(await checkSeal(await sealed('whole', 'content'))).toBe('whole');
  expect(await checkSeal(join(folder, 'never'))).toBe('missing');
});

it('a changed, cut or empty file, and one without its seal, are damaged and go away', async () => {
  const changed = await sealed('changed', 'content');
  await writeFile(changed, 'Content');
  const empty = await sealed('empty', 'content');
  await truncate(empty);
  const unsealed = await sealed('unsealed', 'content');
  await rm(`${unsealed}.sha256`);
  for (const file of [changed, empty, unsealed]) {
    expect(await checkSeal(file)).toBe('damaged');
    expect(await exists(file)).toBe(false);
  }
});

it('killed between the new seal and the new file, again and again, the old file counts', async () => {
  const file = await sealed('killed', 'step 1');
  for (const step of ['step 2', 'another step 2']) {
    // What `seal` does first; then the process is killed.
    await writeFile(`${file}.part`, step);
    await seal(`${file}.part`, `${file}.elsewhere`);
    const next = await readFile(`${file}.elsewhere.sha256`, 'utf8');
    const before = (await readFile(`${file}.sha256`, 'utf8')).split('\n')[0];
    await writeFile(`${file}.sha256`, [next.split('\n')[0], before].join('\n'));
    expect(await checkSeal(file)).toBe('whole');
  }
  expect(await readFile(file, 'utf8')).toBe('step 1');
});
