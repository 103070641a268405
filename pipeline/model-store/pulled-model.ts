import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isCommit, isContentHash, isSafePath } from '../../models/hub/cache-layout.js';
import type { CatalogModel } from '../../models/hub/catalog.js';
import { readJson, writeAtomic } from '../files.js';
import { linkFile } from './link-file.js';
import type { ModelStore } from './types.js';

/** Says what the folder of a model was put together from. */
const sourcesName = 'sources.json';

const sourcesSchema = z.object({
  version: z.literal(1),
  files: z
    .array(
      z.object({
        as: z.string().refine(isSafePath),
        repository: z.string(),
        commit: z.string().refine(isCommit),
        path: z.string(),
        sizeBytes: z.number(),
        /** SHA-256, or git's hash; left out where nobody knows it. */
        hash: z.string().refine(isContentHash).optional(),
      }),
    )
    .max(2_000),
});

/** A file of a pulled model: where it came from, and its place in the model's folder. */
export type PulledFile = z.infer<typeof sourcesSchema>['files'][number];

/**
 * Puts a model's folder together from links into the cache: files of several repositories, each under the name that the layout
 * of diffusers gives it. What an earlier version of the model had and this one has not is removed.
 */
export async function assemble(
  store: Pick<ModelStore, 'dir'>,
  model: CatalogModel,
  files: readonly (PulledFile & { readonly cached: string })[],
): Promise<string> {
  const dir = join(store.dir, model.name);
  const earlier = (await sourcesOf(store, model)) ?? [];
  const kept = new Set(files.map((file) => file.as));
  await rm(join(dir, sourcesName), { force: true });
  for (const { as } of earlier) if (!kept.has(as)) await rm(join(dir, as), { force: true });
  for (const { as, cached } of files) await linkFile(cached, join(dir, as));
  const record = { version: 1, files: files.map(({ cached, ...file }) => file) };
  await writeAtomic(join(dir, sourcesName), `${JSON.stringify(record, null, 2)}\n`);
  return placeOf(store, model);
}

/** What to give to the option that a model is for: its folder, or the one file that it is. */
export function placeOf(store: Pick<ModelStore, 'dir'>, { name, use, files }: CatalogModel): string {
  const single = use === '--controlnext' || use === '--overlay' ? files[0] : undefined;
  return join(store.dir, name, single?.as ?? '');
}

/** What the folder of a pulled model was put together from; undefined where there is none. */
export async function sourcesOf(
  store: Pick<ModelStore, 'dir'>,
  { name }: CatalogModel,
): Promise<readonly PulledFile[] | undefined> {
  const parsed = sourcesSchema.safeParse(await readJson(join(store.dir, name, sourcesName)));
  return parsed.success ? parsed.data.files : undefined;
}

/** Whether a model was pulled as the catalog has it now, and all of its files are still there and as long as they were. */
export async function isPulled(store: Pick<ModelStore, 'dir'>, model: CatalogModel): Promise<boolean> {
  const sources = new Map((await sourcesOf(store, model))?.map((source) => [source.as, source]));
  for (const { as, path, sha256 } of model.files) {
    const source = sources.get(as);
    if (source?.path !== path || (sha256 !== undefined && source.hash !== sha256)) return false;
    const info = await stat(join(store.dir, model.name, as)).catch(() => undefined);
    if (!info?.isFile() || info.size !== source.sizeBytes) return false;
  }
  return true;
}
