import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { lockFolder } from '../folder-lock.js';
import type { OptionSources } from '../options/resolve.js';
import { chooseProvider } from '../plan.js';
import { makeFolders } from '../run-store.js';
import { warmDetector } from '../warm/detector.js';
import { openDevice } from '../warm/device.js';
import { type Excerpt, prepareExcerpt } from './excerpt.js';
import { type PlannedCell, planGrid, shownWindows } from './grid.js';
import { judgeCells, type MeasuredCell } from './judge-cells.js';
import { readMeasurement } from './measurement.js';
import { metricInfos } from './metric-infos.js';
import { recommend } from './recommend.js';
import { measurementFile } from './run-cell.js';
import type { TuneSettings } from './settings.js';
import { steadyTimes } from './steady-times.js';
import { type CellOutcome, sweep, taskOf } from './sweep.js';
import { planTune, type TunePlan } from './tune-plan.js';
import type { TuneContext, TuneEvent, TuneResult } from './types.js';
import { writeResults } from './write-results.js';

const presetName = 'preset.yaml';

/**
 * Makes an excerpt of a clip with every chunk, overlap, fusion and number of steps that is asked for, measures the videos, and
 * says which settings to use and why: `results.json`, `report.html` and a preset for `animate`. Poses, control pictures and
 * features are made once. What an interrupted or killed call has measured is taken over by the same call.
 *
 * Throws PantomimeError: `tune.other` when the folder holds a sweep with other options; what the cells failed with, when all did;
 * the reason of `context.signal` when that aborts; `output.locked` when another one is at work in the folder.
 */
export async function tune(
  settings: TuneSettings,
  sources: OptionSources,
  context: TuneContext = {},
): Promise<TuneResult> {
  const plan = await planTune(settings, sources);
  const { dir, options } = plan;
  const work = join(dir, 'work');
  const provider = chooseProvider(options.provider);
  await makeFolders(work);
  await using lock = await lockFolder(join(work, 'lock'), dir);
  const signal = context.signal ? AbortSignal.any([context.signal, lock.lost]) : lock.lost;
  const emit = (event: TuneEvent) => context.onEvent?.(event);
  await using detector = warmDetector(signal);
  await using device = openDevice({
    ...{ provider, deviceId: options.deviceId, vram: options.vram, threads: options.threads ?? undefined, signal },
  });
  let result: TuneResult;
  {
    const onEvent = (event: Extract<TuneEvent, { type: 'tune.event' }>['event']) => emit({ type: 'tune.event', event });
    await using excerpt = await prepareExcerpt(plan, settings.self, detector, { signal, onEvent });
    const { frames } = excerpt;
    const grid = planGrid(plan.lists, { ...options, frames });
    await requireSame(plan, excerpt, grid);
    const worth = grid.filter(({ why }) => !why);
    emit({ type: 'tune.start', dir, cells: grid.length, left: worth.length, seeds: plan.seeds.length, frames });
    const bench = { dir, excerpt, detector, device };
    const { seeds, optionsOf } = plan;
    const outcomes = await sweep(bench, { grid, seeds, optionsOf, all: settings.all, signal, emit });
    result = resultOf(plan, excerpt, outcomes);
  }
  const files = await writeResults(result);
  // Poses and the encoded picture stay, for further cells; the rest is large and quickly made.
  await rm(join(work, 'excerpt'), { recursive: true, force: true });
  emit({ type: 'tune.done', ...files });
  return result;
}

function resultOf({ dir, seeds, options }: TunePlan, excerpt: Excerpt, outcomes: readonly CellOutcome[]): TuneResult {
  const { plan, frames, truth } = excerpt;
  const measured = outcomes.map(({ cell, state, why, runs }): MeasuredCell => {
    const { windows, joints } = shownWindows(cell, { ...options, frames });
    return { id: cell.id, settings: cell.settings, state, why, runs, windows, joints };
  });
  const { cells, scores } = judgeCells(measured, steadyTimes(measured));
  const { num, den } = plan.movement.frameRate;
  return {
    ...{ version: 1, kind: 'tune', dir, frames, seeds, cells },
    ...{ clip: plan.movement.path, image: options.image as string, model: options.model, size: plan.size },
    framesPerSec: num / den,
    selfReenactment: truth !== undefined,
    metrics: metricInfos.filter(({ name }) => cells.some(({ values }) => values[name])),
    recommendation: recommend(cells, scores, presetName),
  };
}

/** Numbers of other pictures, clips, models or options are neither compared nor overwritten unasked. */
async function requireSame(plan: TunePlan, excerpt: Excerpt, grid: readonly PlannedCell[]): Promise<void> {
  if (plan.options.overwrite) return;
  for (const cell of grid.filter(({ why }) => !why)) {
    for (const seed of plan.seeds) {
      const task = await taskOf({ excerpt }, plan, cell, seed);
      const there = await readMeasurement(measurementFile(task));
      if (!there || there.key === task.key) continue;
      throw new PantomimeError({
        code: 'tune.other',
        kind: 'usage',
        what: 'this folder holds a sweep with other options, another clip or another picture',
        where: task.options.output as string,
        hint: `another place with -o, --overwrite, or what it was made with (--frames ${there.run.frames}, ...)`,
      });
    }
  }
}
