import { join } from 'node:path';
import { firstReadable } from './files.js';

/** Which of the published files of a network is used: `auto` takes fp16 where both are there. */
export type Variant = 'auto' | 'fp16' | 'fp32';

/**
 * The weights of a network in `folder`, under the names that diffusers and transformers give them; an index stands for
 * its shards. `fp32` are the files without a variant in their name, `fp16` those with it. Of one variant safetensors
 * come before PyTorch files, and whole files before shards. Undefined when there are none.
 */
export function findWeights(folder: string, stems: readonly string[], variant: Variant): Promise<string | undefined> {
  const variants = variant === 'auto' ? (['fp16', 'fp32'] as const) : [variant];
  const names = variants.flatMap((of) =>
    (['safetensors', 'bin'] as const).flatMap((ending) => stems.flatMap((stem) => published[of](stem, ending))),
  );
  return firstReadable(names.map((name) => join(folder, name)));
}

/** File names of each variant; indices of fp16 shards have been written in both orders. */
const published: Readonly<Record<Exclude<Variant, 'auto'>, (stem: string, ending: string) => readonly string[]>> = {
  fp16: (stem, ending) => [
    `${stem}.fp16.${ending}`,
    `${stem}.${ending}.index.fp16.json`,
    `${stem}.fp16.${ending}.index.json`,
  ],
  fp32: (stem, ending) => [`${stem}.${ending}`, `${stem}.${ending}.index.json`],
};
