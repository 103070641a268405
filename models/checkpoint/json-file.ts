import { open } from 'node:fs/promises';

import { PantomimeError } from '../errors.js';
import { namesTwice } from './names-twice.js';

/** Configs are a few kilobytes; the index of a sharded model may reach a megabyte. */
export const maxJsonBytes = 8 * 1024 * 1024;

/** Parsed content of a JSON file of a model folder. Throws PantomimeError `model.json` when it is too large or not JSON. */
export async function readJsonFile(path: string): Promise<unknown> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > maxJsonBytes) throw new RangeError(`${size} bytes are more than the limit of ${maxJsonBytes}`);
      const text = await handle.readFile('utf8');
      const value: unknown = JSON.parse(text);
      if (namesTwice(text, value)) throw new SyntaxError('it names something twice');
      return value;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new PantomimeError({
      code: 'model.json',
      kind: 'model',
      what: `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      where: path,
      expected: 'a JSON file of the model',
      hint: 'Get the file again from the page of the model.',
      cause,
    });
  }
}
