import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import PQueue from 'p-queue';
import { PantomimeError } from '../../models/errors.js';
import type { Residency } from '../../models/onnx/built-graph.js';
import type { ProgressEvent } from '../events.js';
import { writeAtomic } from '../files.js';
import { lockFolder } from '../folder-lock.js';
import type { OptionSources } from '../options/resolve.js';
import type { AnimateOptions } from '../options/schema.js';
import { chooseProvider } from '../plan.js';
import { makeFolders, unfinishedRun } from '../run-store.js';
import { attempt } from './attempts.js';
import { openClipLog } from './clip-log.js';
import { prepareClip, type RenderedClip, renderPrepared } from './clip-run.js';
import { warmDetector } from './detectors.js';
import { type Device, openDevice } from './devices.js';
import { type FolderPlan, planFolder } from './folder-plan.js';
import { filesKey, type Job } from './jobs.js';
import { type Ledger, openLedger, readLedgers } from './ledger.js';
import { overallProgress } from './overall-progress.js';
import type { BatchSettings } from './settings.js';
import { summaryPage } from './summary-page.js';
import type { BatchContext, BatchEvent, BatchResult, ClipOutcome } from './types.js';

/** The page of all clips is written this often while they are made, so that one can look at what there is. */
const pageEveryMs = 5_000;

/** What the clips of a batch share while it runs. */
type Workshop = {
  readonly plan: FolderPlan;
  readonly settings: BatchSettings;
  readonly ledger: Ledger;
  readonly detector: AsyncDisposable & Parameters<typeof prepareClip>[1]['detector'];
  /** Runs on the CPU, as many at once as `jobs` says. */
  readonly cpuLane: PQueue;
  /** Runs on a device, one on each. */
  readonly deviceLane: PQueue;
  readonly freeDevices: Device[];
  readonly onCpu: boolean;
  readonly signal: AbortSignal;
  readonly emit: (event: BatchEvent) => void;
};

/**
 * Animates every clip of a folder into a run folder each. Poses of the next clips are found while a device denoises; engines,
 * prepared graphs and detectors live from clip to clip. A failing clip stops no other. What an interrupted or killed call has
 * finished is taken over by the same call.
 *
 * Throws PantomimeError: `batch.failed` (kind `partial`) when some clips failed, after all others are done; the reason of
 * `context.signal` when that aborts; `output.locked` when another batch is at work in the folder.
 */
export async function animateFolder(
  settings: BatchSettings,
  sources: OptionSources,
  context: BatchContext = {},
): Promise<BatchResult> {
  const begun = performance.now();
  const plan = await planFolder(settings, sources);
  const { dir, jobs, earlier, skipped } = plan;
  await makeFolders(plan.work);
  await using lock = await lockFolder(join(plan.work, 'lock'), dir);
  const signal = context.signal ? AbortSignal.any([context.signal, lock.lost]) : lock.lost;
  const progress = overallProgress(jobs.length);
  const emit = (event: BatchEvent) => {
    context.onEvent?.(event);
    if (event.type.startsWith('clip.')) context.onEvent?.({ type: 'batch.progress', ...progress(event) });
  };
  emit({
    type: 'batch.start',
    dir,
    clips: jobs.length,
    earlier: earlier.length,
    skipped,
    shard: settings.shard ?? undefined,
  });

  const outcomes: ClipOutcome[] = [...earlier];
  let pageMs = Number.NEGATIVE_INFINITY;
  const result = (): BatchResult => {
    const seconds = (performance.now() - begun) / 1000;
    return { dir, clips: outcomes, skipped, summary: plan.summary, seconds };
  };
  await work({ plan, settings, signal, emit }, async (outcome) => {
    outcomes.push(outcome);
    emit({ type: 'clip.end', ...outcome });
    if (performance.now() - pageMs < pageEveryMs) return;
    pageMs = performance.now();
    await writeSummary(plan, result());
  });
  await writeSummary(plan, result());
  signal.throwIfAborted();
  const failed = outcomes.filter(({ state }) => state === 'failed').length;
  // What is left over is worth keeping only for another attempt.
  if (failed === 0) await rm(plan.work, { recursive: true, force: true });
  const final = result();
  emit({ type: 'batch.done', ...final });
  if (failed > 0) throw someFailed(failed, jobs.length, dir);
  return final;
}

/** Everything with a lifetime, around the clips. */
async function work(
  { plan, settings, signal, emit }: Pick<Workshop, 'plan' | 'settings' | 'signal' | 'emit'>,
  onEnd: (outcome: ClipOutcome) => Promise<void>,
): Promise<void> {
  const [first] = plan.jobs;
  if (!first) return;
  const { deviceId, threads } = first.options;
  const provider = chooseProvider(first.options.provider);
  const onCpu = provider === 'cpu';
  const devices = (settings.gpus ?? [deviceId]).map((id) =>
    openDevice({ provider, deviceId: id, threads: threads ?? undefined, signal }),
  );
  await using _ = { [Symbol.asyncDispose]: () => closeAll(devices) };
  await using detector = warmDetector(signal);
  const workshop: Workshop = {
    ...{ plan, settings, signal, emit, detector, onCpu, freeDevices: [...devices] },
    ledger: await openLedger(plan.ledger),
    cpuLane: new PQueue({ concurrency: settings.jobs }),
    deviceLane: new PQueue({ concurrency: devices.length }),
  };
  // One clip more than can be worked on waits with its poses found, so that no device is idle.
  const clips = new PQueue({ concurrency: settings.jobs + devices.length });
  const residency = firstResidency();
  const tasks = plan.jobs.map((job) =>
    clips.add(async () => {
      if (!signal.aborted) await onEnd(await animateClip(workshop, job, residency));
    }),
  );
  await Promise.all(tasks);
}

