import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { cachedRepository } from '../../models/hub/cache-layout.js';
import { type CatalogModel, catalogModel } from '../../models/hub/catalog.js';
import { hubCacheDir } from '../../models/hub/hub-settings.js';
import { exists } from '../files.js';
import { addedModels } from './added-models.js';
import { cachedCommit } from './cached-file.js';
import { isHubName, parseHubName } from './hub-name.js';
import { isPulled, placeOf } from './pulled-model.js';
import { type ModelStore, modelsFolder } from './types.js';

type Places = { readonly hub: Pick<ModelStore['hub'], 'cacheDir'>; readonly dir: string };

/** Whether a word is the name of a model, not a path: of the catalog, of the Hub (`hf:...`), or one that was added. */
export function isModelName(word: string): boolean {
  return isHubName(word) || catalogModel(word) !== undefined || addedModels().has(word);
}

/**
 * The file or folder that an option means: that of a named model, or the word itself as a path. Never asks the network. Throws
 * PantomimeError `model.not-pulled` with the command that gets it, `model.use` for one that is for another option.
 */
export async function locateModel(word: string, use: CatalogModel['use']): Promise<string> {
  if (!isModelName(word)) return word;
  const places = { hub: { cacheDir: hubCacheDir() }, dir: modelsFolder() };
  const model = catalogModel(word);
  if (model && model.use !== use) {
    throw new PantomimeError({
      code: 'model.use',
      kind: 'usage',
      what: `${word} is for ${model.use}`,
      where: use,
      hint: `${model.use} ${word}`,
    });
  }
  return locate(word, places);
}

/** The file or folder of a named model. Never asks the network. Throws PantomimeError `model.not-pulled`, `model.moved`. */
export async function locate(word: string, places: Places): Promise<string> {
  if (isHubName(word)) return locateOnHub(word, places);
  const model = catalogModel(word);
  if (model) {
    if (!(await isPulled(places, model))) throw notPulled(word);
    return placeOf(places, model);
  }
  const added = addedModels(places.dir).get(word);
  if (!added) throw notPulled(word);
  if (await exists(added.path)) return added.path;
  throw new PantomimeError({
    code: 'model.moved',
    kind: 'model',
    what: `${word} is not where it was when it was added`,
    where: added.path,
    hint: `pantomime models add ${word} PATH --overwrite`,
  });
}

/** Where the cache of the Hub has a repository or a file of it. Throws PantomimeError `model.not-pulled`. */
export async function locateOnHub(word: string, places: Places): Promise<string> {
  const { repository, revision, path } = parseHubName(word);
  const commit = await cachedCommit(places, repository, revision);
  if (commit === undefined) throw notPulled(word);
  const snapshot = cachedRepository(places.hub.cacheDir, repository).snapshot(commit);
  const found = join(snapshot, path ?? '');
  const info = await stat(path === undefined ? join(snapshot, 'model_index.json') : found).catch(() => undefined);
  if (!info?.isFile()) throw notPulled(word);
  return found;
}

function notPulled(word: string): PantomimeError {
  return new PantomimeError({
    code: 'model.not-pulled',
    kind: 'model',
    what: 'this model is not on this machine, or not all of it',
    got: word.slice(0, 200),
    hint: `pantomime models pull ${word}`,
  });
}
