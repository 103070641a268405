import { PantomimeError } from '../../models/errors.js';
import type { PoseSequence } from '../types.js';
import { type AlignedPoses, type PictureOfPeople, type PoseTransform, transformPoses } from './align-transform.js';
import { presentScore } from './keypoint.js';

/** Everything but elbows and wrists. */
const fittedJoints = [0, 1, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

/**
 * The published fit (ControlNeXt-SVD-v2 and MimicMotion, dwpose/preprocess.py), quirks included: an unweighted line through
 * (driving y, reference y) over all frames with exactly one person gives the vertical map; the horizontal scale follows from
 * the sizes, the horizontal offset from the means. Driving scores are ignored, nothing keeps the scale positive, and the
 * first person of the reference counts.
 *
 * Throws PantomimeError where the published code fails: `pose.align-no-single-person`, `pose.align-no-reference-joint`,
 * `pose.align-degenerate`.
 */
export function alignReference(reference: PictureOfPeople, driving: PoseSequence): AlignedPoses {
  const body = reference.people[0]?.body ?? [];
  const joints = fittedJoints.filter((joint) => (body[joint]?.score ?? 0) > presentScore);
  if (joints.length === 0) {
    throw new PantomimeError({
      code: 'pose.align-no-reference-joint',
      kind: 'input',
      what: 'the published fit needs a visible joint of the head, torso or legs in the reference picture',
      where: 'reference picture',
      got: reference.people.length === 0 ? 'nobody' : 'a person without such joints',
      hint: 'Use a picture that shows head and shoulders, or the robust alignment.',
    });
  }
  const sources: { x: number; y: number }[] = [];
  const targets: { x: number; y: number }[] = [];
  for (const { people } of driving.frames) {
    const [person, ...others] = people;
    if (!person || others.length > 0) continue;
    for (const joint of joints) {
      const from = person.body[joint];
      const to = body[joint];
      if (!from || !to) continue;
      sources.push(from);
      targets.push(to);
    }
  }
  if (sources.length === 0) {
    throw new PantomimeError({
      code: 'pose.align-no-single-person',
      kind: 'input',
      what: 'the published fit needs a driving frame with exactly one person',
      where: 'driving video',
      got: `${driving.frames.length} frames, none with one person`,
      hint: 'Use a clip of one person, or the robust alignment.',
    });
  }
  const { slope: ay, offset: by } = leastSquares(
    sources.map(({ y }) => y),
    targets.map(({ y }) => y),
  );
  const ax = ay / ((driving.height / driving.width / reference.height) * reference.width);
  const bx = mean(targets.map(({ x }, i) => x - ax * (sources[i] as { x: number }).x));
  if (![ax, bx, ay, by].every(Number.isFinite)) {
    throw new PantomimeError({
      code: 'pose.align-degenerate',
      kind: 'input',
      what: 'the published fit has no solution for these poses',
      where: 'driving video',
      got: `${sources.length} joints at one height`,
      hint: 'Use the robust alignment.',
    });
  }
  const transform: PoseTransform = {
    scale: (ay * reference.height) / driving.height,
    ax,
    bx,
    ay,
    by,
    basis: 'published',
  };
  const notes = ay > 0 ? [] : ['The published fit turned the skeleton upside down; the robust alignment would not.'];
  return { sequence: transformPoses(driving, transform, reference), transform, notes };
}

/** Ordinary least squares. Where all x are equal numpy's polyfit takes the smallest solution of its scaled system, so does this. */
function leastSquares(x: readonly number[], y: readonly number[]): { slope: number; offset: number } {
  const meanX = mean(x);
  const meanY = mean(y);
  if (x.every((value) => value === x[0])) return { slope: meanY / (2 * meanX), offset: meanY / 2 };
  let covariance = 0;
  let variance = 0;
  x.forEach((value, i) => {
    covariance += (value - meanX) * ((y[i] as number) - meanY);
    variance += (value - meanX) ** 2;
  });
  const slope = covariance / variance;
  return { slope, offset: meanY - slope * meanX };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
