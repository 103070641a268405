import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeRandomModel } from '../models/svd/random-model.js';
import { cacheFolder } from './cache-folder.js';
import type { AnimateInput } from './options/schema.js';

/** Root of the package; this file is dist/pipeline/demo.js. */
const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What `pantomime demo` animates when nothing else is said: our rendered dancer and one of our characters, with a small
 * random model that is made on the spot, so that the result is noise, at a size that two CPU cores do in a minute.
 */
export async function demoInputs(): Promise<AnimateInput> {
  const { dir } = await writeRandomModel(join(cacheFolder(), 'random-model'), { seed: 1 });
  return {
    image: join(root, 'samples', 'reference', 'mira.png'),
    video: join(root, 'samples', 'driving', 'dancer.mp4'),
    model: dir,
    width: 128,
    height: 192,
    steps: 6,
    chunk: 16,
    overlap: 4,
    seed: 1,
  };
}
