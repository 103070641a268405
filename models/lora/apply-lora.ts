import type { Checkpoint, LowRankChange } from '../checkpoint/checkpoint.js';
import type { Lora } from './open-lora.js';

/**
 * The checkpoint with a LoRA added to its weights, `scale` times, on top of those that it has already. Nothing is read or
 * written: graphs over it add the change where they use a weight. With scale 0 it is the checkpoint itself.
 */
export function applyLora(checkpoint: Checkpoint, lora: Lora, scale: number): Checkpoint {
  const added = [...lora.changes].filter(([, change]) => change.scale * scale !== 0);
  if (added.length === 0) return checkpoint;
  const changes = new Map<string, readonly LowRankChange[]>(checkpoint.changes);
  for (const [weight, change] of added) {
    changes.set(weight, [...(changes.get(weight) ?? []), { ...change, scale: change.scale * scale }]);
  }
  return { ...checkpoint, changes, sources: [...checkpoint.sources, lora.file] };
}
