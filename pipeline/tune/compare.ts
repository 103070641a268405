import { copyFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { decodeFrames, planDecode } from '../../stages/decode.js';
import { contextWindows, costFactor } from '../../stages/denoise/windows.js';
import { type FfmpegTools, locateFfmpeg } from '../../stages/ffmpeg/locate.js';
import { transformPoses } from '../../stages/pose/align-transform.js';
import { readPoseJson } from '../../stages/pose/pose-json.js';
import { probe } from '../../stages/probe.js';
import type { ClipMetrics } from '../../stages/quality/clip-metrics.js';
import { psnr } from '../../stages/quality/psnr.js';
import { loadReferencePicture } from '../../stages/reference/load-picture.js';
import type { PoseSequence, RgbImage } from '../../stages/types.js';
import { checkOutput } from '../check-output.js';
import { exists } from '../files.js';
import { hashFile } from '../hashes.js';
import { openMovement } from '../movement.js';
import { makeFolders } from '../run-store.js';
import { type WarmDetector, warmDetector } from '../warm/detector.js';
import { drivingFrames, sameDb } from './excerpt.js';
import { type FinishedRun, openFinishedRun } from './finished-run.js';
import { frameMeter } from './frame-meter.js';
import { shownWindows } from './grid.js';
import { judgeCells, type MeasuredCell } from './judge-cells.js';
import { readMeasurement } from './measurement.js';
import { metricInfos } from './metric-infos.js';
import { decodePeriod } from './run-cell.js';
import { runValues } from './run-values.js';
import type { CellRun, TuneContext, TuneResult } from './types.js';
import { writeResults } from './write-results.js';

export type CompareOptions = {
  /** Folder of the comparison; `outputs/compare-A-B` when left out. */
  readonly output?: string | undefined;
  readonly overwrite?: boolean | undefined;
  /** The ffmpeg program. */
  readonly ffmpeg?: string | undefined;
};

type Measured = MeasuredCell & { readonly framesPerSec: number; readonly hasTruth: boolean };

/**
 * The metrics of two finished runs, from their videos as they are (compression counts in them), beside each other: results.json
 * and report.html with both videos. How much windows disagreed is known of runs of a sweep only. Throws PantomimeError
 * `compare.no-run`, `output.exists`, and those of reading videos.
 */
export async function compare(
  a: string,
  b: string,
  options: CompareOptions = {},
  { signal, onEvent }: TuneContext = {},
): Promise<TuneResult> {
  const runs = [await openFinishedRun(a), await openFinishedRun(b)] as const;
  const names = namesOf(runs);
  const dir = resolve(options.output ?? join('outputs', `compare-${names.join('-')}`));
  await checkOutput(dir, join(dir, 'results.json'), { overwrite: options.overwrite === true });
  const tools = await locateFfmpeg({ ffmpeg: options.ffmpeg ?? runs[0].options.ffmpeg ?? undefined, signal });
  await makeFolders(join(dir, 'videos'));
  await using detector = warmDetector(signal);
  const measured: Measured[] = [];
  for (const [i, run] of runs.entries()) {
    const name = names[i] as string;
    onEvent?.({ type: 'cell.start', cell: name, seed: run.seed });
    const onFrame = (part: number) => onEvent?.({ type: 'tune.progress', done: i + part, total: runs.length });
    measured.push(await measureRun(run, { dir, name, tools, detector, signal, onFrame }));
    onEvent?.({ type: 'cell.end', cell: name, state: 'done' });
  }
  const { cells } = judgeCells(measured);
  const both = (of: (run: FinishedRun) => string) => [...new Set(runs.map(of))].join(' and ');
  const result: TuneResult = {
    ...{ version: 1, kind: 'compare', dir, cells, recommendation: undefined },
    clip: both(({ movement }) => movement.path),
    image: both(({ image }) => image.path),
    model: both(({ options: { model } }) => model),
    size: runs[0].size,
    framesPerSec: (measured[0] as Measured).framesPerSec,
    frames: Math.max(...cells.flatMap((cell) => cell.runs.map(({ frames }) => frames))),
    seeds: [...new Set(runs.map(({ seed }) => seed))],
    selfReenactment: measured.every(({ hasTruth }) => hasTruth),
    metrics: metricInfos.filter(({ name }) => cells.some(({ values }) => values[name])),
  };
  onEvent?.({ type: 'tune.done', ...(await writeResults(result)) });
  return result;
}

type Bench = {
  readonly dir: string;
  readonly name: string;
  readonly tools: FfmpegTools;
  readonly detector: WarmDetector;
  readonly signal: AbortSignal | undefined;
  readonly onFrame: (part: number) => void;
};

async function measureRun(run: FinishedRun, bench: Bench): Promise<Measured> {
  const { options, seed } = run;
  const { dir, name, tools, signal } = bench;
  const info = await probe(run.video, tools, { signal });
  const decode = planDecode(info);
  const stream = decodeFrames(info, decode, tools, { signal });
  // The reference picture's own frame, where it was kept, is in the video and has no driving pose.
  const kept = options.keepReferenceFrame ? 1 : 0;
  const known = await readMeasurement(join(run.dir, 'measurement.json'));
  const aligned = await alignedPoses(run, kept);
  const truth = await truthOf(run, tools, signal);
  await using lease = bench.detector.lease(options);
  const detector = aligned && (await lease.get());
  const frames = decode.frameCount ?? known?.run.frames ?? 0;
  const windows = contextWindows(frames + 1 - kept, options);
  const shown = shownWindows({ windows }, { frames, phaseRotation: options.phaseRotation }, 1 - kept);
  const framesPerSec = stream.frameRate.num / stream.frameRate.den;
  const meter = frameMeter({
    ...{ framesPerSec, joints: shown.joints, shared: shown.shared, windowPeriod: shown.period },
    ...{ decodePeriod: decodePeriod(options), aligned, detector },
    truth: async (frame) => (frame < kept ? undefined : ((await truth?.next())?.value ?? undefined)),
  });
  let frame = 0;
  let metrics: ClipMetrics;
  try {
    for await (const image of stream.frames) {
      signal?.throwIfAborted();
      await meter.onFrame(frame++, image);
      bench.onFrame(Math.min(1, frame / frames));
    }
    metrics = await meter.result();
  } finally {
    await truth?.return();
  }
  const disagreement: CellRun['disagreement'] = known?.run.disagreement ?? { overall: undefined, frames: [] };
  const video = `videos/${name}.mp4`;
  await copyFile(run.video, join(dir, video));
  const values = runValues(metrics, disagreement, {
    secondsPerFrame: known?.run.values.secondsPerFrame ?? run.secondsPerFrame,
    peakMemoryBytes: run.peakMemoryBytes,
    costFactor: costFactor(windows, frames + 1 - kept),
  });
  const { chunk, overlap, fusion, steps } = options;
  return {
    ...{ id: name, settings: { chunk, overlap, fusion, steps }, state: 'done', why: undefined, framesPerSec },
    ...{ windows: shown.windows, joints: shown.joints, hasTruth: truth !== undefined },
    runs: [{ seed, video, frames: frame, metrics, disagreement, values }],
  };
}

/** The poses that the video was to show, by frame of the video; undefined where the run had none. */
async function alignedPoses({ dir, alignment, size }: FinishedRun, kept: number): Promise<PoseSequence | undefined> {
  const file = join(dir, 'pose.json');
  if (!alignment || !(await exists(file))) return undefined;
  const poses = transformPoses(await readPoseJson(file), { ...alignment, scale: 1, basis: 'cover' }, size);
  return kept === 0 ? poses : { ...poses, frames: [{ people: [] }, ...poses.frames] };
}

/** The driving frames one after the other, where picture and clip are still there and the picture is the clip's first frame. */
async function truthOf(
  run: FinishedRun,
  tools: FfmpegTools,
  signal: AbortSignal | undefined,
): Promise<AsyncGenerator<RgbImage, void> | undefined> {
  const { options, size, movement, image } = run;
  const same = async ({ path, sha256 }: FinishedRun['image']) =>
    sha256 !== undefined && (await hashFile(path, signal).catch(() => undefined)) === sha256;
  if (options.video === null || !(await same(movement)) || !(await same(image))) return undefined;
  const opened = await openMovement(options, tools, signal);
  const picture = await loadReferencePicture(image.path, { ...size, resample: options.resample });
  const frames = () => drivingFrames({ movement: opened, size, tools, options }, signal);
  for await (const first of frames()) {
    if (psnr(first, picture) < sameDb) return undefined;
    break;
  }
  return frames();
}

/** Names of the two runs: those of their folders where they differ. */
function namesOf(runs: readonly FinishedRun[]): readonly string[] {
  const folders = runs.map(({ dir }) => {
    // A run of a sweep is named by its cell and its seed.
    const name = /^seed-\d+$/.test(basename(dir)) ? `${basename(dirname(dir))}-${basename(dir)}` : basename(dir);
    return name.replace(/[^\w.-]+/g, '_');
  });
  const [a, b] = folders;
  return a === b ? [`A-${a}`, `B-${b}`] : folders;
}
