import type { Rational } from '../types.js';
import { positive, type RawStream } from './ffprobe.js';
import { nearestCommonRate, parseRational, toNumber } from './rational.js';

export type PacketScan = {
  /** Times of the first packets in display order, in units of the stream's time base. */
  readonly times: readonly number[];
  /** Duration of the last packet when known, same units. */
  readonly lastDuration: number;
  /** Seconds of one such unit. */
  readonly tickSec: number;
  /** Whether the stream has no further packets. */
  readonly whole: boolean;
  readonly durationSec: number | undefined;
};

/**
 * ffprobe offers two rates: `r_frame_rate` (the coarsest grid that all timestamps fit) and `avg_frame_rate` (frames /
 * duration). The stream is constant when its timestamps step one by one along one of them, rounding of the container
 * aside; then that one is exact. Otherwise the rate is the average.
 */
export function readFrameRate(
  stream: RawStream,
  { times, lastDuration, tickSec, whole }: PacketScan,
  durationSec: number | undefined,
): { readonly frameRate: Rational; readonly variableFrameRate: boolean } {
  const grid = parseRational(stream.r_frame_rate);
  const average = parseRational(stream.avg_frame_rate);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const spanSec = (last - first + lastDuration) * tickSec;
  const measured = spanSec > 0 ? times.length / spanSec : average ? toNumber(average) : 0;
  if (times.length < 2 || tickSec === 0) {
    const only = grid && toNumber(grid) <= 240 ? grid : (average ?? grid);
    return { frameRate: only ?? { num: 25, den: 1 }, variableFrameRate: false };
  }
  const candidates = [grid, average, nearestCommonRate(measured || 25, 0.02)].filter((rate) => rate !== undefined);
  const constant = candidates.find((rate) => stepsEvenly(times, tickSec, rate));
  if (constant) {
    // The part that was not scanned must hold as many frames as its duration asks for.
    const total = positive(stream.nb_frames);
    const seconds = positive(stream.duration) ?? durationSec;
    const expected = seconds && seconds * toNumber(constant);
    const even = whole || !total || !expected || Math.abs(total - expected) <= Math.max(2, expected * 0.002);
    return { frameRate: constant, variableFrameRate: !even };
  }
  return { frameRate: average ?? nearestCommonRate(measured || 25, 0), variableFrameRate: true };
}

function stepsEvenly(times: readonly number[], tickSec: number, rate: Rational): boolean {
  const periodTicks = 1 / (toNumber(rate) * tickSec);
  // Half a tick of rounding on each side; a tenth of a frame for cameras whose clock trembles.
  const tolerance = Math.max(1.01, 0.1 * periodTicks);
  const first = times[0] ?? 0;
  return times.every((time, index) => Math.abs(time - first - index * periodTicks) <= tolerance);
}
