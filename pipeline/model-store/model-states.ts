import { type CatalogModel, catalog } from '../../models/hub/catalog.js';
import { exists } from '../files.js';
import { addedModels } from './added-models.js';
import { cachedFile } from './cached-file.js';
import { isPulled, placeOf } from './pulled-model.js';
import type { LicenceNotice, ModelStore } from './types.js';
import { wantedOfCatalog } from './wanted.js';

/** A model that can be named, and what is there of it. */
export type ModelState = {
  readonly name: string;
  readonly title: string;
  /** The option it is for; undefined for models that were added. */
  readonly use: CatalogModel['use'] | undefined;
  /** `cached`: other programs or models have brought all files; pulling it downloads nothing. */
  readonly state: 'here' | 'cached' | 'partly' | 'not here';
  readonly sizeBytes: number;
  /** Whether the size is known to the byte. */
  readonly exact: boolean;
  /** Where it is, once it is here. */
  readonly path: string | undefined;
  readonly licences: readonly LicenceNotice[];
  readonly files: readonly FileState[];
};

export type FileState = {
  readonly path: string;
  readonly repository: string | undefined;
  readonly revision: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly sha256: string | undefined;
  readonly here: boolean;
};

/** Every model of the catalog and every one that was added. Nothing is asked of the network, nothing is hashed. */
export async function modelStates(store: ModelStore): Promise<readonly ModelState[]> {
  const known = await Promise.all(catalog.map((model) => stateOf(model, store)));
  const added = [...addedModels(store.dir)].map(async ([name, { path, licence, files }]): Promise<ModelState> => {
    const here = await exists(path);
    return {
      ...{ name, title: licence ? `added; ${licence}` : 'added', use: undefined, state: here ? 'here' : 'not here' },
      sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      ...{ exact: true, path, licences: [] },
      files: files.map((file) => ({ ...file, repository: undefined, revision: undefined, here })),
    };
  });
  return [...known, ...(await Promise.all(added))];
}

async function stateOf(model: CatalogModel, store: ModelStore): Promise<ModelState> {
  const { files: wanted, licences } = wantedOfCatalog(model);
  const cached = await Promise.all(wanted.map((file) => cachedFile(store, file)));
  const assembled = await isPulled(store, model);
  const count = cached.filter(Boolean).length;
  const files = wanted.map(({ path, repository, revision, sizeBytes, sha256 }, i) => ({
    ...{ path, repository, revision, sha256, here: assembled || cached[i] !== undefined },
    sizeBytes: sizeBytes ?? cached[i]?.sizeBytes,
  }));
  return {
    ...{ name: model.name, title: model.title, use: model.use, licences, files },
    state: assembled ? 'here' : count === wanted.length ? 'cached' : count > 0 ? 'partly' : 'not here',
    sizeBytes: wanted.reduce((sum, { aboutBytes = 0 }, i) => sum + (files[i]?.sizeBytes ?? aboutBytes), 0),
    exact: files.every(({ sizeBytes }) => sizeBytes !== undefined),
    path: assembled ? placeOf(store, model) : undefined,
  };
}
