import type { Checkpoint } from '../models/checkpoint/checkpoint.js';
import { applyLora } from '../models/lora/apply-lora.js';
import { openLora } from '../models/lora/open-lora.js';
import { parseLora } from './options/lora-value.js';

/** A LoRA of a run. */
export type PlannedLora = {
  /** Real path. */
  readonly file: string;
  readonly scale: number;
  /** How many weights it changes. */
  readonly layers: number;
  /** Smallest and largest rank. */
  readonly ranks: readonly [number, number];
};

/**
 * The UNet with the LoRAs that the options name, on top of each other. All are opened and checked; one of scale 0 is left out, as if
 * it had not been given. Throws PantomimeError of kind `model`, see `openLora`.
 */
export async function withLoras(
  unet: Checkpoint,
  values: readonly string[],
): Promise<{ readonly checkpoint: Checkpoint; readonly loras: readonly PlannedLora[] }> {
  let checkpoint = unet;
  const loras: PlannedLora[] = [];
  for (const { file: path, scale } of values.flatMap((value) => parseLora(value) ?? [])) {
    const lora = await openLora(path, unet);
    checkpoint = applyLora(checkpoint, lora, scale);
    const { file, changes, ranks } = lora;
    if (scale !== 0) loras.push({ file, scale, layers: changes.size, ranks });
  }
  return { checkpoint, loras };
}
