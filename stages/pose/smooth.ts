import { PantomimeError } from '../../models/errors.js';
import type { Keypoint, Person, PoseSequence } from '../types.js';
import { extentOf, type Part, pointsOfPart, presentScore, rounded } from './keypoint.js';
import { localFit, type Track, type TrackPoint } from './local-fit.js';

export type SmoothOptions = {
  /** 0..1: 0 leaves the sequence as it is, 1 averages over a second. */
  readonly strength: number;
};

// Times in seconds, so that a clip at 60 frames per second is smoothed like one at 30.
const halfWindowSecOfStrength = 0.5;
const longestGapSec = 0.17; // 5 frames at 30 per second
const scoreWindowSec = 0.07;

/** A detector errs by about this share of the person's size; what moves more from frame to frame is movement. */
const mostNoiseOfSize = 0.01;

const parts: readonly Part[] = ['body', 'leftHand', 'rightHand', 'face'];
type Hand = 'leftHand' | 'rightHand';
const wristOfHand: Readonly<Record<Hand, number>> = { leftHand: 7, rightHand: 4 };

/**
 * One person's movement without the detector's jitter and without lag: every point is fitted with the past and the future
 * of its own track, over the widest window in which the movement is still a straight line or a parabola within the
 * detector's noise (see {@link localFit}). So a still shoulder is averaged over many frames and a fast wrist over few or none.
 *
 * Gaps of up to 0.17 s between two sightings are filled along a straight line, at half of what the score was above the
 * threshold. Points that are not present keep place and score. Run it on a sequence that followSubject returned: with
 * two people in a frame it throws.
 */
export function smoothPoses(sequence: PoseSequence, { strength }: SmoothOptions): PoseSequence {
  if (strength <= 0) return sequence;
  const people = sequence.frames.map(({ people }) => people[0]);
  if (sequence.frames.some((frame) => frame.people.length > 1))
    throw new PantomimeError({
      code: 'pose.several-people',
      kind: 'internal',
      what: 'only the movement of one person can be smoothed',
      hint: 'Choose whom to follow first',
    });

  const fps = sequence.frameRate.num / sequence.frameRate.den;
  const aspect = sequence.width / sequence.height;
  const frames = (seconds: number) => Math.max(1, Math.round(seconds * fps));
  const settings: TrackSettings = {
    aspect,
    halfWindow: frames(halfWindowSecOfStrength * Math.min(strength, 1)),
    longestGap: frames(longestGapSec),
    scoreWindow: frames(scoreWindowSec),
    mostNoise: mostNoiseOfSize * sizeOfPerson(people, aspect),
  };

  const smooth = {} as Record<Part, readonly (readonly Keypoint[] | undefined)[]>;
  for (const part of parts) smooth[part] = smoothPart(people, part, settings);
  // Where the detector put wrists onto the roots of their hands, the hands follow the wrists, which are seen in more frames.
  const onWrist = new Set(
    Object.entries(wristOfHand).flatMap(([hand, wrist]) => {
      const joined = people.some((person) => samePlace(person?.[hand as Hand]?.[0], person?.body[wrist]));
      return joined ? [hand] : [];
    }),
  );

  const smoothed = sequence.frames.map((_, frame) => {
    const body = smooth.body[frame];
    if (!body) return { people: [] };
    const handAt = (hand: Hand) => {
      const points = smooth[hand][frame];
      const moved = points && onWrist.has(hand) ? moveOnto(points, body[wristOfHand[hand]]) : points;
      return moved?.map(rounded) ?? null;
    };
    const person: Person = {
      body: body.map(rounded),
      leftHand: handAt('leftHand'),
      rightHand: handAt('rightHand'),
      face: smooth.face[frame]?.map(rounded) ?? null,
    };
    return { people: [person] };
  });
  return { ...sequence, frames: smoothed };
}

type TrackSettings = {
  readonly aspect: number;
  readonly halfWindow: number;
  readonly longestGap: number;
  readonly scoreWindow: number;
  readonly mostNoise: number;
};

