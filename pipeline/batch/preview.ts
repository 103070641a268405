import PQueue from 'p-queue';
import { toPantomimeError } from '../explain-error.js';
import { makePlan, type Plan } from '../plan.js';
import type { FolderPlan } from './folder-plan.js';
import type { Job } from './jobs.js';
import { type Speed, speedOf } from './speed.js';
import type { BatchContext, ClipError } from './types.js';

/** What would become of one clip. */
export type ClipPreview = {
  readonly job: Job;
  readonly plan?: Plan | undefined;
  /** Estimated, where there is anything to estimate by. */
  readonly seconds?: number | undefined;
  /** Why it would fail. */
  readonly error?: ClipError | undefined;
};

export type FolderPreview = {
  readonly plan: FolderPlan;
  readonly clips: readonly ClipPreview[];
  readonly speed: Speed | undefined;
};

/** Clips that are opened at the same time: reading headers waits for ffprobe and the disk. */
const openedAtOnce = 4;

/** Plans every clip of a batch without doing any of it; what would fail is found now. Writes nothing. */
export async function previewFolder(plan: FolderPlan, { signal, onEvent }: BatchContext = {}): Promise<FolderPreview> {
  const queue = new PQueue({ concurrency: openedAtOnce });
  let done = 0;
  const previews = plan.jobs.map((job) =>
    queue.add(async (): Promise<Omit<ClipPreview, 'seconds'>> => {
      signal?.throwIfAborted();
      try {
        return { job, plan: await makePlan(job.options, { ...(signal && { signal }) }) };
      } catch (thrown) {
        signal?.throwIfAborted();
        const { kind, code, details } = toPantomimeError(thrown, signal);
        return { job, error: { ...details, kind, code } };
      } finally {
        onEvent?.({ type: 'batch.progress', done: ++done, failed: 0, total: plan.jobs.length });
      }
    }),
  );
  const opened = await Promise.all(previews);
  const first = opened.find((one) => one.plan)?.plan;
  const speed = first && (await speedOf(first, plan.dir));
  const clips = opened.map((one) => ({
    ...one,
    seconds: speed && one.plan && one.plan.cost.multiplyAdds / speed.multiplyAddsPerSec,
  }));
  return { plan, clips, speed };
}
