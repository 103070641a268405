import type { Engine } from '../models/runtime/engine.js';
import type { RgbImage } from '../stages/types.js';
import { type Conditioning, encodeReference } from './conditioning.js';
import { encodersKey } from './fingerprint.js';
import { hashBytes, keyOf } from './hashes.js';
import { oneAtATime } from './one-at-a-time.js';
import type { Plan } from './plan.js';
import { rescued } from './precision.js';
import type { Run } from './run.js';
import { augmentationNoise } from './start-noise.js';
import { readTensors, writeTensors } from './tensor-file.js';

/** Embedding and latents of the reference picture, from the work folder when they are there. */
export async function conditionOn(
  run: Run,
  { options, seed, residency, precision, model, provider }: Plan,
  engine: Engine,
  picture: RgbImage,
): Promise<Conditioning> {
  const { noiseAugStrength } = options;
  const encoders = await encodersKey(model);
  const key = keyOf([
    encoders,
    provider,
    precision,
    residency,
    seed,
    noiseAugStrength,
    picture.width,
    hashBytes(picture.data),
  ]);
  const file = run.store.shared('reference', key, 'safetensors');
  return oneAtATime(file, async () => {
    const earlier = (await run.reuses(file)) ? ((await readTensors(file)) as Conditioning) : undefined;
    return run.stage(
      'encode-reference',
      'encoding the picture',
      async () => {
        if (earlier) return earlier;
        const augNoise = augmentationNoise(seed, picture.height, picture.width);
        const inputs = { model, residency, picture, augNoise, noiseAugStrength, signal: run.signal };
        const made = await rescued(run, precision, (type) => encodeReference(engine, { ...inputs, precision: type }));
        await run.store.put(file, (part) => writeTensors(part, made));
        return made;
      },
      earlier !== undefined,
    );
  });
}
