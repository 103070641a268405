import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PantomimeError } from '../models/errors.js';
import { exists } from './files.js';

/** How `--model` names the bundle that comes with the package, and what is taken when no model is named. */
export const embeddedName = 'embedded';

/** Where the bundle lies; this file is dist/pipeline/embedded-model.js. */
const bundle = fileURLToPath(new URL('../../models/embedded', import.meta.url));

/** The folder that a `--model` word means. */
export function modelDirOf(model: string): string {
  return model === embeddedName ? bundle : model;
}

/** Whether this copy of pantomime carries the bundle. */
export function hasEmbeddedModel(): Promise<boolean> {
  return exists(join(bundle, 'model_index.json'));
}

/** Throws PantomimeError `model.no-embedded` when `model` names the bundle and it is not there. */
export async function requireEmbedded(model: string): Promise<void> {
  if (model !== embeddedName || (await hasEmbeddedModel())) return;
  throw new PantomimeError({
    code: 'model.no-embedded',
    kind: 'model',
    what: 'the model that comes with pantomime is not in this copy',
    where: bundle,
    hint: '--model FOLDER',
  });
}
