import { basename, extname, join, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { layerFromObject } from '../options/layer.js';
import { resolveForModel } from '../options/load.js';
import { chosen, type OptionSources } from '../options/resolve.js';
import type { AnimateInput, AnimateOptions, OptionName } from '../options/schema.js';
import { excerptFrames, type GridLists } from './grid.js';
import type { TuneSettings } from './settings.js';
import type { CellSettings } from './types.js';

/** What a sweep is going to do, before anything is opened or written. */
export type TunePlan = {
  readonly dir: string;
  /** Of all runs, with one of the cells' chunk and overlap; the output is that of the shared preparation. */
  readonly options: AnimateOptions;
  readonly lists: GridLists;
  /** Most frames of the excerpt. */
  readonly frames: number;
  readonly seeds: readonly number[];
  /** Options of one run. */
  readonly optionsOf: (cell: CellSettings, id: string, seed: number) => Promise<AnimateOptions>;
};

const usualChunks = [8, 12, 16, 24];
const usualOverlaps = [0, 2, 4, 6];

/** Resolves and checks everything that can be without opening a file but the model's card. Throws PantomimeError. */
export async function planTune(settings: TuneSettings, sources: OptionSources): Promise<TunePlan> {
  const movement = chosen(sources, 'video') ?? chosen(sources, 'pose') ?? chosen(sources, 'controlVideo') ?? 'clip';
  const dir = resolve(chosen(sources, 'output') ?? join('outputs', `tune-${basename(movement, extname(movement))}`));
  if (/\.(mp4|mov)$/i.test(dir)) throw notAFolder(dir);
  const chunks = settings.chunks ?? oneOf(sources, 'chunk') ?? usualChunks;
  const overlaps = settings.overlaps ?? oneOf(sources, 'overlap') ?? usualOverlaps;
  const smallest = Math.min(...overlaps);
  const largest = Math.max(...chunks);
  if (smallest >= largest) throw nothingToRun(chunks, overlaps);
  const frames =
    settings.frames ?? oneOf(sources, 'maxFrames')?.[0] ?? excerptFrames({ chunks, overlaps, fusions: [], steps: [] });

  const resolveWith = (changes: AnimateInput) => {
    const own = { maxFrames: frames, keepReferenceFrame: false, keepIntermediate: false, audio: false, ...changes };
    return resolveForModel({ ...sources, clip: layerFromObject(own, 'tune') }, 'animate');
  };
  const seed = chosen(sources, 'seed') ?? 1;
  const base = { chunk: largest, overlap: smallest, seed };
  const options = await resolveWith({ ...base, output: join(dir, 'work', 'excerpt') });
  return {
    dir,
    options,
    lists: {
      ...{ chunks, overlaps },
      fusions: settings.fusions ?? [options.fusion],
      steps: settings.sweepSteps ?? [options.steps],
    },
    frames,
    seeds: Array.from({ length: settings.seeds }, (_, i) => seed + i),
    optionsOf: (cell, id, own) => resolveWith({ ...cell, seed: own, output: runDirOf(dir, id, own), overwrite: true }),
  };
}

/** Folder of one run. */
export function runDirOf(dir: string, id: string, seed: number): string {
  return join(dir, 'cells', id, `seed-${seed}`);
}

/** What a user has written for one option; presets and model cards do not decide what is swept. */
function oneOf(sources: OptionSources, name: OptionName & ('chunk' | 'overlap' | 'maxFrames')): number[] | undefined {
  const { flags, settings, config } = sources;
  const written = [flags, settings, config].some((layer) => layer?.entries.has(name));
  const value = written ? chosen(sources, name) : undefined;
  return typeof value === 'number' ? [value] : undefined;
}

function nothingToRun(chunks: readonly number[], overlaps: readonly number[]): PantomimeError {
  return new PantomimeError({
    code: 'tune.grid',
    kind: 'usage',
    what: 'no overlap is less than a chunk',
    where: '--chunks, --overlaps',
    got: `chunks ${chunks.join(',')}, overlaps ${overlaps.join(',')}`,
    hint: '--overlaps 0,2',
  });
}

function notAFolder(dir: string): PantomimeError {
  return new PantomimeError({
    code: 'tune.output',
    kind: 'usage',
    what: 'a sweep writes into a folder',
    where: '--output',
    got: dir,
    hint: `--output ${dir.replace(/\.\w+$/, '')}`,
  });
}
