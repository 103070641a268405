import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { movementOptions } from '../options/checks.js';
import { showValue } from '../options/problem.js';
import type { Pair, Shard } from './types.js';

/** More machines than anybody shares one folder with. */
const maxCount = 10_000;

/**
 * This machine's part of a batch, from text such as `2/5`: the second of five.
 * @throws PantomimeError `batch.shard` when the text is anything else.
 */
export function parseShard(text: string): Shard {
  const [, index = 0, count = 0] = (/^\s*(\d{1,9})\s*\/\s*(\d{1,9})\s*$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count && count <= maxCount) return { index, count };
  throw new PantomimeError({
    code: 'batch.shard',
    kind: 'usage',
    what: 'this is not a part of a batch',
    where: '--shard',
    got: showValue(text),
    expected: `I/N: the number of this machine, from 1, and how many there are, at most ${maxCount}`,
    hint: '--shard 1/2 on one machine and --shard 2/2 on the other',
  });
}

/**
 * Whether a clip belongs to this machine. The hash of the clip's file name alone decides, so the answer is the same on every
 * machine, wherever the shared disk is mounted and whatever else is in the folder, and all pictures of a clip stay on one
 * machine, where its poses are found once.
 */
export function inShard(pair: Pair, shard: Shard): boolean {
  const digest = createHash('sha256').update(nameOfClip(pair)).digest();
  // 48 bits: exact as a number, and far more than there are machines.
  return digest.readUIntBE(0, 6) % shard.count === shard.index - 1;
}

function nameOfClip(pair: Pair): string {
  const option = movementOptions.find((name) => typeof pair.layer.entries.get(name)?.value === 'string');
  const path = option === undefined ? pair.name : String(pair.layer.entries.get(option)?.value);
  // Every run writes its poses to a file of one and the same name, so their folder tells them apart.
  const name = option === 'video' ? basename(path) : `${basename(dirname(path))}/${basename(path)}`;
  // macOS hands out decomposed accents.
  return name.normalize('NFC');
}
