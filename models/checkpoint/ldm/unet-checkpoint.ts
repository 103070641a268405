import { parseUNetConfig } from '../../svd/unet-config.js';
import type { Checkpoint } from '../checkpoint.js';
import { translate } from './translate.js';
import { unetTranslation } from './unet-names.js';

/** Where the UNet lies in a whole model; files converted for ComfyUI keep this, some without `model.` */
export const unetPrefix = 'model.diffusion_model.';
const prefix = /^(model\.)?diffusion_model\./;

/** How names begin in generative-models and never in diffusers. */
const foreign = /^(input_blocks|output_blocks|middle_block|time_embed|label_emb|out)\./;

/**
 * UNet weights, all or some of them, under the names of diffusers, whichever of the two namings they have.
 * `config` is the UNet's config.json. Throws PantomimeError `checkpoint.names` when some have names of neither.
 */
export function asUnetNames(checkpoint: Checkpoint, config: unknown): Checkpoint {
  const bare = (name: string) => name.replace(prefix, '');
  if (![...checkpoint.tensors.keys()].some((name) => foreign.test(bare(name)))) return checkpoint;
  const translation = unetTranslation(parseUNetConfig(config).levels.map(({ layers }) => layers));
  return translate(checkpoint, (name, location) => translation(bare(name), location), 'UNet');
}
