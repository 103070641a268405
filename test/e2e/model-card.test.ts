import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventsOf, makeFolder, model, pantomime, readJson, removeFolder, sample, small, words } from './program.js';

const domain = 'This model only knows noise; a photo will not work.';
let folder: string;
let carded: string;

beforeAll(async () => {
  folder = await makeFolder();
  carded = join(folder, 'model');
  await cp(model, carded, { recursive: true });
  const defaults = { steps: 2, chunk: 3, overlap: 1, width: 128, height: 64 };
  const card = { domain, defaults, minReconstructionDb: 60 };
  await writeFile(join(carded, 'pantomime.json'), JSON.stringify(card));
});
afterAll(() => removeFolder(folder));

it('is what the plan follows and says', async () => {
  const { code, stdout, stderr } = await pantomime(
    'plan',
    sample.image,
    sample.video,
    '--model',
    carded,
    '--chunk',
    '5',
  );
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^video +128x64, /m);
  expect(stdout).toMatch(/^sampling +2 steps /m);
  expect(stdout).toMatch(/^windows +\d+ of 5 frames, overlap 1, /m);
  expect(stdout).toContain(`note: ${domain}`);
});

it('warns of a picture that the model does not know the like of, before the poses are found, and records both', async () => {
  const options = { ...small, ...sample, model: carded, maxFrames: 2, output: join(folder, 'run') };
  const { code, stdout, stderr } = await pantomime('animate', ...words(options), '--json');
  expect(code, stderr).toBe(0);
  const events = eventsOf(stdout);
  expect(events).toContainEqual(expect.objectContaining({ type: 'note', message: domain }));
  const warned = events.findIndex(({ type }) => type === 'warning');
  expect(events[warned]).toMatchObject({
    code: 'picture.domain',
    message: expect.stringMatching(/ida\.png: .* unlike .* [\d.]+ dB, and 60 dB/),
    hint: domain,
  });
  expect(warned).toBeLessThan(events.findIndex(({ stage }) => stage === 'pose'));
  const record = await readJson(join(folder, 'run', 'run.json'));
  expect(record).toMatchObject({ model: { domain }, reconstructionDb: expect.any(Number) });
});
