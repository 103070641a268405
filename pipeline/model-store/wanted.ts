import { PantomimeError } from '../../models/errors.js';
import { type CatalogModel, catalog, catalogModel, repositories } from '../../models/hub/catalog.js';
import { licences, openLicenceTags } from '../../models/hub/licences.js';
import { remoteRepository } from '../../models/hub/remote-repository.js';
import type { HubAccess } from '../../models/hub/request.js';
import { nearestName } from '../options/nearest.js';
import { parseHubName } from './hub-name.js';
import { modelFiles } from './model-files.js';
import type { LicenceNotice, WantedFile } from './types.js';

/** What a word stands for: files, and the licences they are under. */
export type Wanted = {
  readonly name: string;
  /** A model of the catalog gets a folder of its own; a repository is used where the cache has it. */
  readonly model: CatalogModel | undefined;
  readonly files: readonly WantedFile[];
  readonly licences: readonly LicenceNotice[];
  /** What branches and tags were found to be. */
  readonly refs: readonly { readonly repository: string; readonly revision: string; readonly commit: string }[];
};

/** A model of the catalog, by name. Throws PantomimeError `model.unknown`. */
export function requireCatalogModel(name: string): CatalogModel {
  const model = catalogModel(name);
  if (model) return model;
  const names = catalog.map((one) => one.name);
  const near = nearestName(name, names);
  throw new PantomimeError({
    code: 'model.unknown',
    kind: 'usage',
    what: 'there is no model of that name',
    got: name.slice(0, 200),
    expected: `${names.join(', ')}, or hf:OWNER/NAME@REVISION`,
    hint: near ? `pantomime models pull ${near}` : 'pantomime models list',
  });
}

/** What a model of the catalog consists of; known without any network. */
export function wantedOfCatalog(model: CatalogModel): Wanted {
  const files = model.files.map(({ repository, ...file }) => {
    const { id, revision = 'main' } = repositories[repository];
    return { ...file, repository: id, revision };
  });
  const names = [...new Set(model.files.map(({ repository }) => repository))];
  return { name: model.name, model, files, licences: names.map((name) => noticeOf(repositories[name])), refs: [] };
}

function noticeOf({ id, licence, gated }: (typeof repositories)[keyof typeof repositories]): LicenceNotice {
  return { repository: id, gated, ...licences[licence] };
}

/** What `hf:...` stands for; the hub is asked. Throws PantomimeError of names, answers and connections. */
export async function wantedOfHub(word: string, hub: HubAccess): Promise<Wanted> {
  const { repository, revision, path } = parseHubName(word);
  const remote = await remoteRepository(repository, revision, hub);
  const url = `${hub.endpoint}/${repository}`;
  const open = remote.licence !== undefined && openLicenceTags.has(remote.licence) && !remote.gated;
  const notice: LicenceNotice = {
    repository,
    url,
    gated: remote.gated,
    ask: !open,
    title: remote.licence ?? 'no licence is named',
    meaning: open ? [] : ['pantomime does not know this licence: read it on the page.'],
  };
  const paths = path === undefined ? modelFiles(remote.files, `${url}/tree/${remote.commit}`) : [path];
  const files = paths.map((one) => ({ repository, revision: remote.commit, path: one, as: one }));
  const refs = [{ repository, revision, commit: remote.commit }];
  return { name: word, model: undefined, files, licences: [notice], refs };
}
