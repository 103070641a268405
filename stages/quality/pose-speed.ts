import type { Person } from '../types.js';

const presentScore = 0.3;

/**
 * How fast a pose moves: the mean distance that the body's joints present in both frames have gone, in picture heights a
 * frame. 0 at rest; undefined when no joint is present in both.
 * @param picture its size, or any size of the same aspect
 */
export function poseSpeed(
  before: Person | undefined,
  pose: Person | undefined,
  picture: { readonly width: number; readonly height: number },
): number | undefined {
  if (!before || !pose) return undefined;
  const aspect = picture.width / picture.height;
  let [sum, count] = [0, 0];
  for (const [i, point] of pose.body.entries()) {
    const from = before.body[i];
    if (!from || from.score <= presentScore || point.score <= presentScore) continue;
    sum += Math.hypot((point.x - from.x) * aspect, point.y - from.y);
    count++;
  }
  return count === 0 ? undefined : sum / count;
}
