import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import PQueue from 'p-queue';
import { PantomimeError } from '../../models/errors.js';
import { devicesOf } from '../devices.js';
import { writeAtomic } from '../files.js';
import { lockFolder } from '../folder-lock.js';
import type { OptionSources } from '../options/resolve.js';
import { chooseProvider } from '../plan.js';
import { makeFolders } from '../run-store.js';
import { warmDetector } from '../warm/detector.js';
import { type Device, openDevice } from '../warm/device.js';
import { animateClip, firstResidency, type Workshop } from './clip-task.js';
import { type FolderPlan, planFolder } from './folder-plan.js';
import { openLedger, readLedgers } from './ledger.js';
import { overallProgress } from './overall-progress.js';
import type { BatchSettings } from './settings.js';
import { summaryPage } from './summary-page.js';
import type { BatchContext, BatchEvent, BatchResult, ClipOutcome } from './types.js';

/** The page of all clips is written this often while they are made, so that one can look at what there is. */
const pageEveryMs = 5_000;

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
  const { threads, vram } = first.options;
  const provider = chooseProvider(first.options.provider);
  const onCpu = provider === 'cpu';
  const devices = devicesOf(first.options, provider).map((deviceId) =>
    openDevice({ provider, deviceId, vram, threads: threads ?? undefined, signal }),
  );
  await using _ = { [Symbol.asyncDispose]: () => closeAll(devices) };
  await using detector = warmDetector(signal, onCpu ? 'cpu-engine' : 'nothing');
  const workshop: Workshop = {
    ...{ plan, settings, signal, emit, detector, onCpu, freeDevices: [...devices] },
    residency: firstResidency(),
    ledger: await openLedger(plan.ledger),
    cpuLane: new PQueue({ concurrency: settings.jobs }),
    deviceLane: new PQueue({ concurrency: devices.length }),
  };
  // One clip more than can be worked on waits with its poses found, so that no device is idle.
  const clips = new PQueue({ concurrency: settings.jobs + devices.length });
  const tasks = plan.jobs.map((job) =>
    clips.add(async () => {
      if (!signal.aborted) await onEnd(await animateClip(workshop, job));
    }),
  );
  await Promise.all(tasks);
}

async function closeAll(devices: readonly Device[]): Promise<void> {
  for (const device of devices) await device[Symbol.asyncDispose]();
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

function someFailed(failed: number, clips: number, dir: string): PantomimeError {
  return new PantomimeError({
    code: 'batch.failed',
    kind: 'partial',
    what: `${failed} of ${clips} clips failed`,
    where: dir,
    hint: 'summary.html says why; the same command again tries those that failed, and only those',
  });
}
