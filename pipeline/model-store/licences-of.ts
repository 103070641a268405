import { catalog } from '../../models/hub/catalog.js';
import { addedModels } from './added-models.js';
import { isHubName } from './hub-name.js';
import type { LicenceNotice, ModelStore } from './types.js';
import { requireCatalogModel, wantedOfCatalog, wantedOfHub } from './wanted.js';

/** The licences of a model, or of the whole catalog. Only for `hf:...` the network is asked. */
export async function licencesOf(name: string | undefined, store: ModelStore): Promise<readonly LicenceNotice[]> {
  if (name === undefined) {
    const all = catalog.flatMap((model) => wantedOfCatalog(model).licences);
    return [...new Map(all.map((notice) => [notice.repository, notice])).values()];
  }
  const added = addedModels(store.dir).get(name);
  if (added) {
    const title = added.licence ?? 'no licence was noted when it was added';
    return [{ repository: name, title, url: added.path, meaning: [], ask: false, gated: false }];
  }
  if (isHubName(name)) return (await wantedOfHub(name, { ...store.hub, limits: store.limits })).licences;
  return wantedOfCatalog(requireCatalogModel(name)).licences;
}
