import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { ClipOutcome } from './types.js';

/** One line: what has become of a clip. The last line of a clip counts. */
export type LedgerLine = {
  readonly clip: string;
  readonly state: 'started' | 'done' | 'failed' | 'interrupted';
  readonly attempt: number;
  /** Identity of what the clip was made from: files and options. */
  readonly key?: string | undefined;
  readonly outcome?: ClipOutcome | undefined;
};

/** The states of all clips of a batch, kept on disk. */
export type Ledger = {
  /** The last line of each clip, by its name. */
  readonly last: ReadonlyMap<string, LedgerLine>;
  /** Adds a line; it is on the disk when this resolves. */
  readonly add: (line: LedgerLine) => Promise<void>;
};

const version = 1;
/** Longest line read back; a longer one is not ours. */
const maxLineChars = 256 * 1024;

/** Only what is relied on; the rest is for people and pages. */
const lineSchema = z.looseObject({
  v: z.literal(version),
  clip: z.string().min(1).max(300),
  state: z.enum(['started', 'done', 'failed', 'interrupted']),
  attempt: z.int().min(0),
  key: z.string().optional(),
  outcome: z
    .looseObject({ name: z.string(), state: z.string(), video: z.string(), image: z.string(), attempts: z.number() })
    .optional(),
});

/**
 * Opens (makes) an append-only ledger, JSON Lines. Lines that are not whole (the last one, after a kill or a full disk) are passed
 * over. A ledger that vanishes while it is open is written anew with all it has known.
 */
export async function openLedger(path: string): Promise<Ledger> {
  const last = new Map<string, LedgerLine>();
  const text = await readFile(path, 'utf8').catch(() => '');
  for (const line of readLines(text)) last.set(line.clip, line);
  let size = Buffer.byteLength(text);
  // What a killed writer has left unfinished must not swallow the next line.
  let separator = text === '' || text.endsWith('\n') ? '' : '\n';
  let queue: Promise<unknown> = Promise.resolve();

  const append = async (line: LedgerLine) => {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'a');
    try {
      const { size: there } = await handle.stat();
      const vanished = there < size;
      const lines = vanished ? [...last.values()] : [line];
      const added = (vanished && there > 0 ? '\n' : separator) + lines.map(textOf).join('');
      // Until all of it is written, what there is may end within a line.
      separator = '\n';
      await handle.writeFile(added);
      await handle.sync();
      separator = '';
      size = (vanished ? there : size) + Buffer.byteLength(added);
    } finally {
      await handle.close();
    }
  };
  return {
    last,
    add(line) {
      last.set(line.clip, line);
      const added = queue.then(() => append(line));
      queue = added.catch(() => {});
      return added;
    },
  };
}

/** The last line of each clip in every ledger of a batch folder: those of all machines that share it. */
export async function readLedgers(dir: string): Promise<ReadonlyMap<string, LedgerLine>> {
  const last = new Map<string, LedgerLine>();
  const names = (await readdir(dir).catch(() => [])).filter((name) => /^manifest.*\.jsonl$/.test(name)).sort();
  for (const name of names) {
    for (const line of readLines(await readFile(join(dir, name), 'utf8').catch(() => ''))) last.set(line.clip, line);
  }
  return last;
}

function* readLines(text: string): Generator<LedgerLine> {
  for (const line of text.split('\n')) {
    if (line === '' || line.length > maxLineChars) continue;
    try {
      const parsed = lineSchema.safeParse(JSON.parse(line));
      if (parsed.success) yield parsed.data as unknown as LedgerLine;
    } catch {
      // Half a line.
    }
  }
}

function textOf(line: LedgerLine): string {
  return `${JSON.stringify({ v: version, t: new Date().toISOString(), ...line })}\n`;
}
