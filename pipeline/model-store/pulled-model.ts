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
  const earlier = (await readSources(dir)) ?? [];
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

async function readSources(dir: string): Promise<readonly PulledFile[] | undefined> {
  const parsed = sourcesSchema.safeParse(await readJson(join(dir, sourcesName)));
  return parsed.success ? parsed.data.files : undefined;
}

/** The files of a pulled model; undefined when it was not pulled, or a file of it is gone or cut short. */
export async function pulledFiles(
  store: Pick<ModelStore, 'dir'>,
  name: string,
): Promise<readonly PulledFile[] | undefined> {
  const dir = join(store.dir, name);
  const files = await readSources(dir);
  for (const { as, sizeBytes } of files ?? []) {
    const info = await stat(join(dir, as)).catch(() => undefined);
    if (!info?.isFile() || info.size !== sizeBytes) return undefined;
  }
  return files;
}
