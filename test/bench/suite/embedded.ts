import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { parseVaeConfig } from '#dist/models/svd/vae-config.js';
import { embeddedName, modelDirOf } from '#dist/pipeline/embedded-model.js';
import type { StepModel } from './middle-model.js';

/** The bundle's own size and chunk, as its card has them. */
export const embeddedSize = { frames: 16, width: 128, height: 192 } as const;

export async function openEmbedded() {
  const folder = await openModelFolder(modelDirOf(embeddedName));
  if (!folder.controlnext) throw new Error('the embedded bundle has no control network');
  const { pixelsPerLatent } = parseVaeConfig(folder.vae.config);
  const model: StepModel = {
    name: 'embedded',
    unet: folder.unet.checkpoint,
    unetConfig: folder.unet.config,
    controlnext: folder.controlnext,
    ...{ ...embeddedSize, pixelsPerLatent },
  };
  return { folder, model };
}
