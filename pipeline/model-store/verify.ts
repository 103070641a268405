import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { catalog, catalogModel } from '../../models/hub/catalog.js';
import { addedModels } from './added-models.js';
import { type Checked, checkFile, hashByName } from './cached-file.js';
import { parseHubName } from './hub-name.js';
import { locate } from './locate.js';
import { sourcesOf } from './pulled-model.js';
import type { ModelStore, VerifiedFile } from './types.js';

/** A file and the hashes that are known of it. */
type Expectation = { readonly file: string; readonly path: string; readonly hashes: readonly (string | undefined)[] };

/** Names of the models that are here: pulled ones and added ones. */
export async function presentModels(store: ModelStore): Promise<readonly string[]> {
  const pulled = await Promise.all(catalog.map(async (model) => ((await sourcesOf(store, model)) ? [model.name] : [])));
  return [...pulled.flat(), ...addedModels(store.dir).keys()];
}

/**
 * Reads every file of a model and compares it with the hash of the catalog, the one the hub named when it was downloaded, or the
 * one noted when it was added. Throws PantomimeError `model.not-pulled` when it is not here.
 */
export async function* verifyModel(
  name: string,
  store: ModelStore,
  signal?: AbortSignal,
): AsyncGenerator<VerifiedFile, void> {
  for (const { file, path, hashes } of await expectations(name, store)) {
    const there = await stat(path).catch(() => undefined);
    const checked: Checked | { readonly state: 'missing' } = there?.isFile()
      ? await checkFile(path, hashes, signal)
      : { state: 'missing' };
    yield { model: name, file, ...checked };
  }
}

async function expectations(name: string, store: ModelStore): Promise<readonly Expectation[]> {
  const model = catalogModel(name);
  const sources = model && (await sourcesOf(store, model));
  if (sources) {
    const known = new Map(model.files.map(({ as, sha256 }) => [as, sha256]));
    return sources.map(({ as, hash }) => ({
      file: as,
      path: join(store.dir, name, as),
      hashes: [known.get(as), hash],
    }));
  }
  const place = await locate(name, store);
  const added = addedModels(store.dir).get(name);
  if (added)
    return added.files.map(({ path, sha256 }) => ({ file: path || place, path: join(place, path), hashes: [sha256] }));
  const single = parseHubName(name).path !== undefined;
  const files = single ? [place] : await filesBelow(place);
  const root = single ? dirname(place) : place;
  return Promise.all(
    files.map(async (path) => ({ file: relative(root, path), path, hashes: [await hashByName(path)] })),
  );
}

/** Paths of all files of a snapshot. */
async function filesBelow(root: string): Promise<readonly string[]> {
  const paths = await readdir(root, { recursive: true });
  const full = paths.sort().map((path) => join(root, path));
  const kinds = await Promise.all(full.map(async (path) => (await stat(path).catch(() => undefined))?.isDirectory()));
  return full.filter((_, i) => !kinds[i]);
}
