import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeAtomic } from '../files.js';

const recordSchema = z.object({
  /** `NAME VERSION` of the package the files came out of. */
  package: z.string(),
  /** Address or path that it was got from. */
  source: z.string(),
  /** Of the package, hex. */
  sha512: z.string(),
  /** Who said beforehand that it has to be that one; null: nobody. */
  promisedBy: z.string().nullable(),
  installedAt: z.string(),
  files: z.array(z.object({ name: z.string(), sizeBytes: z.number(), sha512: z.string() })),
});

/** What `pantomime setup cuda` has installed: it lies beside the files. */
export type CudaRecord = z.infer<typeof recordSchema>;

const recordName = 'pantomime-cuda.json';

export function writeCudaRecord(folder: string, record: CudaRecord): Promise<void> {
  return writeAtomic(join(folder, recordName), `${JSON.stringify(record, null, 2)}\n`);
}

/** The record, when all its files are there in their size; with `thorough`, in their content too. */
export async function readCudaRecord(
  folder: string,
  { thorough = false, signal }: { readonly thorough?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<CudaRecord | undefined> {
  const parsed = recordSchema.safeParse(await readJson(join(folder, recordName)));
  if (!parsed.success) return undefined;
  for (const { name, sizeBytes, sha512 } of parsed.data.files) {
    const file = join(folder, name);
    const there = await stat(file).catch(() => undefined);
    if (there?.size !== sizeBytes) return undefined;
    if (thorough && (await sha512Of(file, signal)) !== sha512) return undefined;
  }
  return parsed.data;
}

/** SHA-512 of a file, hex. */
export async function sha512Of(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha512');
  for await (const part of createReadStream(file, { ...(signal && { signal }) })) hash.update(part as Buffer);
  return hash.digest('hex');
}
