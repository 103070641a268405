import { metricInfos } from '#dist/pipeline/tune/metric-infos.js';
import type { Cell, CellRun, CellSettings, MetricName, Spread, TuneResult } from '#dist/pipeline/tune/types.js';
import { contextWindows, costFactor } from '#dist/stages/denoise/windows.js';
import { windowJoints } from '#dist/stages/quality/window-joints.js';

/** A sweep with made-up but plausible numbers, the same for the same arguments. */
export type SweepOptions = {
  readonly chunks?: readonly number[];
  readonly overlaps?: readonly number[];
  readonly fusions?: readonly CellSettings['fusion'][];
  readonly steps?: readonly number[];
  readonly seeds?: readonly number[];
  readonly frames?: number;
  readonly more?: Partial<TuneResult>;
};

export function madeUpSweep(options: SweepOptions = {}): TuneResult {
  const { chunks = [8, 12, 16, 24], overlaps = [0, 2, 4, 6, 8], fusions = ['flat'], steps = [8] } = options;
  const { seeds = [1, 2, 3], frames = 48, more } = options;
  const settings = fusions.flatMap((fusion) =>
    steps.flatMap((count) =>
      chunks.flatMap((chunk) => overlaps.map((overlap): CellSettings => ({ chunk, overlap, fusion, steps: count }))),
    ),
  );
  const cells = withFront(settings.map((one) => cellFor(one, seeds, frames)));
  const front = cells.filter(({ onFront }) => onFront);
  const best = front.sort((a, b) => worth(b) - worth(a))[0] as Cell;
  return {
    ...{
      version: 1,
      kind: 'tune',
      dir: '/tunes/dance one',
      clip: 'dance one.mp4',
      image: 'dance one.mp4',
      model: 'embedded',
    },
    ...{ size: { width: 128, height: 192 }, framesPerSec: 12, frames, seeds, selfReenactment: true },
    metrics: metricInfos,
    cells,
    recommendation: {
      cell: best.id,
      reasons: [
        `Of the ${front.length} cells that no other beats in both quality and cost it is the one after which more time buys little.`,
        'Its seams cannot be seen: frames at joints change no more than others (seam ratio 1.08).',
        'The next better cell takes 1.6 times as long for a score that is 0.03 higher.',
      ],
      withinNoise: false,
      preset: 'preset.yaml',
    },
    ...more,
  };
}

const worth = (cell: Cell) => (cell.score ?? 0) - 0.25 * (cell.values.costFactor?.mean ?? 0);

function cellFor(settings: CellSettings, seeds: readonly number[], frames: number): Cell {
  const { chunk, overlap, fusion, steps } = settings;
  const base = { id: `c${chunk}-o${overlap}-${fusion}-s${steps}`, settings };
  if (overlap >= chunk / 2 + 2) {
    const why = `overlap ${overlap} is more than half of chunk ${chunk}: three windows would share a frame`;
    return { ...base, state: 'invalid', why, runs: [], values: {}, windows: [], joints: [] };
  }
  const layout = contextWindows(frames + 1, { chunk, overlap, fusion, anchor: 'reference' });
  const { joints } = windowJoints(layout, frames + 1, 1);
  const windows = layout.map((one) => ({ frames: one.frames.map((frame) => frame - 1), weights: one.weights }));
  if (chunk === 24 && overlap === 2) {
    const why = 'slower and worse than 16/4 after the first seed';
    return { ...base, state: 'dominated', why, runs: [], values: {}, windows, joints };
  }
  const runs = seeds.map((seed) => runFor(base.id, settings, seed, frames, joints, costFactor(layout, frames)));
  const values: Partial<Record<MetricName, Spread>> = {};
  for (const { name } of metricInfos) {
    if (runs.some((run) => run.values[name] !== undefined))
      values[name] = spreadOf(runs.map((run) => run.values[name]));
  }
  const scores = runs.map((run) => qualityOf(run.values));
  const { mean: score, deviation } = spreadOf(scores);
  return { ...base, state: 'done', runs, values, score, scoreDeviation: deviation, windows, joints };
}