/** The part in every frame; undefined where it neither was found nor could be filled in. */
function smoothPart(
  people: readonly (Person | undefined)[],
  part: Part,
  settings: TrackSettings,
): readonly (readonly Keypoint[] | undefined)[] {
  const found = people.map((person) => person?.[part] ?? undefined);
  const filled = fillGaps(found, settings.longestGap);
  const points = Array.from({ length: pointsOfPart[part] }, (_, i) =>
    smoothTrack(
      fillPointGaps(
        filled.map((frame) => frame?.[i]),
        settings.longestGap,
      ),
      settings,
    ),
  );
  return filled.map((frame, t) => frame && points.map((track) => track[t] as Keypoint));
}

/** Frames without the part between two frames with it, if they are few, get it on a straight line between the two. */
function fillGaps(
  frames: readonly (readonly Keypoint[] | undefined)[],
  longest: number,
): readonly (readonly Keypoint[] | undefined)[] {
  const filled = [...frames];
  for (const { before, after } of gaps(frames, (frame) => frame !== undefined, longest)) {
    const [a, b] = [frames[before] ?? [], frames[after] ?? []];
    for (let t = before + 1; t < after; t++)
      filled[t] = a.map((from, i) => between(from, b[i] as Keypoint, (t - before) / (after - before)));
  }
  return filled;
}

/** The same for a single point that is there but not present, e.g. hidden for a moment. */
function fillPointGaps(track: readonly (Keypoint | undefined)[], longest: number): readonly (Keypoint | undefined)[] {
  const filled = [...track];
  for (const { before, after } of gaps(track, (point) => (point?.score ?? 0) > presentScore, longest))
    for (let t = before + 1; t < after; t++)
      filled[t] = between(track[before] as Keypoint, track[after] as Keypoint, (t - before) / (after - before));
  return filled;
}

function* gaps<T>(
  items: readonly T[],
  there: (item: T) => boolean,
  longest: number,
): Generator<{ readonly before: number; readonly after: number }> {
  let before = -1;
  for (let after = 0; after < items.length; after++) {
    if (!there(items[after] as T)) continue;
    if (before >= 0 && after - before > 1 && after - before - 1 <= longest) yield { before, after };
    before = after;
  }
}

function between(a: Keypoint, b: Keypoint, share: number): Keypoint {
  const lower = Math.min(a.score, b.score);
  return {
    x: a.x + share * (b.x - a.x),
    y: a.y + share * (b.y - a.y),
    score: lower > presentScore ? presentScore + (lower - presentScore) / 2 : lower,
  };
}

function smoothTrack(
  track: readonly (Keypoint | undefined)[],
  { aspect, halfWindow, scoreWindow, mostNoise }: TrackSettings,
): readonly (Keypoint | undefined)[] {
  const points: Track = track.map((point): TrackPoint | undefined =>
    point && point.score > presentScore
      ? { x: point.x * aspect, y: point.y, weight: Math.min(point.score, 1) }
      : undefined,
  );
  const fitted = localFit(points, halfWindow, mostNoise);
  return track.map((point, t) => {
    const place = fitted[t];
    if (!point || !place) return point;
    return { x: place.x / aspect, y: place.y, score: meanScore(track, t, scoreWindow) };
  });
}

/** Colours are multiplied by scores, so these flicker visibly too: a triangular mean over present neighbours. */
function meanScore(track: readonly (Keypoint | undefined)[], t: number, reach: number): number {
  let sum = 0;
  let weights = 0;
  for (let k = -reach; k <= reach; k++) {
    const score = track[t + k]?.score ?? 0;
    if (score <= presentScore) continue;
    const weight = reach + 1 - Math.abs(k);
    sum += weight * score;
    weights += weight;
  }
  return sum / weights;
}

/** Median height or width of the person, whichever is larger, in picture heights. */
function sizeOfPerson(people: readonly (Person | undefined)[], aspect: number): number {
  const sizes = people.flatMap((person) => {
    const extent = person && extentOf(person, aspect);
    return extent ? [Math.max(extent.width, extent.height)] : [];
  });
  return sizes.sort((a, b) => a - b)[sizes.length >> 1] ?? 0;
}

function samePlace(a: Keypoint | undefined, b: Keypoint | undefined): boolean {
  return a !== undefined && a.x === b?.x && a.y === b.y;
}

function moveOnto(hand: readonly Keypoint[], wrist: Keypoint | undefined): readonly Keypoint[] {
  const root = hand[0];
  if (!root || !wrist || wrist.score <= presentScore) return hand;
  return hand.map((point) => ({ ...point, x: point.x + wrist.x - root.x, y: point.y + wrist.y - root.y }));
}
