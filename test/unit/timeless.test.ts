import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { isTimeless } from '#dist/models/controlnext/timeless.js';
import { fixture } from '../support/fixtures.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-timeless-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function projections(name: string, values: readonly (readonly number[])[]): Promise<boolean> {
  const path = join(folder, `${name}.safetensors`);
  const entries = values.map((data, i) => {
    const name = `down_res.${i}.time_emb_proj.weight`;
    return { name, dtype: 'float32' as const, shape: [1, data.length], data: Float32Array.from(data) };
  });
  await writeSafetensors(path, entries);
  return isTimeless(await openSafetensors(path));
}

test('only weights of exactly zero keep the noise level out', async () => {
  expect(
    await projections('zero', [
      [0, 0],
      [0, -0],
    ]),
  ).toBe(true);
  expect(
    await projections('one', [
      [0, 0],
      [0, 1e-30],
    ]),
  ).toBe(false);
  expect(await projections('missing', [[0, 0]])).toBe(false);
  expect(await isTimeless(await openSafetensors(fixture('model/controlnext.safetensors')))).toBe(false);
});