async function closeAll(devices: readonly Device[]): Promise<void> {
  for (const device of devices) await device[Symbol.asyncDispose]();
}

/** How weights are held is decided by the free memory once, not again beside a warm engine. */
type FirstResidency = (options: AnimateOptions, decided?: Residency) => AnimateOptions;

function firstResidency(): FirstResidency {
  const known = new Map<string, Residency>();
  return (options, decided) => {
    if (decided && !known.has(options.model)) known.set(options.model, decided);
    const residency = known.get(options.model);
    return residency && options.residency === 'auto' ? { ...options, residency } : options;
  };
}

/** One clip from its first attempt to its end, told to ledger, log and listeners. Never throws. */
async function animateClip(workshop: Workshop, job: Job, residency: FirstResidency): Promise<ClipOutcome> {
  const { plan, settings, ledger, onCpu, signal, emit } = workshop;
  const { name, movement, options } = job;
  const log = openClipLog(join(plan.dir, 'logs', `${name}.log`));
  const warnings: string[] = [];
  const onEvent = (event: ProgressEvent) => {
    if (event.type === 'warning') warnings.push(event.message);
    log.onEvent(event);
    emit({ type: 'clip.event', clip: name, event });
  };
  const note = (line: Parameters<Ledger['add']>[0]) =>
    ledger.add(line).catch((error: unknown) => {
      emit({
        type: 'warning',
        code: 'batch.ledger',
        message: `${plan.ledger} could not be written: ${messageOf(error)}`,
      });
    });
  let multiplyAdds: number | undefined;
  const key = await filesKey(job).catch(() => undefined);
  const attempted = await attempt(
    {
      ...{ options, onCpu, signal, retries: settings.retries },
      onRetry: (retry) => {
        log.write(`attempt ${retry.attempt} failed [${retry.code}]: ${retry.what}; again in ${retry.delayMs / 1000} s`);
        emit({ type: 'clip.retry', clip: name, ...retry });
      },
    },
    async (current, number) => {
      signal.throwIfAborted();
      emit({ type: 'clip.start', clip: name, attempt: number });
      await note({ clip: name, state: 'started', attempt: number, key });
      return animateOnce(workshop, current, residency, onEvent, (adds) => {
        multiplyAdds = adds;
      });
    },
  );
  const about = { name, video: movement, image: options.image as string, attempts: attempted.attempts, earlier: false };
  const outcome: ClipOutcome = attempted.ok
    ? { ...about, state: 'done', warnings, multiplyAdds, ...resultOf(attempted.value) }
    : { ...about, state: attempted.interrupted ? 'interrupted' : 'failed', warnings, error: attempted.error };
  if (!attempted.ok) log.onEvent({ type: 'run.error', exitCode: 0, ...attempted.error });
  log.close();
  await note({ clip: name, state: outcome.state, attempt: attempted.attempts, key, outcome });
  return outcome;
}

/** One attempt: the CPU's part, then a device's. */
async function animateOnce(
  { plan, detector, cpuLane, deviceLane, freeDevices, signal }: Workshop,
  options: AnimateOptions,
  residency: FirstResidency,
  onEvent: (event: ProgressEvent) => void,
  onPlan: (multiplyAdds: number) => void,
): Promise<RenderedClip> {
  const context = { signal, onEvent };
  await using prepared = await cpuLane.add(async () => {
    const { residency: begun } = await unfinishedRun(options.output as string);
    const settled = begun ? options : residency(options);
    return prepareClip(settled, { detector, shared: plan.work }, context);
  });
  onPlan(prepared.plan.cost.multiplyAdds);
  residency(options, prepared.plan.residency);
  return await deviceLane.add(async () => {
    const device = freeDevices.shift() as Device; // the lane runs no more at once than there are devices
    try {
      return await renderPrepared(prepared, device, context);
    } catch (error) {
      // A crashed engine answers nothing more, and one that ran out of memory may be in any state.
      if (error instanceof PantomimeError && error.kind === 'device') await device.drop();
      throw error;
    } finally {
      freeDevices.push(device);
    }
  });
}

function resultOf({ result, stages, startUpSec }: RenderedClip): Partial<ClipOutcome> {
  return { frames: result.frames, seconds: result.seconds, startUpSec, stages };
}

/** The page of all clips, those of other machines on the same folder included. A page that cannot be written stops nothing. */
async function writeSummary({ dir, summary }: FolderPlan, result: BatchResult): Promise<void> {
  const own = new Set(result.clips.map(({ name }) => name));
  const others = [...(await readLedgers(dir)).values()].flatMap(({ clip, outcome }) =>
    outcome && !own.has(clip) ? [{ ...outcome, earlier: true }] : [],
  );
  const page = summaryPage({
    result: { ...result, clips: [...result.clips, ...others] },
    title: basename(dir),
    now: new Date(),
  });
  await writeAtomic(summary, page).catch(() => {});
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function someFailed(failed: number, clips: number, dir: string): PantomimeError {
  return new PantomimeError({
    code: 'batch.failed',
    kind: 'partial',
    what: `${failed} of ${clips} clips failed`,
    where: dir,
    hint: 'summary.html says why; the same command again tries those that failed, and only those',
  });
}
