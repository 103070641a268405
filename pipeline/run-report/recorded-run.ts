import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import { PantomimeError } from '../../models/errors.js';
import { exists, readJson } from '../files.js';
import { isUnfinished } from '../run-store.js';
import { maxSpans, rowNames } from '../timeline/timeline.js';

/** Larger records are not ours. */
const maxRecordBytes = 16 * 2 ** 20;
/** Stages of a run: a dozen, and one more for each control. */
const maxStages = 64;
const maxLanes = 256;

const number = z.number();
const text = z.string().max(4096);
const span = z.tuple([z.string().max(100), number, number, number, number]);
const lane = z.object({
  spans: z.array(span).max(maxSpans),
  totals: z.record(z.string().max(100), z.object({ count: number, busyMs: number, leastMs: number, mostMs: number })),
});
const lanes = z.array(lane).max(maxLanes);

const timingsSchema = z.object({
  seconds: number,
  framesPerSec: number,
  stages: z
    .array(z.object({ stage: text, startMs: number.optional(), ms: number, reused: z.boolean() }))
    .max(maxStages),
  engine: z.object({ peakRssBytes: number }).optional(),
  process: z.object({ peakRssBytes: number }).optional(),
  plan: z.record(z.string().max(100), number).optional(),
  timeline: z.partialRecord(z.enum(rowNames), lanes).optional(),
});

const recordSchema = z.object({
  pantomime: text,
  node: text.optional(),
  platform: text.optional(),
  frames: number.optional(),
  size: z.object({ width: number, height: number }).optional(),
  device: z.object({ provider: text, residency: text }).optional(),
  windows: z.array(number).optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  outputs: z.record(z.string(), text).optional(),
});

export type RunTimings = z.output<typeof timingsSchema>;

/** What a run has left behind of itself. */
export type RecordedRun = {
  readonly dir: string;
  readonly record: z.output<typeof recordSchema>;
  readonly timings: RunTimings;
  /** Results that are there, by what they are. */
  readonly results: readonly (readonly [title: string, path: string])[];
};

/**
 * Reads the folder of a finished run, or that of its .mp4 file. Nothing in it is trusted.
 * @throws PantomimeError `report.no-run`, `report.unfinished` with what is there, `report.damaged`
 */
export async function openRecordedRun(path: string): Promise<RecordedRun> {
  const given = resolve(path);
  const beside = `${given}.run`;
  const isVideo = extname(given).toLowerCase() === '.mp4';
  const dir = isVideo ? ((await exists(beside)) ? beside : dirname(given)) : given;
  if (await isUnfinished(dir)) throw await unfinished(dir);
  const record = recordSchema.safeParse(await readRecord(join(dir, 'run.json')));
  if (!record.success) throw noRun(path, record.error.issues[0]);
  const file = join(dir, 'timings.json');
  const timings = timingsSchema.safeParse(await readRecord(file));
  if (!timings.success) throw damaged(file, timings.error.issues[0]);
  return { dir, record: record.data, timings: timings.data, results: await resultsIn(dir, record.data.outputs?.video) };
}

async function readRecord(file: string): Promise<unknown> {
  const info = await stat(file).catch(() => undefined);
  return info?.isFile() && info.size <= maxRecordBytes ? readJson(file) : undefined;
}

/** The video lies in the folder or beside it; a path that the record gives is not followed anywhere else. */
async function resultsIn(dir: string, video: string | undefined): Promise<RecordedRun['results']> {
  const name = basename(video ?? 'output.mp4');
  const inside = await exists(join(dir, name));
  const candidates: [string, string][] = [
    ['video', inside ? join(dir, name) : join(dirname(dir), name)],
    ['comparison', join(dir, 'comparison.mp4')],
    ['poses', join(dir, 'pose.mp4')],
    ['contact sheet', join(dir, 'contact-sheet.png')],
    ['run.json', join(dir, 'run.json')],
    ['timings.json', join(dir, 'timings.json')],
  ];
  const there = await Promise.all(candidates.map(([, path]) => exists(path)));
  return candidates.filter((_, i) => there[i]);
}

/** Work files of an unfinished run by the begin of their names. */
const workTitles: readonly (readonly [begin: string, title: string])[] = [
  ['pose-', 'poses'],
  ['control-', 'control pictures'],
  ['reference-', 'the encoded picture'],
  ['features-', 'control features'],
  ['latents-', 'latents of some steps'],
];

async function unfinished(dir: string): Promise<PantomimeError> {
  const names = await readdir(join(dir, 'work')).catch(() => []);
  const there = workTitles.filter(([begin]) => names.some((name) => name.startsWith(begin))).map(([, title]) => title);
  return new PantomimeError({
    code: 'report.unfinished',
    kind: 'input',
    what: 'this run is not finished, or still at work',
    where: dir,
    got: there.length > 0 ? there.join(', ') : 'nothing yet',
    expected: 'run.json and timings.json, which are written at its end',
    hint: 'the command that began it, which goes on where it stopped',
  });
}

function noRun(where: string, issue: z.core.$ZodIssue | undefined): PantomimeError {
  return new PantomimeError({
    code: 'report.no-run',
    kind: 'input',
    what: 'this is not the folder of a run',
    where,
    got: `run.json: ${issueText(issue)}`,
    expected: 'a folder with run.json and timings.json, as pantomime animate leaves it',
    hint: 'pantomime report outputs/NAME',
  });
}

function damaged(where: string, issue: z.core.$ZodIssue | undefined): PantomimeError {
  return new PantomimeError({
    code: 'report.damaged',
    kind: 'input',
    what: 'the times of this run cannot be read',
    where,
    got: issueText(issue),
    expected: 'timings.json as pantomime animate writes it',
  });
}

function issueText(issue: z.core.$ZodIssue | undefined): string {
  if (!issue || issue.path.length === 0) return 'missing, or no record of a run';
  return `${issue.path.join('.')}: ${issue.message}`;
}
