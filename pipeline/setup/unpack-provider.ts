import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { isSafePath } from '../../models/hub/cache-layout.js';
import type { ProviderPackage } from '../../models/runtime/cuda/provider-package.js';
import { extractEntry, readEntry } from '../../models/zip/extract-entry.js';
import { readZip, type ZipEntry, ZipProblem } from '../../models/zip/read-zip.js';
import { type CudaRecord, sha512Of } from './cuda-record.js';

/** Those of onnxruntime have some hundred megabytes. */
const maxProviderBytes = 4 * 2 ** 30;
const maxManifestBytes = 2 ** 20;

type Opened = {
  readonly handle: FileHandle;
  readonly fileBytes: number;
  readonly entries: ReadonlyMap<string, ZipEntry>;
};

export type UnpackContext = {
  readonly signal?: AbortSignal | undefined;
  /** Called with what they will take before the first of them is written. */
  readonly onSize?: (bytes: number) => Promise<void>;
};

/**
 * Puts the wanted files of a NuGet package into `folder`: each is checked against its CRC, written under another name, synced,
 * and they appear by rename once all are whole. Names in the package are never used as paths. Throws PantomimeError
 * `cuda.package` for anything else than the wanted package.
 */
export async function unpackProvider(
  file: string,
  wanted: ProviderPackage,
  folder: string,
  { signal, onSize }: UnpackContext = {},
): Promise<CudaRecord['files']> {
  const handle = await open(file, 'r');
  const parts = wanted.files.map(({ name }) => ({ name, part: join(folder, `.${name}.part`) }));
  try {
    const archive = { handle, fileBytes: (await handle.stat()).size };
    const opened = { ...archive, entries: await readZip(archive) };
    requirePlainNames(opened);
    await requirePackage(opened, wanted);
    const entries = wanted.files.map(({ entry }) => requireEntry(opened, entry));
    await onSize?.(entries.reduce((sum, { byteLength }) => sum + byteLength, 0));
    for (const [i, entry] of entries.entries()) await extractEntry(archive, entry, parts[i]?.part as string, signal);
    const written = [];
    for (const { name, part } of parts)
      written.push({ name, sizeBytes: (await stat(part)).size, sha512: await sha512Of(part, signal) });
    for (const { name, part } of parts) await rename(part, join(folder, name));
    return written;
  } catch (thrown) {
    if (thrown instanceof ZipProblem) throw notThePackage(file, thrown.message, undefined, wanted);
    throw thrown;
  } finally {
    for (const { part } of parts) await rm(part, { force: true });
    await handle.close();
  }
}

/** A package that has one such name was not made by anybody well-meaning. */
function requirePlainNames({ entries }: Opened): void {
  for (const name of entries.keys())
    if (!isSafePath(name.replace(/\/$/, '')))
      throw new ZipProblem('malformed', `the name ${JSON.stringify(name.slice(0, 80))} leads out of it`);
}

/** What the package says that it is. */
async function requirePackage(opened: Opened, wanted: ProviderPackage): Promise<void> {
  const entry = requireEntry(opened, `${wanted.id}.nuspec`);
  const text = (await readEntry(opened, entry, maxManifestBytes)).toString('utf8');
  const field = (name: string) => new RegExp(`<${name}>\\s*([^<\\s]{1,100})\\s*</${name}>`).exec(text)?.[1];
  const [id, version] = [field('id'), field('version')];
  if (id?.toLowerCase() === wanted.id.toLowerCase() && version === wanted.version) return;
  throw new ZipProblem('malformed', `it calls itself ${id} ${version}`);
}

function requireEntry({ entries }: Opened, name: string): ZipEntry {
  const entry = entries.get(name);
  if (!entry) throw new ZipProblem('malformed', `it does not hold ${name}`);
  if (entry.byteLength > maxProviderBytes)
    throw new ZipProblem('limit', `${name} has ${entry.byteLength} bytes, more than the limit (maxProviderBytes)`);
  return entry;
}

export function notThePackage(
  where: string,
  what: string,
  got: string | undefined,
  { id, version }: ProviderPackage,
): PantomimeError {
  return new PantomimeError({
    code: 'cuda.package',
    kind: 'device',
    what: `this is not the package that onnxruntime needs: ${what}; nothing was installed`,
    where,
    got,
    expected: `${id}.${version}.nupkg as it was published`,
    hint: 'pantomime setup cuda',
  });
}
