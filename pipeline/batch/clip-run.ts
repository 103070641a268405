import { loadReferencePicture } from '../../stages/reference/load-picture.js';
import type { RgbImage } from '../../stages/types.js';
import { type ControlTrack, makeControlTrack } from '../control-track.js';
import { checkDomain } from '../domain.js';
import type { RunContext, RunResult } from '../events.js';
import { modelFingerprint } from '../fingerprint.js';
import { openRun } from '../open-run.js';
import type { AnimateOptions } from '../options/schema.js';
import { conditionOn } from '../picture-conditioning.js';
import { makePlan, type Plan } from '../plan.js';
import { renderClip } from '../render-clip.js';
import { type Rendered, writeReport } from '../report.js';
import type { Run, StageTiming } from '../run.js';
import { explainVanished } from '../vanished.js';
import type { WarmDetector } from '../warm/detector.js';
import type { Device } from '../warm/device.js';

/** A clip whose movement is known, waiting for a device. Dispose of it to give its folder free. */
export type PreparedClip = AsyncDisposable & {
  readonly plan: Plan;
  readonly run: Run;
  readonly picture: RgbImage;
  readonly track: ControlTrack;
  /** Spent on starting the detector. */
  readonly startUpMs: number;
};

/** A clip that needs no device any more. */
export type RenderedClip = {
  readonly rendered: Rendered;
  /** Spent on starting detector and engine, and on preparing graphs. */
  readonly startUpSec: number;
};

export type FinishedClip = {
  readonly result: RunResult;
  readonly stages: readonly StageTiming[];
  readonly startUpSec: number;
};

/** The part of a run that needs no device: plan, poses, control pictures. @param shared folder of work files for all runs. */
export async function prepareClip(
  options: AnimateOptions,
  { detector, shared }: { readonly detector: WarmDetector; readonly shared: string },
  context: RunContext,
): Promise<PreparedClip> {
  const plan = await makePlan(options, context);
  const run = await openRun(plan, context, { shared });
  try {
    context.onEvent?.({ type: 'run.start', command: 'animate', runDir: plan.runDir, seed: plan.seed });
    for (const note of plan.notes) run.note(note);
    const picture = await loadReferencePicture(options.image as string, { ...plan.size, resample: options.resample });
    await using lease = detector.lease(options);
    const track = await makeControlTrack(run, plan, picture, lease.get);
    const startUpMs = lease.startMs();
    return { plan, run, picture, track, startUpMs, [Symbol.asyncDispose]: () => run[Symbol.asyncDispose]() };
  } catch (error) {
    const explained = await explainVanished(run.store, error);
    await run[Symbol.asyncDispose]();
    throw explained;
  }
}

/** What needs a device. */
export async function renderPrepared(
  { plan, run, picture, track, startUpMs }: PreparedClip,
  device: Device,
): Promise<RenderedClip> {
  const before = device.startUpMs();
  const begun = performance.now();
  try {
    const engine = await run.stage('models', `starting the engine (${plan.provider})`, async () =>
      device.engine(await modelFingerprint(plan)),
    );
    using _ = run.timeline.watch(engine);
    const reconstructionDb = await checkDomain(run, plan, engine, picture);
    // Waiting for the device is not counted.
    const prepared = run.timings.reduce((sum, { stage, ms }) => sum + (stage === 'models' ? 0 : ms), 0);
    const seconds = () => (prepared + performance.now() - begun) / 1000;
    const conditioning = await conditionOn(run, plan, engine, picture);
    const inputs = { picture, track, conditioning, reconstructionDb, seconds };
    const rendered = await renderClip(run, plan, engine, inputs);
    return { rendered, startUpSec: (startUpMs + device.startUpMs() - before) / 1000 };
  } catch (error) {
    throw await explainVanished(run.store, error);
  }
}

/** The rest of it, while the device goes on with the next clip. */
export async function finishClip(
  { plan, run }: PreparedClip,
  { rendered, startUpSec }: RenderedClip,
  context: RunContext,
): Promise<FinishedClip> {
  try {
    const result = await writeReport(run, plan, rendered);
    context.onEvent?.({ type: 'run.done', ...result });
    return { result, stages: run.timings, startUpSec };
  } catch (error) {
    throw await explainVanished(run.store, error);
  }
}
