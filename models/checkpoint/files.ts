import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';

/** Whether `path` is a file that may be read; symbolic links are followed. */
export async function isReadable(path: string): Promise<boolean> {
  try {
    const real = await realpath(path);
    await access(real, constants.R_OK);
    return (await stat(real)).isFile();
  } catch {
    return false;
  }
}

export async function firstReadable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isReadable(path)) return path;
  return undefined;
}

/** Whether `path` is a folder; symbolic links are followed. */
export function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
