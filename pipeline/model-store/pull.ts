import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { cachedRepository, isCommit } from '../../models/hub/cache-layout.js';
import type { HubAccess } from '../../models/hub/request.js';
import { readText, writeAtomic } from '../files.js';
import { type CachedFile, cachedFile, checkFile, hashByName, removeCached } from './cached-file.js';
import { fetchFiles } from './fetch-files.js';
import { isHubName } from './hub-name.js';
import { locateOnHub } from './locate.js';
import { lockWhenFree } from './lock-when-free.js';
import { assemble } from './pulled-model.js';
import type { LicenceNotice, ModelStore, PullEvent, PullResult, WantedFile } from './types.js';
import { requireCatalogModel, type Wanted, wantedOfCatalog, wantedOfHub } from './wanted.js';

export type PullContext = {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: PullEvent) => void;
  /** Whether licences are accepted; asked before anything of a model is downloaded, after `pull.licences`. */
  readonly accept: (licences: readonly LicenceNotice[]) => Promise<boolean>;
  /** Read what is there already, and download again what is damaged. */
  readonly check?: boolean;
};

/**
 * Gets a model of the catalog or of the Hub (`hf:...`) by its name. A model of the catalog that is there as a whole needs no
 * network. Throws PantomimeError.
 */
export async function pull(word: string, store: ModelStore, context: PullContext): Promise<PullResult> {
  if (!isHubName(word)) return pullWanted(wantedOfCatalog(requireCatalogModel(word)), store, context);
  if (store.hub.offline) return { name: word, path: await locateOnHub(word, store), downloadedBytes: 0 };
  return pullWanted(await wantedOfHub(word, accessFor(store, context)), store, context);
}

/**
 * Downloads what is missing of a model into the cache of the Hub, checked against the hashes of the catalog or those that the
 * hub names beforehand, and puts its folder together. What another call or another process has begun is taken up. Throws
 * PantomimeError.
 */
export async function pullWanted(wanted: Wanted, store: ModelStore, context: PullContext): Promise<PullResult> {
  const { signal, onEvent = () => {} } = context;
  const { name, licences } = wanted;
  const missing = await missingFiles(wanted, store, context);
  const refs = [...wanted.refs];
  let downloadedBytes = 0;
  if (missing.length > 0) {
    if (store.hub.offline) throw offline(name, missing);
    onEvent({ type: 'pull.licences', licences });
    if (!(await context.accept(licences))) throw notAccepted(name, licences);
    const { bytes, commits } = await fetchFiles(missing, store, accessFor(store, context), onEvent);
    downloadedBytes = bytes;
    missing.forEach(({ repository, revision }, i) => {
      refs.push({ repository, revision, commit: commits[i] as string });
    });
  }
  await using _ = await lockWhenFree(join(store.dir, 'lock'), signal);
  for (const ref of refs) await noteCommit(store, ref);
  const result = { name, path: await put(wanted, store), downloadedBytes };
  onEvent({ type: 'pull.done', ...result });
  return result;
}

function accessFor(store: ModelStore, { signal, onEvent = () => {} }: PullContext): HubAccess {
  return {
    ...{ ...store.hub, limits: store.limits, signal },
    onRetry: ({ what, attempt, waitMs }) =>
      onEvent({ type: 'note', level: 'info', message: `${what}; attempt ${attempt} in ${Math.ceil(waitMs / 1000)} s` }),
  };
}

/** Where a branch is followed, the files of a repository belong together: if one is missing, all are looked at anew. */
async function missingFiles(wanted: Wanted, store: ModelStore, context: PullContext): Promise<readonly WantedFile[]> {
  const incomplete = new Set<string>();
  const missing = new Set<WantedFile>();
  for (const file of wanted.files) {
    if (await sound(file, store, context)) continue;
    missing.add(file);
    if (!isCommit(file.revision)) incomplete.add(file.repository);
  }
  return wanted.files.filter((file) => missing.has(file) || incomplete.has(file.repository));
}

/** What the cache has of a file. With `check`, a damaged one is removed. */
async function sound(
  file: WantedFile,
  store: ModelStore,
  { check, signal, onEvent }: PullContext,
): Promise<CachedFile | undefined> {
  const cached = await cachedFile(store, file);
  if (!cached || !check) return cached;
  const { state } = await checkFile(cached.path, [file.sha256, await hashByName(cached.path)], signal);
  if (state !== 'damaged') return cached;
  onEvent?.({ type: 'note', level: 'info', message: `${file.path} is damaged and is downloaded again` });
  await removeCached(cached.path);
  return undefined;
}

/** A branch or tag is kept as the commit that it was. */
async function noteCommit(store: ModelStore, { repository, revision, commit }: Wanted['refs'][number]): Promise<void> {
  const file = cachedRepository(store.hub.cacheDir, repository).ref(revision);
  if (isCommit(revision) || (await readText(file))?.trim() === commit) return;
  await mkdir(dirname(file), { recursive: true });
  await writeAtomic(file, commit);
}

/** The folder of a model of the catalog; of a repository, its place in the cache. */
async function put({ name, model, files }: Wanted, store: ModelStore): Promise<string> {
  if (!model) return locateOnHub(name, store);
  const placed = files.map(async (file) => {
    const cached = await cachedFile(store, file);
    if (!cached) throw new Error(`${file.path} has vanished from the cache`);
    const { path, commit, sizeBytes } = cached;
    const hash = file.sha256 ?? (await hashByName(path));
    const { as, repository } = file;
    return { as, repository, commit, path: file.path, sizeBytes, ...(hash && { hash }), cached: path };
  });
  return assemble(store, model, await Promise.all(placed));
}

function offline(word: string, missing: readonly WantedFile[]): PantomimeError {
  return new PantomimeError({
    code: 'hub.offline',
    kind: 'usage',
    what: `HF_HUB_OFFLINE forbids the network, and ${missing.length} files are missing`,
    got: missing
      .slice(0, 4)
      .map(({ path }) => path)
      .join(', '),
    hint: `HF_HUB_OFFLINE=0 pantomime models pull ${word}`,
  });
}

function notAccepted(word: string, notices: readonly LicenceNotice[]): PantomimeError {
  return new PantomimeError({
    code: 'model.licence',
    kind: 'usage',
    what: 'the licences of this model were not accepted; nothing was downloaded',
    got: notices
      .filter(({ ask }) => ask)
      .map(({ repository, title }) => `${repository}: ${title}`)
      .join('\n'),
    hint: `pantomime models licence ${word}, then pantomime models pull ${word} --accept-licence`,
  });
}
