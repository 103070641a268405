import { join } from 'node:path';
import type { Residency } from '../../models/onnx/built-graph.js';
import { decodeFrames } from '../../stages/decode.js';
import { psnr } from '../../stages/quality/psnr.js';
import { coverPicture, loadReferencePicture } from '../../stages/reference/load-picture.js';
import type { RgbImage } from '../../stages/types.js';
import { type ControlMaps, findControlMaps, readControlMap, writeControlMaps } from '../control-maps.js';
import { type ControlTrack, makeControlTrack } from '../control-track.js';
import type { RunContext } from '../events.js';
import { readJson, writeAtomic } from '../files.js';
import { modelFingerprint } from '../fingerprint.js';
import { keyOf } from '../hashes.js';
import { openRun } from '../open-run.js';
import { makePlan, type Plan } from '../plan.js';
import type { Run } from '../run.js';
import type { WarmDetector } from '../warm/detector.js';
import type { TunePlan } from './tune-plan.js';

/** What all runs of a sweep share. Dispose of it to give its folder free. */
export type Excerpt = AsyncDisposable & {
  readonly plan: Plan;
  readonly run: Run;
  readonly picture: RgbImage;
  readonly track: ControlTrack;
  /** Frames of the video. */
  readonly frames: number;
  readonly modelKey: string;
  /** Folder of work files that runs have in common. */
  readonly shared: string;
  /** What each frame should be; undefined where the picture is no frame of the clip. */
  readonly truth: ((frame: number) => Promise<RgbImage>) | undefined;
};

/** The picture and the first frame of the clip are the same from here on: compression costs less, another frame more. */
export const sameDb = 30;

/**
 * Poses, control pictures and, in self-reenactment, the frames that should come out: made once, kept until the sweep is done.
 * @param self whether the picture is a frame of the clip; null: found out by comparing it with the first
 */
export async function prepareExcerpt(
  { options, dir }: TunePlan,
  self: boolean | null,
  detector: WarmDetector,
  context: RunContext,
): Promise<Excerpt> {
  const settled = await settledResidency(dir);
  const asked = settled && options.residency === 'auto' ? { ...options, residency: settled } : options;
  const plan = await makePlan(asked, context);
  const { residency, size } = plan;
  const shared = join(dir, 'work', 'shared');
  const run = await openRun(plan, context, { shared });
  try {
    await writeAtomic(join(dir, 'work', 'tune.json'), JSON.stringify({ residency }));
    for (const note of plan.notes) run.note(note);
    const picture = await loadReferencePicture(options.image as string, { ...size, resample: options.resample });
    await using lease = detector.lease(options);
    const track = await makeControlTrack(run, plan, picture, lease.get);
    const maps = await truthOf(run, plan, picture, track, self);
    return {
      ...{ plan, run, picture, track, shared },
      frames: track.maps.dims[0] - 1,
      modelKey: await modelFingerprint(plan),
      truth: maps && ((frame) => readControlMap(maps, frame)),
      [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
    };
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

/** Decided by the free memory once, so that runs of a later call can be compared with those of this one. */
async function settledResidency(dir: string): Promise<Residency | undefined> {
  const { residency } = ((await readJson(join(dir, 'work', 'tune.json'))) ?? {}) as { residency?: unknown };
  return residency === 'fast' || residency === 'low-memory' ? residency : undefined;
}

/** The driving frames at the size of the video, cut as the picture is, where the picture is one of them. */
async function truthOf(
  run: Run,
  plan: Plan,
  picture: RgbImage,
  { contentHash }: ControlTrack,
  self: boolean | null,
): Promise<ControlMaps | undefined> {
  const { movement, size } = plan;
  if (movement.kind !== 'video' || self === false) {
    if (self) run.warn('tune.no-truth', 'only a driving video can be compared with: no PSNR and no SSIM');
    return undefined;
  }
  return run.stage('probe', 'comparing the picture with the clip', async (progress) => {
    if (!self && !(await isFirstFrame(run, plan, picture))) return undefined;
    run.note('the picture is a frame of the clip: the video is compared with the clip itself (PSNR, SSIM)');
    const file = run.store.work('truth', keyOf([contentHash, movement.decode, size, plan.options.resample]), 'u8');
    const earlier = (await run.reuses(file)) ? await findControlMaps(file, size) : undefined;
    if (earlier) return earlier;
    const frames = drivingFrames(plan, run.signal, (done) => progress(done, movement.decode.frameCount, 'frames'));
    return { ...(await run.store.put(file, (part) => writeControlMaps(part, frames, size))), file };
  });
}

async function isFirstFrame(run: Run, plan: Plan, picture: RgbImage): Promise<boolean> {
  for await (const frame of drivingFrames(plan, run.signal)) return psnr(frame, picture) >= sameDb;
  return false;
}

/** Frames of the driving video, brought to size as the reference picture is. Nothing for other movements. */
export async function* drivingFrames(
  { movement, size, tools, options }: Pick<Plan, 'movement' | 'size' | 'tools' | 'options'>,
  signal: AbortSignal | undefined,
  onFrame: (done: number) => void = () => {},
): AsyncGenerator<RgbImage, void> {
  if (movement.kind !== 'video') return;
  let done = 0;
  for await (const frame of decodeFrames(movement.info, movement.decode, tools, { signal }).frames) {
    yield coverPicture(frame, { ...size, resample: options.resample });
    onFrame(++done);
  }
}
