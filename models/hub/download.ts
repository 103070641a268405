import type { Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PantomimeError } from '../errors.js';
import { contentHash, hashInto } from './content-hash.js';
import type { RemoteContent } from './remote-file.js';
import { ask, badAnswer, type HubAccess, PassingFault, patiently, reasonOf } from './request.js';

export type DownloadTarget = {
  /** Where the file appears, whole and checked. */
  readonly file: string;
  /** Where it grows; what an earlier attempt left there is taken up. */
  readonly incomplete: string;
};

/** A file that was sent whole and is another one: once more from the beginning, in case the fault was on the way. */
const wholeAttempts = 2;

/**
 * Downloads one file: from where an earlier attempt stopped, hashed as it is written, synced, then renamed. What does not have
 * the promised size and hash never gets its name. Throws PantomimeError `hub.damaged`, `hub.unreachable`, and those of `ask`.
 * @param onBytes how much of the file is there.
 */
export async function download(
  remote: RemoteContent,
  target: DownloadTarget,
  hub: HubAccess,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  await mkdir(dirname(target.file), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const found = await fetchWhole(remote, target.incomplete, hub, onBytes);
    if (found === remote.hash) break;
    await rm(target.incomplete, { force: true });
    if (attempt === wholeAttempts) throw damaged(remote, found);
    hub.onRetry?.({ what: 'what was sent is not the file that was promised', attempt: attempt + 1, waitMs: 0 });
  }
  await rename(target.incomplete, target.file);
}

/** Fills the file up to its size and gives its hash. */
async function fetchWhole(
  remote: RemoteContent,
  incomplete: string,
  hub: HubAccess,
  onBytes: (bytes: number) => void,
): Promise<string> {
  await using growing = await openGrowing(remote, incomplete, hub.signal);
  await patiently(remote.url, hub, async (advanced) => {
    onBytes(growing.length);
    while (growing.length < remote.sizeBytes) {
      await fetchRest(remote, growing, hub, () => {
        advanced();
        onBytes(growing.length);
      });
    }
  });
  await growing.handle.sync();
  return growing.hash.digest('hex');
}

/** Asks for what is missing and appends it. */
async function fetchRest(remote: RemoteContent, growing: Growing, hub: HubAccess, advanced: () => void): Promise<void> {
  const stall = stallGuard(hub.limits.stallMs);
  const from = growing.length;
  try {
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const response = await ask(remote.url, { method: 'GET', headers, elsewhere: true }, hub, stall.signal);
    if (response.status === 206) requireRange(response, remote, from);
    // The server has no ranges, or another file: from the beginning.
    else await growing.restart();
    if (response.status === 416) {
      await response.body?.cancel();
      if (from === 0) throw badAnswer(remote.url, 'it has no such part of the file');
      return;
    }
    stall.start();
    for await (const part of response.body ?? []) {
      stall.start();
      if (growing.length + part.byteLength > remote.sizeBytes) {
        await growing.restart();
        throw badAnswer(remote.url, `it sends more than the ${remote.sizeBytes} bytes that it promised`);
      }
      await growing.append(part);
      advanced();
    }
  } catch (cause) {
    hub.signal?.throwIfAborted();
    if (cause instanceof PantomimeError || cause instanceof PassingFault || isOfDisk(cause)) throw cause;
    const what = stall.signal.aborted ? `nothing came for ${hub.limits.stallMs / 1000} s` : reasonOf(cause);
    throw new PassingFault(`the connection broke off: ${what}`, { cause });
  } finally {
    stall.stop();
  }
  if (growing.length < remote.sizeBytes) throw new PassingFault('the server sent less than it promised');
}

function requireRange(response: Response, remote: RemoteContent, from: number): void {
  const range = response.headers.get('content-range') ?? '';
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
  if (Number(start) === from && (total === '*' || Number(total) === remote.sizeBytes)) return;
  throw badAnswer(
    remote.url,
    `it sends another part than bytes ${from} to the end of ${remote.sizeBytes}`,
    range.slice(0, 80),
  );
}

/** A fault of this machine's disk is no fault of the connection. */
function isOfDisk(thrown: unknown): boolean {
  return /^(write|writev|ftruncate)$/.test((thrown as NodeJS.ErrnoException).syscall ?? '');
}

/** A file that grows at its end, and the hash of what is in it. */
type Growing = AsyncDisposable & {
  readonly handle: FileHandle;
  readonly length: number;
  readonly hash: Hash;
  readonly append: (part: Uint8Array) => Promise<void>;
  /** Empties it. */
  readonly restart: () => Promise<void>;
};

async function openGrowing(
  { hash: named, sizeBytes }: RemoteContent,
  file: string,
  signal?: AbortSignal,
): Promise<Growing> {
  const handle = await open(file, 'a+');
  const fresh = () => contentHash(named, sizeBytes);
  let hash = fresh();
  let { size: length } = await handle.stat();
  const restart = async () => {
    await handle.truncate(0);
    [length, hash] = [0, fresh()];
  };
  try {
    if (length > sizeBytes) await restart();
    else if (length > 0) await hashInto(hash, file, signal);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    handle,
    get length() {
      return length;
    },
    get hash() {
      return hash;
    },
    async append(part) {
      await handle.appendFile(part);
      hash.update(part);
      length += part.byteLength;
    },
    restart,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** Aborts when it was not started again in time. */
function stallGuard(ms: number): {
  readonly signal: AbortSignal;
  readonly start: () => void;
  readonly stop: () => void;
} {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    timer = setTimeout(() => late.abort(), ms);
  };
  return { signal: late.signal, start, stop };
}

function damaged({ url, hash }: RemoteContent, found: string): PantomimeError {
  return new PantomimeError({
    code: 'hub.damaged',
    kind: 'model',
    what: 'what the hub sends is not the file that it promises',
    where: url,
    got: `hash ${found}`,
    expected: hash,
    hint: 'try again later; what was sent has been removed',
  });
}
