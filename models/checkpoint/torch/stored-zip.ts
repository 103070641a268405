import { type Archive, readZip, type ZipEntry, ZipProblem } from '../../zip/read-zip.js';
import { torchError } from './torch-error.js';

/**
 * Entries of a ZIP whose contents are stored as they are, the form `torch.save` writes. Throws PantomimeError
 * `torch.malformed`, `torch.compressed` or `torch.limit`.
 * @param path for messages.
 */
export async function readStoredZip(archive: Archive, path: string): Promise<ReadonlyMap<string, ZipEntry>> {
  try {
    const entries = await readZip(archive);
    for (const { name, method } of entries.values())
      if (method !== 0)
        throw new ZipProblem('compressed', `${JSON.stringify(name.slice(0, 80))} is compressed (method ${method})`);
    return entries;
  } catch (thrown) {
    if (!(thrown instanceof ZipProblem)) throw thrown;
    const { fault, message } = thrown;
    throw torchError(fault, path, fault === 'malformed' ? `is not a valid PyTorch archive: ${message}` : message);
  }
}
