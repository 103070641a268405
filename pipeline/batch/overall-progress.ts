import { etaEstimator, type ProgressEvent, type StageName } from '../events.js';
import type { BatchEvent, BatchProgress } from './types.js';

export type OverallProgress = Omit<BatchProgress, 'type'>;

/** Roughly what part of a clip's time the long stages take, in the order in which they happen. */
const longStages: readonly (readonly [StageName, number])[] = [
  ['pose', 0.25],
  ['denoise', 0.55],
  ['decode', 0.15],
];
/** All other stages together, each the same. */
const restWeight = 0.05;
const restStages = 10;

/**
 * Follows a batch from its events: how many clips are done, those under way counted in part, and how long the rest takes.
 *
 * A clip's part never falls during an attempt. No estimate is given before a clip has ended or has begun to denoise: the
 * stages before that say little about the long ones.
 * @param total clips to be animated by this call. @param now milliseconds, monotonic.
 * @returns takes each event of the batch, gives the state after it; clips finished earlier do not count.
 */
export function overallProgress(
  total: number,
  now: () => number = () => performance.now(),
): (event: BatchEvent) => OverallProgress {
  const active = new Map<string, ClipPart>();
  const eta = etaEstimator(now);
  let ended = 0;
  let failed = 0;
  let telling = false;
  let last: OverallProgress = { done: 0, failed: 0, total };

  return (event) => {
    switch (event.type) {
      case 'clip.start':
        active.set(event.clip, clipPart());
        break;
      case 'clip.event':
        active.get(event.clip)?.advance(event.event);
        telling ||= event.event.type === 'stage.progress' && event.event.stage === 'denoise';
        break;
      case 'clip.end':
        active.delete(event.name);
        if (event.earlier || event.state === 'interrupted') break;
        ended++;
        if (event.state === 'failed') failed++;
        telling = true;
        break;
      default:
        return last;
    }
    let done = ended;
    for (const part of active.values()) done += part.done();
    done = Math.min(done, total);
    if (done === last.done && failed === last.failed) return last;
    const etaSec = eta(done, total);
    last = { done, failed, total, etaSec: telling ? etaSec : undefined };
    return last;
  };
}

type ClipPart = { readonly advance: (event: ProgressEvent) => void; readonly done: () => number };

/** The part of one attempt at a clip that is done, 0 to 1. */
function clipPart(): ClipPart {
  const parts = longStages.map(() => 0);
  const rest = new Set<StageName>();
  const reach = (stage: StageName, part: number) => {
    const index = longStages.findIndex(([name]) => name === stage);
    if (index < 0) return false;
    parts[index] = Math.max(parts[index] as number, Math.min(1, part));
    // What comes before was done, or was not needed.
    parts.fill(1, 0, index);
    return true;
  };
  return {
    advance: (event) => {
      if (event.type === 'stage.start') reach(event.stage, 0);
      else if (event.type === 'stage.progress') reach(event.stage, event.total ? event.done / event.total : 0);
      else if (event.type === 'stage.done' && !reach(event.stage, 1)) rest.add(event.stage);
    },
    done: () =>
      longStages.reduce((sum, [, weight], i) => sum + weight * (parts[i] as number), 0) +
      (restWeight * Math.min(rest.size, restStages)) / restStages,
  };
}
