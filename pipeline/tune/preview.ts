import type { RunContext } from '../events.js';
import type { OptionSources } from '../options/resolve.js';
import { makePlan } from '../plan.js';
import { planGrid } from './grid.js';
import type { TuneSettings } from './settings.js';
import { planTune } from './tune-plan.js';
import type { CellSettings } from './types.js';

/** What a sweep would do. */
export type TunePreview = {
  readonly dir: string;
  /** Of the excerpt; to be certain the clip would have to be decoded. */
  readonly frames: number;
  readonly seeds: readonly number[];
  readonly cells: readonly {
    readonly id: string;
    readonly settings: CellSettings;
    readonly costFactor: number;
    /** Runs of the denoiser. */
    readonly forwards: number;
    readonly why?: string | undefined;
  }[];
};

/** Opens and checks every input and makes the grid; writes nothing. Throws PantomimeError for everything that is wrong. */
export async function previewTune(
  settings: TuneSettings,
  sources: OptionSources,
  { signal }: Pick<RunContext, 'signal'> = {},
): Promise<TunePreview> {
  const tune = await planTune(settings, sources);
  const plan = await makePlan(tune.options, signal ? { signal } : {});
  const frames = plan.frames - 1;
  const cells = planGrid(tune.lists, { ...tune.options, frames }).map(({ id, settings: own, windows, factor, why }) => {
    return { id, settings: own, costFactor: factor, forwards: windows.length * own.steps, why };
  });
  return { dir: tune.dir, frames, seeds: tune.seeds, cells };
}

/** For people. */
export function previewText({ dir, frames, seeds, cells }: TunePreview): string {
  const width = Math.max(...cells.map(({ id }) => id.length));
  const rows = cells.map(({ id, why, forwards, costFactor }) =>
    why
      ? `${id.padEnd(width)}  cannot be run: ${why}`
      : `${id.padEnd(width)}  ${forwards} runs of the denoiser, cost factor ${costFactor.toFixed(2)}`,
  );
  const times = seeds.length > 1 ? `, seeds ${seeds.join(', ')}` : `, seed ${seeds[0]}`;
  return [`${frames} frames${times}, in ${dir}`, ...rows].join('\n');
}
