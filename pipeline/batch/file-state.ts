import { stat } from 'node:fs/promises';

/** What lies at a path, links followed; nothing is opened. */
export type FileState = 'file' | 'empty' | 'folder' | 'special' | 'missing' | 'unreadable';

/** How many files are asked for at once: enough to keep a network disk busy. */
const atOnce = 64;

/** What lies at each of many paths; each is asked for once. */
export async function fileStates(paths: Iterable<string>): Promise<ReadonlyMap<string, FileState>> {
  const states = new Map<string, FileState>();
  const queue = new Set(paths).values();
  const worker = async () => {
    for (const path of queue) states.set(path, await fileState(path));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return states;
}

export async function fileState(path: string): Promise<FileState> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) return 'folder';
    if (!info.isFile()) return 'special';
    return info.size === 0 ? 'empty' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable';
  }
}

/** Why something is of no use as a file, as one clause; undefined for a file with something in it. */
export function whyNoFile(state: FileState): string | undefined {
  if (state === 'file') return undefined;
  return {
    empty: 'an empty file',
    folder: 'a folder, not a file',
    special: 'not a file',
    missing: 'there is no such file',
    unreadable: 'it cannot be looked at',
  }[state];
}
