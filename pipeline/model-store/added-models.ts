import { readFileSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { PantomimeError } from '../../models/errors.js';
import { catalogModel } from '../../models/hub/catalog.js';
import { writeAtomic } from '../files.js';
import { hashFile } from '../hashes.js';
import { lockWhenFree } from './lock-when-free.js';
import { type ModelStore, modelsFolder } from './types.js';

const addedSchema = z.object({
  version: z.literal(1),
  models: z.record(
    z.string(),
    z.object({
      /** Absolute, of a file or a folder. */
      path: z.string(),
      added: z.string(),
      licence: z.string().optional(),
      /** Paths in the folder; of a file, the empty one. */
      files: z.array(z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string() })),
    }),
  ),
});

export type AddedModel = z.infer<typeof addedSchema>['models'][string];

/** Files and levels of a folder that is added as a model. */
const maxFiles = 1_000;
const maxDepth = 4;
const reserved: ReadonlySet<string> = new Set(['embedded', 'auto', 'none', 'lock']);

const listName = 'added.json';

/** Models that were added by name. Read anew at each call, and at once: names are looked up while options are read. */
export function addedModels(dir = modelsFolder()): ReadonlyMap<string, AddedModel> {
  const file = join(dir, listName);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  const parsed = addedSchema.safeParse(parseJson(text));
  if (parsed.success) return new Map(Object.entries(parsed.data.models));
  throw new PantomimeError({
    code: 'model.added',
    kind: 'model',
    what: 'the list of models that were added is damaged',
    where: file,
    hint: 'remove this file and add the models again',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export type AddOptions = {
  readonly licence?: string | undefined;
  /** Replace another model of that name. */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Gives a file or folder a name that `--model` and its like take, and notes the hash of every file. Nothing is copied. Throws
 * PantomimeError for a name that is taken or none, and for a path without a model.
 */
export async function addModel(
  name: string,
  path: string,
  store: Pick<ModelStore, 'dir'>,
  { licence, overwrite, signal }: AddOptions = {},
): Promise<AddedModel> {
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name) || reserved.has(name) || catalogModel(name)) {
    throw new PantomimeError({
      code: 'model.name',
      kind: 'usage',
      what: catalogModel(name) ? 'this name is one of the catalog' : 'this is no name for a model',
      got: name.slice(0, 200),
      expected: 'letters, digits, dots, dashes and underscores, at most 64',
    });
  }
  const root = resolve(path);
  const files: AddedModel['files'] = [];
  for (const file of await filesOf(root)) {
    const full = join(root, file);
    files.push({ path: file, sizeBytes: (await stat(full)).size, sha256: await hashFile(full, signal) });
  }
  await mkdir(store.dir, { recursive: true });
  await using _ = await lockWhenFree(join(store.dir, 'lock'), signal);
  const known = addedModels(store.dir);
  if (known.has(name) && !overwrite) {
    throw new PantomimeError({
      code: 'model.exists',
      kind: 'usage',
      what: 'there is a model of that name',
      where: known.get(name)?.path,
      got: name,
      hint: 'another name, or --overwrite',
    });
  }
  const model: AddedModel = { path: root, added: new Date().toISOString(), ...(licence && { licence }), files };
  const models = Object.fromEntries([...known, [name, model]]);
  await writeAtomic(join(store.dir, listName), `${JSON.stringify({ version: 1, models }, null, 2)}\n`);
  return model;
}

/** Paths of all files below a folder, sorted; of a file, the empty path. Links are followed, hidden files left out. */
async function filesOf(root: string): Promise<readonly string[]> {
  const info = await stat(root).catch(() => undefined);
  if (info?.isFile()) return [''];
  const found: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    for (const name of (await readdir(join(root, folder))).sort()) {
      if (name.startsWith('.')) continue;
      const path = join(folder, name);
      const what = await stat(join(root, path)).catch(() => undefined);
      if (what?.isDirectory() && depth < maxDepth) await walk(path, depth + 1);
      else if (what?.isFile()) found.push(path);
      if (found.length > maxFiles) throw noModel(root, `more than ${maxFiles} files`);
    }
  };
  if (info?.isDirectory()) await walk('', 1);
  if (found.length === 0) throw noModel(root, info ? 'no file' : 'nothing of that name');
  return found;
}

function noModel(where: string, got: string): PantomimeError {
  return new PantomimeError({
    code: 'model.no-files',
    kind: 'input',
    what: 'this cannot be added as a model',
    where,
    got,
    expected: 'a weights file, or a model folder in diffusers layout',
  });
}
