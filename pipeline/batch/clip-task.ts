import { join } from 'node:path';
import type PQueue from 'p-queue';
import type { Residency } from '../../models/onnx/built-graph.js';
import type { ProgressEvent } from '../events.js';
import type { AnimateOptions } from '../options/schema.js';
import { unfinishedRun } from '../run-store.js';
import type { WarmDetector } from '../warm/detector.js';
import type { Device } from '../warm/device.js';
import { attempt } from './attempts.js';
import { openClipLog } from './clip-log.js';
import { type FinishedClip, finishClip, prepareClip, renderPrepared } from './clip-run.js';
import type { FolderPlan } from './folder-plan.js';
import { filesKey, type Job } from './jobs.js';
import type { Ledger } from './ledger.js';
import type { BatchSettings } from './settings.js';
import type { BatchEvent, ClipOutcome } from './types.js';

/** What the clips of a batch share while it runs. */
export type Workshop = {
  readonly plan: FolderPlan;
  readonly settings: BatchSettings;
  readonly ledger: Ledger;
  readonly detector: WarmDetector;
  /** Runs on the CPU, as many at once as `jobs` says. */
  readonly cpuLane: PQueue;
  /** Runs on a device, one on each. */
  readonly deviceLane: PQueue;
  readonly freeDevices: Device[];
  readonly onCpu: boolean;
  readonly residency: FirstResidency;
  readonly signal: AbortSignal;
  readonly emit: (event: BatchEvent) => void;
};

/** How weights are held is decided by the free memory once, not again beside a warm engine. */
export type FirstResidency = (options: AnimateOptions, decided?: Residency) => AnimateOptions;

export function firstResidency(): FirstResidency {
  const known = new Map<string, Residency>();
  return (options, decided) => {
    if (decided && !known.has(options.model)) known.set(options.model, decided);
    const residency = known.get(options.model);
    return residency && options.residency === 'auto' ? { ...options, residency } : options;
  };
}

/** One clip from its first attempt to its end, told to ledger, log and listeners. Never throws. */
export async function animateClip(workshop: Workshop, job: Job): Promise<ClipOutcome> {
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
      return animateOnce(workshop, current, onEvent, (adds) => {
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

/** One attempt: the CPU's part, a device's, and what is left then. */
async function animateOnce(
  { plan, detector, cpuLane, deviceLane, freeDevices, residency, signal }: Workshop,
  options: AnimateOptions,
  onEvent: (event: ProgressEvent) => void,
  onPlan: (multiplyAdds: number) => void,
): Promise<FinishedClip> {
  const context = { signal, onEvent };
  await using prepared = await cpuLane.add(async () => {
    const { memory: begun } = await unfinishedRun(options.output as string);
    const settled = begun ? options : residency(options);
    return prepareClip(settled, { detector, shared: plan.work }, context);
  });
  onPlan(prepared.plan.cost.multiplyAdds);
  residency(options, prepared.plan.residency);
  const rendered = await deviceLane.add(async () => {
    const device = freeDevices.shift() as Device; // the lane runs no more at once than there are devices
    try {
      return await renderPrepared(prepared, device);
    } catch (error) {
      // A crashed engine answers nothing more, one that ran out of memory may be in any state, and where anything else of a clip
      // fails, its engine is ended in the middle of what it does.
      await device.drop();
      throw error;
    } finally {
      freeDevices.push(device);
    }
  });
  return await finishClip(prepared, rendered, context);
}

function resultOf({ result, stages, startUpSec }: FinishedClip): Partial<ClipOutcome> {
  return { frames: result.frames, seconds: result.seconds, startUpSec, stages };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
