import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Short content key of plain data: the first 16 hex digits of the SHA-256 of its JSON. */
export function keyOf(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);
}

/** SHA-256 of data in memory, hex. */
export function hashBytes(data: NodeJS.ArrayBufferView): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of a file, hex, read as a stream. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, { ...(signal && { signal }) })) hash.update(block);
  return hash.digest('hex');
}
