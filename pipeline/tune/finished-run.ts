import { basename, dirname, extname, join, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { exists, readJson } from '../files.js';
import { loadOptions } from '../options/load.js';
import type { AnimateOptions } from '../options/schema.js';
import type { Size } from '../size.js';

/** A run folder as `animate`, `batch` or `tune` leaves it. */
export type FinishedRun = {
  readonly dir: string;
  readonly video: string;
  readonly options: AnimateOptions;
  readonly seed: number;
  readonly size: Size;
  readonly movement: { readonly path: string; readonly sha256: string | undefined };
  readonly image: { readonly path: string; readonly sha256: string | undefined };
  /** How its poses were brought onto the character: see PoseTransform. */
  readonly alignment:
    | { readonly ax: number; readonly bx: number; readonly ay: number; readonly by: number }
    | undefined;
  readonly secondsPerFrame: number | undefined;
  readonly peakMemoryBytes: number | undefined;
};

type RunJson = {
  readonly pantomime?: unknown;
  readonly size?: Size;
  readonly frames?: number;
  readonly options?: { readonly seed?: number };
  readonly outputs?: { readonly video?: string };
  readonly inputs?: {
    readonly image?: { readonly path?: string; readonly sha256?: string };
    readonly movement?: { readonly path?: string; readonly sha256?: string };
  };
  readonly alignment?: Record<string, unknown>;
};

type TimingsJson = {
  readonly stages?: readonly { readonly stage: string; readonly ms: number; readonly reused: boolean }[];
  readonly engine?: { readonly peakRssBytes?: number };
};

/** Opens a run folder, or that of an .mp4 file. Throws PantomimeError `compare.no-run` when it is none or is not finished. */
export async function openFinishedRun(path: string): Promise<FinishedRun> {
  const given = resolve(path);
  const dir = extname(given).toLowerCase() === '.mp4' ? await runDirOf(given) : given;
  const file = join(dir, 'run.json');
  const record = (await readJson(file)) as RunJson | undefined;
  const { size, inputs, outputs, options: recorded } = record ?? {};
  // The folder may have been moved since.
  const beside = outputs?.video && join(dir, basename(outputs.video));
  const video = beside && (await exists(beside)) ? beside : outputs?.video;
  if (!record?.pantomime || !size || !video || !(await exists(video))) throw noRun(path);
  const options = await loadOptions({ flags: {}, settings: [], config: file }, 'animate');
  const timings = ((await readJson(join(dir, 'timings.json'))) ?? {}) as TimingsJson;
  const denoise = timings.stages?.filter(({ stage }) => stage === 'denoise') ?? [];
  const { ax, bx, ay, by } = record.alignment ?? {};
  const known = [ax, bx, ay, by].every((value) => typeof value === 'number');
  return {
    ...{ dir, video, options, size },
    seed: recorded?.seed ?? 0,
    movement: { path: inputs?.movement?.path ?? '', sha256: inputs?.movement?.sha256 },
    image: { path: inputs?.image?.path ?? '', sha256: inputs?.image?.sha256 },
    alignment: known ? ({ ax, bx, ay, by } as NonNullable<FinishedRun['alignment']>) : undefined,
    secondsPerFrame:
      denoise.length === 1 && denoise[0]?.reused === false && record.frames
        ? denoise[0].ms / 1000 / record.frames
        : undefined,
    peakMemoryBytes: timings.engine?.peakRssBytes,
  };
}

/** The run folder of a video: beside it, or around it. */
async function runDirOf(video: string): Promise<string> {
  return (await exists(`${video}.run`)) ? `${video}.run` : dirname(video);
}

function noRun(path: string): PantomimeError {
  return new PantomimeError({
    code: 'compare.no-run',
    kind: 'input',
    what: 'this is not the folder of a finished run',
    where: path,
    expected: 'a folder with run.json and its video, as pantomime animate leaves it',
    hint: 'pantomime compare A B, with the run folders of two finished runs',
  });
}
