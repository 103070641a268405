import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeRandomModel } from '../models/svd/random-model.js';
import { referencePath } from '../samples/references.js';
import { cacheFolder } from './cache-folder.js';
import { embeddedName, hasEmbeddedModel } from './embedded-model.js';
import type { AnimateInput } from './options/schema.js';

/** The rendered dancer; this file is dist/pipeline/demo.js. */
const dancer = fileURLToPath(new URL('../../samples/driving/dancer.mp4', import.meta.url));

/**
 * What `pantomime demo` animates when nothing else is said: one of our characters, moved by our rendered dancer, with the
 * model that comes with pantomime and what its card says, so that two CPU cores do it in a minute.
 */
export async function demoInputs(): Promise<AnimateInput> {
  const model = (await hasEmbeddedModel()) ? { model: embeddedName } : await randomModel();
  return { image: referencePath('ida'), video: dancer, maxFrames: 48, seed: 1, ...model };
}

/** Where the embedded model is missing: a random one made on the spot. It shows that everything works, and draws noise. */
async function randomModel(): Promise<AnimateInput> {
  const { dir } = await writeRandomModel(join(cacheFolder(), 'random-model'), { seed: 1 });
  return { model: dir, width: 128, height: 192, steps: 6, chunk: 16, overlap: 4 };
}
