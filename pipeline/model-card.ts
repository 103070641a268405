import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../models/checkpoint/json-file.js';
import { PantomimeError } from '../models/errors.js';
import { fieldOf } from './options/field.js';
import { layerFromObject, type OptionLayer } from './options/layer.js';
import { metaOf } from './options/names.js';
import type { OptionGroup } from './options/option-meta.js';
import { showValue } from './options/problem.js';
import { type OptionName, optionsSchema } from './options/schema.js';

/** What a model folder says of itself in its `pantomime.json`. */
export type ModelCard = {
  /** What the model can do and what not, one sentence for people. */
  readonly domain: string;
  /** Options that suit the model: weaker than a preset and anything a user writes. */
  readonly defaults: OptionLayer;
  /**
   * PSNR in dB that the model's VAE should reach on a picture it knows the like of; a picture that comes back worse from
   * encoding and decoding is outside the domain.
   */
  readonly minReconstructionDb: number | undefined;
};

export const cardName = 'pantomime.json';

/** One line of text, without the control characters that would do something to a terminal. */
const sentence = z
  .string()
  .min(1)
  .max(500)
  .refine((value) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value), 'a control character');

const cardSchema = z.strictObject({
  domain: sentence,
  defaults: z.record(z.string().max(64), z.union([z.string().max(64), z.number(), z.boolean()])).optional(),
  minReconstructionDb: z.number().min(0).max(100).optional(),
});

/**
 * What a card may decide: how the network is run. Never files, programs, the device or what is overwritten, since cards come
 * with downloaded models.
 */
const allowedGroups: ReadonlySet<OptionGroup> = new Set([
  'Pose',
  'Size and sampling',
  'Windows',
  'Conditioning',
  'Decoding',
]);
const alsoAllowed: ReadonlySet<OptionName> = new Set(['stride', 'fps']);

/**
 * Reads the card of a model folder; undefined where there is none. Throws PantomimeError `model.card` that lists everything
 * that is wrong in it, `model.json` when it is no JSON.
 */
export async function readModelCard(dir: string): Promise<ModelCard | undefined> {
  const path = join(dir, cardName);
  const info = await stat(path).catch(() => undefined);
  if (!info) return undefined;
  // A pipe would be waited for.
  if (!info.isFile()) throw cardError(path, ['it is not a file']);
  const parsed = cardSchema.safeParse(await readJsonFile(path));
  if (!parsed.success) {
    throw cardError(
      path,
      parsed.error.issues.map(({ path: at, message }) => `${at.map(String).join('.') || 'the card'}: ${message}`),
    );
  }
  const { domain, defaults = {}, minReconstructionDb } = parsed.data;
  const layer = layerFromObject(defaults, path);
  const problems = [...layer.problems.map(({ what }) => what), ...wrongDefaults(layer)];
  if (problems.length > 0) throw cardError(path, problems);
  return { domain, defaults: layer, minReconstructionDb };
}

function wrongDefaults({ entries }: OptionLayer): string[] {
  return [...entries].flatMap(([name, { value }]) => {
    if (!allowedGroups.has(metaOf(name).group) && !alsoAllowed.has(name)) return [`a card cannot decide ${name}`];
    if (optionsSchema.shape[name].safeParse(value).success) return [];
    return [`${name} is ${showValue(value)}, expected ${fieldOf(name).expected.replaceAll('`', '')}`];
  });
}

function cardError(where: string, problems: readonly string[]): PantomimeError {
  const shown = problems.slice(0, 8).map((problem) => problem.replace(/\p{Cc}/gu, '?').slice(0, 200));
  return new PantomimeError({
    code: 'model.card',
    kind: 'model',
    what: `the card of the model is wrong: ${shown.join('; ')}`,
    where,
    expected: '{ "domain": "one sentence", "defaults": { "steps": 20 }, "minReconstructionDb": 28 }',
    hint: 'Get the file again from the page of the model, or remove it: then the usual defaults apply.',
  });
}
