import { monotonicMs } from '../models/runtime/monotonic.js';
import type { WarmEngine } from '../models/runtime/warm-engine.js';
import { loadReferencePicture } from '../stages/reference/load-picture.js';
import type { RgbImage } from '../stages/types.js';
import { makeControlTrack } from './control-track.js';
import { checkDomain } from './domain.js';
import { openDetector } from './driving-poses.js';
import type { RunContext, RunResult } from './events.js';
import { lazily } from './lazily.js';
import { openRun } from './open-run.js';
import type { AnimateOptions } from './options/schema.js';
import { conditionOn } from './picture-conditioning.js';
import { makePlan, type Plan } from './plan.js';
import { prepareAhead } from './prepare-ahead.js';
import { renderClip } from './render-clip.js';
import { writeReport } from './report.js';
import type { Run } from './run.js';
import { together } from './together.js';
import { explainVanished } from './vanished.js';
import { startEngines } from './warm/device.js';

/**
 * Animates one picture with one movement, from files to files. Everything is checked before work starts; what an
 * interrupted run has finished is taken over by the same call.
 * @returns paths of what was written. Throws PantomimeError; when `context.signal` aborts, its reason.
 */
export async function animate(options: AnimateOptions, context: RunContext = {}): Promise<RunResult> {
  const begunMs = monotonicMs();
  const plan = await makePlan(options, context);
  await using run = await openRun(plan, context, { begunMs });
  context.onEvent?.({ type: 'run.start', command: 'animate', runDir: plan.runDir, seed: plan.seed });
  for (const note of plan.notes) run.note(note);

  try {
    const result = await work(run, plan);
    context.onEvent?.({ type: 'run.done', ...result });
    return result;
  } catch (error) {
    throw await explainVanished(run.store, error);
  }
}

async function work(run: Run, plan: Plan): Promise<RunResult> {
  const { options, size, provider, devices } = plan;
  const { vram } = options;
  const threads = options.threads ?? undefined;
  const picture = await loadReferencePicture(options.image as string, { ...size, resample: options.resample });
  // Before the poses are found: whether a device works shows only now.
  const title = `starting ${devices.length > 1 ? `${devices.length} engines` : 'the engine'} (${provider})`;
  await using started = await run.stage('models', title, () =>
    startEngines(devices, { provider, vram, threads, signal: run.signal }),
  );
  const { engine, others } = started;
  using _ = run.timeline.watch(engine, ...others);
  const known = await prepare(run, plan, engine, picture);
  const seconds = () => (monotonicMs() - run.timeline.zeroMs) / 1000;
  return writeReport(run, plan, await renderClip(run, plan, engine, { picture, ...known, seconds, others }));
}

/**
 * Poses to control pictures, with a detector that lives only as long; meanwhile the engine does what it can do without them.
 */
async function prepare(run: Run, plan: Plan, engine: WarmEngine, picture: RgbImage) {
  // DWPose finds poses in the same engine.
  const engineIsFree = plan.poseBackend.name !== 'dwpose';
  await using detector = lazily(() => openDetector(plan.options, run.signal, { engine }));
  // Its workers start while the picture is looked at; what is wrong with them is said when they are needed.
  if (engineIsFree) detector.get().catch(() => {});
  const reconstructionDb = await checkDomain(run, plan, engine, picture);
  const [track, conditioning] = await together(
    run,
    (beside) => makeControlTrack(beside, plan, picture, detector.get),
    async (beside) => {
      const made = await conditionOn(beside, plan, engine, picture);
      if (engineIsFree) await prepareAhead(beside, plan, engine);
      return made;
    },
  );
  return { track, conditioning, reconstructionDb };
}
