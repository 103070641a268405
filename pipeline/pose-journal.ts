import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { PoseFrame } from '../stages/types.js';
import { hashBytes } from './hashes.js';

/** The poses of a clip as they are found, so that a killed search goes on where it was. */
export type PoseJournal = AsyncDisposable & {
  /** Frames that an earlier attempt has found, from the first on. */
  readonly known: readonly PoseFrame[];
  /** Adds the next frame. */
  readonly add: (frame: PoseFrame) => Promise<void>;
};

/**
 * Opens or makes a journal: a line a frame, each with its own hash. What comes after the first line that is not whole is cut
 * off. @param keep whether what is there counts; otherwise the journal begins anew.
 */
export async function openPoseJournal(file: string, keep: boolean): Promise<PoseJournal> {
  const known: PoseFrame[] = [];
  let end = 0;
  const text = keep ? await readFile(file, 'utf8').catch(() => '') : '';
  for (let next = text.indexOf('\n'); next >= 0; next = text.indexOf('\n', end)) {
    const json = text.slice(end + hashLength + 1, next);
    if (text.slice(end, next) !== lineOf(known.length, json)) break;
    known.push(JSON.parse(json) as PoseFrame);
    end = next + 1;
  }
  const handle = await open(file, 'a');
  await handle.truncate(Buffer.byteLength(text.slice(0, end)));
  return journal(handle, known);
}

function journal(handle: FileHandle, known: readonly PoseFrame[]): PoseJournal {
  let count = known.length;
  return {
    known,
    async add(frame) {
      await handle.appendFile(`${lineOf(count, JSON.stringify(frame))}\n`);
      count += 1;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

const hashLength = 16;

/** The hash covers the place, too: a line from elsewhere is no line of this one. */
function lineOf(frame: number, json: string): string {
  return `${hashBytes(Buffer.from(`${frame} ${json}`)).slice(0, hashLength)} ${json}`;
}
