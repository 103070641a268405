import { createHash } from 'node:crypto';
import { dirname, parse } from 'node:path';
import type { Source } from './clip.js';
import { pictureEndings, videoEndings } from './clip-folder.js';

/** Longest name of a run folder, in UTF-16 units, and in bytes: disks count those, and give 255 to a name and its endings. */
const maxLength = 100;
const maxBytes = 200;

/** Names of devices on Windows, with or without an ending. */
const device = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)$/i;

/** What the batch folder holds beside the run folders; `work-1-of-2` belongs to a shard. */
const ownNames = /^(work|logs|lock)(-\d+-of-\d+)?$|^(manifest|summary)/i;

/** A run folder with such an ending would be taken for a file. */
const mediaEndings: ReadonlySet<string> = new Set([...videoEndings, ...pictureEndings, 'apng']);

/**
 * A name that is safe for a run folder on every system, as near to the text as can be. Safe names stay as they are; names that
 * are cut get a hash of the whole text.
 */
export function safeName(text: string): string {
  const whole = text.normalize('NFC');
  const plain = whole
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>:"/\\|?*]/gu, '_')
    .replace(/\p{Zs}/gu, ' ')
    .replace(/^[ .-]+/, '')
    .replace(/[ .]+$/, '');
  const name = protect(plain === '' ? 'clip' : plain);
  if (fits(name)) return name;
  const suffix = `-${hashOf(whole, 10)}`;
  let cut = '';
  for (const char of name) {
    if (!fits(cut + char + suffix)) break;
    cut += char;
  }
  return cut + suffix;
}

function protect(name: string): string {
  const ending = parse(name).ext;
  const folder = mediaEndings.has(ending.slice(1).toLowerCase())
    ? `${name.slice(0, -ending.length)}-${ending.slice(1)}`
    : name;
  const first = (folder.split('.', 1)[0] ?? '').trimEnd();
  return device.test(first) || ownNames.test(folder) ? `_${folder}` : folder;
}

function fits(name: string): boolean {
  return name.length <= maxLength && Buffer.byteLength(name) <= maxBytes;
}

/** Two names with one key are one folder on some disk: those of Windows and macOS do not tell `Dance` from `dance`. */
export function nameKey(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase();
}

/** Names for a file, the nicest first; the last is no other file's. */
export function namesFor({ file, id }: Pick<Source, 'file' | 'id'>): readonly string[] {
  const { name: stem, ext } = parse(file);
  const full = ext.length > 1 ? `${stem}-${ext.slice(1)}` : stem;
  const folder = parse(dirname(id)).base.replace(/^\.+$/, '');
  return [stem, full, ...(folder ? [`${folder}-${full}`] : []), ...hashedNames(full, id)].map(safeName);
}

/** A name made unique by what it stands for; the second is for somebody who names a file after the first. */
export function hashedNames(name: string, id: string): readonly string[] {
  return [`${name}-${hashOf(id, 8)}`, `${name}-${hashOf(id, 32)}`];
}

export type NamesGiven = {
  readonly names: readonly string[];
  /** Groups of indices that have come out with one name; their last choices are equal. */
  readonly clashes: readonly (readonly number[])[];
};

/**
 * One name for each list of choices, unique on every disk: whoever collides moves on to the next choice, all of them, so that
 * the result does not depend on the order.
 */
export function giveNames(choices: readonly (readonly string[])[]): NamesGiven {
  const level = new Uint8Array(choices.length);
  const nameOf = (i: number) => choices[i]?.[level[i] ?? 0] ?? '';
  // Each round moves somebody on, and there are few choices.
  for (;;) {
    const groups = new Map<string, number[]>();
    for (let i = 0; i < choices.length; i++) {
      const key = nameKey(nameOf(i));
      const group = groups.get(key);
      if (group) group.push(i);
      else groups.set(key, [i]);
    }
    const clashes = [...groups.values()].filter((group) => group.length > 1);
    const movable = clashes.flat().filter((i) => (level[i] ?? 0) + 1 < (choices[i]?.length ?? 0));
    if (movable.length === 0) return { names: choices.map((_, i) => nameOf(i)), clashes };
    for (const i of movable) level[i] = (level[i] ?? 0) + 1;
  }
}

function hashOf(text: string, digits: number): string {
  return createHash('sha256').update(text.normalize('NFC')).digest('hex').slice(0, digits);
}
