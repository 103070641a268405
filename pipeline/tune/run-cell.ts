import { join, relative, sep } from 'node:path';
import { checkDomain } from '../domain.js';
import type { RunContext } from '../events.js';
import { readJson } from '../files.js';
import { hashBytes, keyOf } from '../hashes.js';
import { openRun } from '../open-run.js';
import { type AnimateOptions, type OptionName, optionNames } from '../options/schema.js';
import { conditionOn } from '../picture-conditioning.js';
import { makePlan } from '../plan.js';
import { renderClip } from '../render-clip.js';
import { writeReport } from '../report.js';
import { explainVanished } from '../vanished.js';
import type { WarmDetector } from '../warm/detector.js';
import type { Device } from '../warm/device.js';
import type { Excerpt } from './excerpt.js';
import { frameMeter } from './frame-meter.js';
import { type PlannedCell, shownWindows } from './grid.js';
import { measurementVersion, writeMeasurement } from './measurement.js';
import { predictionMeter } from './prediction-meter.js';
import { runValues } from './run-values.js';
import type { CellRun } from './types.js';

/** One run of a cell. */
export type CellTask = {
  readonly cell: PlannedCell;
  readonly options: AnimateOptions;
  readonly seed: number;
  /** Hash of all that decides its numbers. */
  readonly key: string;
};

/** What the runs of a sweep use. */
export type Workbench = {
  readonly dir: string;
  readonly excerpt: Excerpt;
  readonly detector: WarmDetector;
  readonly device: Device;
};

/** Options that change no picture, and those whose content counts rather than their name. */
const notCounted: ReadonlySet<OptionName> = new Set([
  ...([
    'output',
    'overwrite',
    'resume',
    'keepIntermediate',
    'preset',
    'threads',
    'poseWorkers',
    'deviceId',
    'gpus',
    'ffmpeg',
  ] as const),
  ...(['image', 'video', 'pose', 'model', 'overlay', 'controlnext', 'variant'] as const),
  ...([
    'provider',
    'precision',
    'residency',
    'vram',
    'splitGuidance',
    'feedForwardParts',
    'attentionParts',
    'windowsTogether',
  ] as const),
  ...(['crf'] as const),
]);

export function taskKey(options: AnimateOptions, { plan, track, picture, modelKey, truth }: Excerpt): string {
  const counted = optionNames.filter((name) => !notCounted.has(name)).map((name) => [name, options[name]]);
  const { provider, precision, residency, size } = plan;
  return keyOf([
    [measurementVersion, counted, provider, precision, residency, size, modelKey, truth !== undefined],
    [track.contentHash, hashBytes(picture.data), [...track.pictures.values()].map(({ contentHash }) => contentHash)],
  ]);
}

/** Where a run's numbers are kept. */
export function measurementFile({ options }: Pick<CellTask, 'options'>): string {
  return join(options.output as string, 'measurement.json');
}

/** Makes the video of one run, measures it on the way, and writes down what was found. What was interrupted is gone on with. */
export async function runCell(
  { dir, excerpt, detector, device }: Workbench,
  { cell, options, seed, key }: CellTask,
  context: RunContext,
): Promise<CellRun> {
  const { picture, track, frames, truth, shared } = excerpt;
  const begun = performance.now();
  const plan = await makePlan({ ...options, residency: excerpt.plan.residency }, context);
  const { runDir, video } = plan;
  await using run = await openRun(plan, context, { shared });
  context.onEvent?.({ type: 'run.start', command: 'animate', runDir, seed });
  const engine = await run.stage('models', `starting the engine (${plan.provider})`, () =>
    device.engine(excerpt.modelKey),
  );
  using _ = run.timeline.watch(engine);
  const { joints, shared: sharedFrames, period } = shownWindows(cell, { ...options, frames });
  const predictions = await predictionMeter(run.store.work('predictions', key, 'jsonl'), frames + 1);
  await using lease = detector.lease(options);
  const { num, den } = plan.movement.frameRate;
  const pictures = frameMeter({
    ...{ framesPerSec: num / den, joints, shared: sharedFrames, windowPeriod: period },
    decodePeriod: decodePeriod(options),
    ...{ aligned: track.aligned, detector: track.aligned && (await lease.get()), truth },
  });
  const conditioning = await conditionOn(run, plan, engine, picture);
  const result = await renderClip(run, plan, engine, {
    ...{ picture, track, conditioning, reconstructionDb: undefined, onlyResult: true },
    seconds: () => (performance.now() - begun) / 1000,
    meter: { ...predictions, onFrame: pictures.onFrame },
  })
    .then((rendered) => writeReport(run, plan, rendered))
    .catch(async (error: unknown) => {
      throw await explainVanished(run.store, error);
    });
  const metrics = await pictures.result();
  const disagreement = predictions.disagreement();
  const denoiseSeconds = predictions.denoiseSeconds(plan.schedule.timesteps.length);
  const measured: CellRun = {
    ...{ seed, frames: result.frames, metrics, disagreement },
    video: relative(dir, video).split(sep).join('/'),
    values: runValues(metrics, disagreement, {
      secondsPerFrame: denoiseSeconds && denoiseSeconds / frames,
      peakMemoryBytes: await peakOf(runDir),
      costFactor: cell.factor,
    }),
  };
  await writeMeasurement(measurementFile({ options }), { key, run: measured });
  context.onEvent?.({ type: 'run.done', ...result });
  return measured;
}

/** Frames from one decoded chunk to the next. */
export function decodePeriod(options: Pick<AnimateOptions, 'decodeChunk' | 'decodeMode' | 'decodeOverlap'>): number {
  return options.decodeChunk - (options.decodeMode === 'overlapped' ? options.decodeOverlap : 0);
}

/** Warns of a picture that the model does not know; once for all runs. */
export async function checkExcerpt({ excerpt, device }: Workbench): Promise<void> {
  const { plan, run, picture, modelKey } = excerpt;
  if (plan.card?.minReconstructionDb === undefined) return;
  await checkDomain(run, plan, await device.engine(modelKey), picture);
}

/** As the run's own record says. */
async function peakOf(runDir: string): Promise<number | undefined> {
  const timings = (await readJson(join(runDir, 'timings.json'))) as { engine?: { peakRssBytes?: number } } | undefined;
  return timings?.engine?.peakRssBytes;
}
