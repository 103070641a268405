import { basename, extname, join, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { devicesOf } from '../devices.js';
import { requireEmbedded } from '../embedded-model.js';
import { readJson } from '../files.js';
import { chosen, type OptionSources } from '../options/resolve.js';
import { chooseProvider } from '../plan.js';
import { choosePoseBackend } from '../pose-backend.js';
import { earlierResult, type Job, resolveJobs } from './jobs.js';
import { type LedgerLine, readLedgers } from './ledger.js';
import { pairClips } from './pairing.js';
import type { BatchSettings } from './settings.js';
import { inShard } from './shard.js';
import type { ClipOutcome, Skipped } from './types.js';

/** What a batch is going to do, decided before anything is written. */
export type FolderPlan = {
  /** The batch folder. */
  readonly dir: string;
  /** Work files that its runs have in common, and its lock. */
  readonly work: string;
  readonly ledger: string;
  readonly summary: string;
  /** Clips to be animated, in order. */
  readonly jobs: readonly Job[];
  /** Clips that an earlier call has finished. */
  readonly earlier: readonly ClipOutcome[];
  readonly skipped: readonly Skipped[];
};

/**
 * Pairs clips with pictures, resolves and checks the options of each, and finds out what is done already. Nothing is opened but
 * a manifest; nothing is written. Throws PantomimeError for everything that is wrong with settings, manifest or options.
 */
export async function planFolder(settings: BatchSettings, sources: OptionSources): Promise<FolderPlan> {
  const { clips, pair, shard } = settings;
  const name = basename(resolve(clips), extname(clips));
  const dir = resolve(chosen(sources, 'output') ?? join('outputs', name));
  if (/\.(mp4|mov)$/i.test(dir)) {
    throw new PantomimeError({
      code: 'batch.output',
      kind: 'usage',
      what: 'a batch writes into a folder',
      where: '--output',
      got: dir,
      hint: `--output ${dir.replace(/\.\w+$/, '')}`,
    });
  }
  await requireEmbedded(chosen(sources, 'model') ?? '');
  await choosePoseBackend({
    poseBackend: chosen(sources, 'poseBackend') ?? 'mediapipe',
    poseModel: chosen(sources, 'poseModel') ?? 'full',
    dwposeDetector: chosen(sources, 'dwposeDetector') ?? null,
    dwposePose: chosen(sources, 'dwposePose') ?? null,
  });
  const pairing = await pairClips({ clips, image: chosen(sources, 'image') ?? null, pair });
  const own = shard ? pairing.pairs.filter((one) => inShard(one, shard)) : pairing.pairs;
  if (pairing.pairs.length === 0) throw nothingToDo(clips, pairing.skipped);
  const all = await resolveJobs(own, sources, dir);
  const [first] = all;
  if (first) devicesOf(first.options, chooseProvider(first.options.provider));
  const states = await readLedgers(dir);

  const jobs: Job[] = [];
  const earlier: ClipOutcome[] = [];
  const skipped: Skipped[] = [...pairing.skipped];
  for (const job of all) {
    const line = states.get(job.name);
    const found = await earlierResult(job, line?.state === 'done' ? line.key : undefined).catch(() => 'none' as const);
    if (found === 'none' || job.options.overwrite) jobs.push(job);
    else if (found === 'same') earlier.push(await earlierOutcome(job, line));
    else {
      const why = 'finished before with other options or from other files; --overwrite makes it anew';
      skipped.push({ name: job.name, why });
    }
  }
  const part = shard ? `-${shard.index}-of-${shard.count}` : '';
  return {
    dir,
    work: join(dir, `work${part}`),
    ledger: join(dir, `manifest${part}.jsonl`),
    summary: join(dir, 'summary.html'),
    jobs,
    earlier,
    skipped,
  };
}

function nothingToDo(clips: string, skipped: readonly Skipped[]): PantomimeError {
  const reasons = skipped.slice(0, 5).map(({ name, why }) => `${name}: ${why}`);
  if (skipped.length > reasons.length) reasons.push(`and ${skipped.length - reasons.length} more`);
  return new PantomimeError({
    code: 'batch.nothing',
    kind: 'input',
    what: 'there is no clip to animate',
    where: clips,
    got: reasons.join('\n') || 'an empty folder',
    expected: 'videos, such as .mp4, .mov, .webm or .mkv files, each with its picture',
  });
}

/** What the ledger says of a finished clip, or what its own record does where the ledger was lost. */
async function earlierOutcome({ name, movement, options, runDir }: Job, line?: LedgerLine): Promise<ClipOutcome> {
  if (line?.outcome && line.state === 'done') return { ...line.outcome, earlier: true };
  const { frames } = ((await readJson(join(runDir, 'run.json'))) ?? {}) as { frames?: number };
  const { seconds, stages } = ((await readJson(join(runDir, 'timings.json'))) ?? {}) as Partial<ClipOutcome>;
  const image = options.image as string;
  return { name, state: 'done', video: movement, image, attempts: 0, earlier: true, frames, seconds, stages };
}
