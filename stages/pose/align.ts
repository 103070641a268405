import type { PoseSequence } from '../types.js';
import { alignReference } from './align-reference.js';
import { alignRobust, type KeptPeople } from './align-robust.js';
import { type AlignedPoses, coverTransform, type PictureOfPeople, transformPoses } from './align-transform.js';

/**
 * How driving poses are brought onto the reference person.
 * `robust`: one confidence-weighted, always upright fit for the clip, with fall-backs. `reference`: the published fit,
 * quirks included. `none`: the driving picture is laid over the output scaled to cover and centred, so that equal aspect
 * ratios keep the coordinates as they are and others keep the body's proportions.
 */
export type AlignMode = 'robust' | 'reference' | 'none';

export type AlignInput = {
  readonly mode: AlignMode;
  /** The people found in the prepared reference picture, and its size: the size of the output video. */
  readonly reference: PictureOfPeople;
  /** The frames to animate, after frame selection; its width and height are those of the driving pictures. */
  readonly driving: PoseSequence;
  /** For `robust` only; the other modes keep everybody. Default `subject`. */
  readonly keep?: KeptPeople;
};

/** Brings driving poses into the output picture. Throws PantomimeError in mode `reference` only (see `alignReference`). */
export function alignPoses({ mode, reference, driving, keep = 'subject' }: AlignInput): AlignedPoses {
  if (mode === 'reference') return alignReference(reference, driving);
  if (mode === 'robust') return alignRobust(reference, driving, keep);
  const transform = coverTransform(driving, reference);
  return { sequence: transformPoses(driving, transform, reference), transform, notes: [] };
}
