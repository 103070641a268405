import { createHash, randomUUID } from 'node:crypto';
import { link, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { PantomimeError } from '../models/errors.js';
import { readJson, readText } from './files.js';

/** Held until disposed of. */
export type FolderLock = AsyncDisposable & {
  /** Aborts when somebody else has taken the lock over, e.g. after this machine was asleep. */
  readonly lost: AbortSignal;
};

type Owner = {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** When the process was started, in the system's ticks, where that can be told: ids are used again. */
  readonly born: string | undefined;
  readonly since: string;
};

/** The owner shows this often that it is alive. */
const beatMs = 5_000;
/** A lock of another machine is stale after this long without a beat. */
const staleMs = 60_000;
/** Others may take, drop or remove the lock while it is looked at; so often it is looked at again, after so long. */
const attempts = 20;
const waitMs = 50;

/**
 * Takes the lock of a folder: a file that says who has it. The file appears whole or not at all, also on network disks. A lock
 * whose process is gone, or which has not been renewed for a minute on another machine, is taken over.
 * Throws PantomimeError `output.locked`. @param file of the lock. @param folder what it protects, for the message.
 */
export async function lockFolder(file: string, folder = dirname(file)): Promise<FolderLock> {
  const { pid } = process;
  const since = new Date().toISOString();
  const owner: Owner = { token: randomUUID(), pid, host: hostname(), born: await bornAt(pid), since };
  const own = `${file}.${owner.token}`;
  await writeFile(own, JSON.stringify(owner), { flag: 'wx' });
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const taken = await link(own, file).then(() => true, isThere);
      if (taken) return hold(file, owner);
      const other = await ownerOf(file);
      if (other && !(await isStale(file, other, own))) throw locked(folder, other);
      await removeStale(file, other?.token, own);
    }
  } finally {
    await rm(own, { force: true });
  }
  throw locked(folder, await ownerOf(file));
}

function isThere(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false;
  throw error;
}

/**
 * Removes a stale lock, unless it is another one by now. One process at a time: whoever has the second lock, which is named by the
 * first, is the only one to remove the first, so what was looked at cannot change before it is removed.
 */
async function removeStale(file: string, token: string | undefined, own: string): Promise<void> {
  const name = createHash('sha256')
    .update(token ?? '')
    .digest('hex');
  const removing = `${file}.${name.slice(0, 16)}.removing`;
  if (!(await link(own, removing).then(() => true, isThere))) {
    await setTimeout(waitMs);
    // Its owner has ended in the middle of it.
    if (await isOlder(removing, own, 2 * beatMs)) await rm(removing, { force: true });
    return;
  }
  try {
    if ((await ownerOf(file))?.token === token) await rm(file, { force: true });
  } finally {
    await rm(removing, { force: true });
  }
}

function hold(file: string, owner: Owner): FolderLock {
  const lost = new AbortController();
  const isOurs = async () => (await ownerOf(file))?.token === owner.token;
  const beat = async () => {
    if (await isOurs()) await utimes(file, new Date(), new Date()).catch(() => {});
    else if (await ownerOf(file)) lost.abort(lostError(file));
    // Removed together with the folder, which may have been made anew since.
    else await writeFile(file, JSON.stringify(owner), { flag: 'wx' }).catch(() => {});
  };
  const timer = setInterval(() => void beat(), beatMs).unref();
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      if (await isOurs()) await rm(file, { force: true });
    },
  };
}

async function ownerOf(file: string): Promise<Owner | undefined> {
  const owner = (await readJson(file)) as Partial<Owner> | undefined;
  const whole = typeof owner?.token === 'string' && Number.isInteger(owner.pid) && typeof owner.host === 'string';
  return whole ? (owner as Owner) : undefined;
}

/** @param now a file that was made just now: the clocks of machines differ, that of the disk is one. */
async function isStale(file: string, { host, pid, born }: Owner, now: string): Promise<boolean> {
  if (host === hostname()) return !isAlive(pid) || (born !== undefined && (await bornAt(pid)) !== born);
  return isOlder(file, now, staleMs);
}

async function isOlder(file: string, now: string, byMs: number): Promise<boolean> {
  const made = await stat(file).catch(() => undefined);
  return made !== undefined && (await stat(now)).mtimeMs - made.mtimeMs > byMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat; undefined where there is none. */
async function bornAt(pid: number): Promise<string | undefined> {
  const text = await readText(`/proc/${pid}/stat`);
  return text
    ?.slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .at(19);
}

function locked(folder: string, owner: Owner | undefined): PantomimeError {
  return new PantomimeError({
    code: 'output.locked',
    kind: 'usage',
    what: 'another pantomime is at work in this folder',
    where: folder,
    got: owner && `process ${owner.pid} on ${owner.host}, since ${owner.since}`,
    hint: 'wait for it or end it; or choose another place with -o',
  });
}

function lostError(file: string): PantomimeError {
  return new PantomimeError({
    code: 'output.lock-lost',
    kind: 'interrupted',
    what: 'another pantomime has taken this folder over',
    where: dirname(file),
    hint: 'the same command again goes on when the other one has ended',
  });
}
