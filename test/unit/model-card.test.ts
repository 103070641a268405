import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readModelCard } from '#dist/pipeline/model-card.js';
import { loadOptions, optionsOfCall } from '#dist/pipeline/options/load.js';

const domain = 'This model only knows drawn cats; a photo will not work.';

/** A model folder with nothing in it but a card. */
async function folderWith(card: unknown): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pantomime-card-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  if (card !== undefined)
    await writeFile(join(dir, 'pantomime.json'), typeof card === 'string' ? card : JSON.stringify(card));
  return dir;
}

describe('the card of a model', () => {
  const inputs = { image: 'a.png', video: 'b.mp4' };

  it('decides below presets and users, above the usual defaults', async () => {
    const defaults = { steps: 11, guidanceScale: 1.5, chunk: 8, overlap: 2, width: 128, height: 192, align: 'none' };
    const model = await folderWith({ domain, defaults, minReconstructionDb: 28 });
    const own = { steps: 11, guidanceScale: 1.5, chunk: 8, overlap: 2, width: 128, height: 192, align: 'none' };
    expect(await optionsOfCall({ ...inputs, model })).toMatchObject(own);
    expect(await optionsOfCall({ ...inputs, model, chunk: 12 })).toMatchObject({ ...own, chunk: 12 });
    expect(await optionsOfCall({ ...inputs, model, preset: 'fast' })).toMatchObject({ ...own, steps: 10 });
    const line = { flags: { ...inputs, steps: '3' }, settings: ['overlap=1', `model=${model}`], config: undefined };
    expect(await loadOptions(line, 'animate', { chunk: 6 })).toMatchObject({ ...own, steps: 3, overlap: 1, chunk: 6 });
    // Poses are found without a model.
    expect((await optionsOfCall({ ...inputs, model }, 'pose')).steps).toBe(25);
  });

  it('need not be there, nor say more than its domain', async () => {
    expect(await readModelCard(await folderWith(undefined))).toBeUndefined();
    expect(await readModelCard(await folderWith({ domain }))).toMatchObject({ domain, minReconstructionDb: undefined });
  });

  it.each([
    ['no JSON', '{', 'model.json', /JSON/],
    ['no domain', {}, 'model.card', /domain/],
    ['a key that is none', { domain, extra: 1 }, 'model.card', /extra/],
    ['escape sequences for the terminal', { domain: 'a\u001b[2Jb' }, 'model.card', /domain: a control character/],
    ['several lines', { domain: 'a\nb' }, 'model.card', /domain/],
    ['a long text', { domain: 'a'.repeat(501) }, 'model.card', /domain/],
    ['a limit that is none', { domain, minReconstructionDb: '30' }, 'model.card', /minReconstructionDb/],
    ['an unknown option', { domain, defaults: { stepps: 3 } }, 'model.card', /no option "stepps"/],
    ['a wrong value', { domain, defaults: { steps: 0 } }, 'model.card', /steps is 0, expected a whole number from 1/],
    ['a program to run', { domain, defaults: { ffmpeg: '/tmp/evil' } }, 'model.card', /cannot decide ffmpeg/],
    [
      'a place to write',
      { domain, defaults: { output: '/etc', overwrite: true } },
      'model.card',
      /decide output; .*overwr/,
    ],
    ['files of its own', { domain, defaults: { overlay: '/etc/passwd' } }, 'model.card', /cannot decide overlay/],
    ['nested values', { domain, defaults: { steps: { a: 1 } } }, 'model.card', /defaults\.steps/],
    ['a name of the language', '{"domain":"a","defaults":{"constructor":1}}', 'model.card', /constructor/],
  ])('is refused with %s', async (_title, card, code, message) => {
    const model = await folderWith(card);
    const error = await readModelCard(model).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, kind: 'model', message: expect.stringMatching(message) });
    await expect(optionsOfCall({ ...inputs, model })).rejects.toMatchObject({ code });
  });

  it('is refused when it is a pipe or a folder', async () => {
    const model = await folderWith(undefined);
    execFileSync('mkfifo', [join(model, 'pantomime.json')]);
    await expect(readModelCard(model)).rejects.toMatchObject({ code: 'model.card' });
  });
});