function runFor(
  id: string,
  { chunk, overlap, fusion, steps }: CellSettings,
  seed: number,
  frames: number,
  joints: readonly number[],
  cost: number,
): CellRun {
  const chance = randomOf(`${id} ${seed}`);
  const wobble = (size: number) => 1 + (chance() - 0.5) * size;
  const seam = 1 + (overlap === 0 ? 2.2 : 1.4 / overlap) * (fusion === 'flat' ? 1 : 0.7) * wobble(0.2);
  const atJoint = new Set(joints);
  const curve = (value: (frame: number) => number) => Array.from({ length: frames }, (_, frame) => value(frame));
  const speed = (frame: number) => 1 + 0.6 * Math.sin(frame / 4);
  const relative = curve((frame) => (atJoint.has(frame) ? seam : 1) * wobble(0.3));
  const sharp = curve(
    (frame) => 420 - (overlap > 0 && atJoint.has(frame) ? 60 : 0) + 30 * Math.sin(frame / 7) + 12 * chance(),
  );
  const oks = curve((frame) =>
    Math.min(1, 0.93 - 0.06 * Math.abs(Math.sin(frame / 9)) - 0.2 / chunk + 0.02 * chance()),
  );
  const psnr = curve((frame) => 24 - frame * 0.03 - 12 / chunk + chance());
  const values = {
    seamRatio: seam,
    overlapDisagreement: overlap === 0 ? undefined : (0.4 / chunk / Math.sqrt(overlap)) * wobble(0.1),
    windowPeriodicity: 1 + (seam - 1) * 0.8 * wobble(0.2),
    flicker: (1.2 + 6 / chunk) * wobble(0.15),
    colorDrift: (0.3 + 4 / chunk) * wobble(0.3),
    sharpnessUnevenness: (0.03 + overlap * 0.004) * wobble(0.2),
    pck10: 0.96 - 0.5 / chunk + 0.01 * chance(),
    oks: mean(oks),
    psnr: mean(psnr),
    secondsPerFrame: cost * 0.11 * steps * (1 + chunk / 200) * wobble(0.06),
    peakMemoryBytes: 3.5e8 + chunk * 2.2e7,
    costFactor: cost,
  };
  return {
    ...{ seed, frames, video: `cells/${id}/seed ${seed}/output.mp4` },
    values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
    disagreement: {
      overall: values.overlapDisagreement,
      frames: curve((frame) => (atJoint.has(frame) ? 0.03 * wobble(0.5) : Number.NaN)).map((value) =>
        Number.isNaN(value) ? undefined : value,
      ),
    },
    metrics: {
      frameCount: frames,
      curves: {
        difference: curve((frame) => 3 * speed(frame) * (relative[frame] as number)).map((value, frame) =>
          frame === 0 ? undefined : value,
        ),
        relativeDifference: relative.map((value, frame) => (frame === 0 ? undefined : value)),
        poseSpeed: curve((frame) => 0.01 * speed(frame)),
        flicker: curve(() => values.flicker * wobble(0.4)),
        colorDistance: curve((frame) => (values.colorDrift * frame) / 12 + 0.2 * chance()),
        sharpness: sharp,
        relativeSharpness: curve(() => wobble(0.1)),
        pck10: curve(() => Math.round((values.pck10 + 0.06 * (chance() - 0.5)) * 18) / 18),
        oks,
        psnr,
        figurePsnr: psnr.map((value) => value - 4),
        ssim: curve(() => 0.8),
      },
      seam: { ratio: seam, worst: seam * 1.2, joints: joints.map((joint) => relative[joint]) },
      ...{ windowPeriodicity: values.windowPeriodicity, decodePeriodicity: undefined, flicker: values.flicker },
      ...{ backgroundDeviation: 2, pose: undefined, psnr: values.psnr, figurePsnr: values.psnr - 4, ssim: 0.8 },
      colorDrift: { perSec: values.colorDrift, slopes: undefined, contrastPerSec: 0 },
      sharpness: { unevenness: values.sharpnessUnevenness, sharedRatio: undefined, joints: joints.map(() => 1) },
    },
  };
}

function qualityOf(values: CellRun['values']): number {
  const { seamRatio = 3, flicker = 2, colorDrift = 1, psnr = 20 } = values;
  return Math.min(
    1,
    Math.max(0, 1.25 - (seamRatio - 1) * 0.2 - (flicker - 1.2) * 0.5 - colorDrift * 0.3 + (psnr - 23) * 0.05),
  );
}

function withFront(cells: readonly Cell[]): Cell[] {
  const cost = (cell: Cell) => cell.values.secondsPerFrame?.mean ?? Number.POSITIVE_INFINITY;
  return cells.map((cell) => {
    if (cell.score === undefined) return cell;
    const beaten = cells.some(
      (other) => other !== cell && cost(other) <= cost(cell) && (other.score ?? -1) >= (cell.score ?? 0),
    );
    return { ...cell, onFront: !beaten };
  });
}

function spreadOf(values: readonly (number | undefined)[]): Spread {
  const known = values.filter((value) => value !== undefined);
  const middle = mean(known);
  const deviation = Math.sqrt(
    known.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, known.length - 1),
  );
  return { mean: middle, deviation: known.length > 1 ? deviation : undefined };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** 0 to 1, the same for the same text. */
function randomOf(text: string): () => number {
  let state = [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
