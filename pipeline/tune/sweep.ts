import { etaEstimator, type RunContext } from '../events.js';
import { toPantomimeError } from '../explain-error.js';
import type { AnimateOptions } from '../options/schema.js';
import { type TriedCell, whyDominated, whyNoMoreSeeds } from './early-stop.js';
import type { PlannedCell } from './grid.js';
import { readMeasurement } from './measurement.js';
import { type CellTask, checkExcerpt, measurementFile, runCell, taskKey, type Workbench } from './run-cell.js';
import { scoreCells, scoredCell } from './score.js';
import type { Cell, CellRun, CellSettings, TuneEvent } from './types.js';

/** What became of a cell. */
export type CellOutcome = {
  readonly cell: PlannedCell;
  state: Cell['state'];
  why: string | undefined;
  readonly runs: CellRun[];
};

export type SweepOptions = {
  readonly grid: readonly PlannedCell[];
  readonly seeds: readonly number[];
  readonly optionsOf: (cell: CellSettings, id: string, seed: number) => Promise<AnimateOptions>;
  /** No early stop. */
  readonly all: boolean;
  readonly signal: AbortSignal;
  readonly emit: (event: TuneEvent) => void;
};

/** A device may fail once: what the run has done by then is not lost. */
const attempts = 2;

/**
 * Runs every cell that is worth it with the first seed, then those that are still worth it with the others. Runs with a
 * measurement are not done again, and the same cells are left out whether a sweep was interrupted or not: what is decided about
 * a cell depends on the first runs of those before it only. A cell that fails stops no other; where all fail, the first error
 * is thrown.
 */
export async function sweep(bench: Workbench, options: SweepOptions): Promise<readonly CellOutcome[]> {
  const { grid, seeds, all, emit, signal } = options;
  const outcomes = grid.map(
    (cell): CellOutcome => ({ cell, state: cell.why ? 'invalid' : 'done', why: cell.why, runs: [] }),
  );
  for (const { cell, why } of outcomes) if (why) emit({ type: 'cell.end', cell: cell.id, state: 'invalid', why });
  const progress = sweepProgress(outcomes, seeds.length, emit);
  let failure: unknown;
  let chunk: number | undefined;
  let checked = false;

  const perform = async (outcome: CellOutcome, seed: number) => {
    const { cell, runs } = outcome;
    const task = await taskOf(bench, options, cell, seed);
    const earlier = await readMeasurement(measurementFile(task));
    if (earlier?.key === task.key) {
      runs.push(earlier.run);
      progress.skip(cell);
      return;
    }
    // An engine of its own for each chunk: what its peak of memory is due to is certain, and old graphs hold none.
    if (chunk !== undefined && chunk !== cell.settings.chunk) await bench.device.drop();
    chunk = cell.settings.chunk;
    emit({ type: 'cell.start', cell: cell.id, seed });
    const onEvent: RunContext['onEvent'] = (event) => {
      emit({ type: 'cell.event', cell: cell.id, event });
      if (event.type === 'stage.progress' && event.stage === 'denoise' && event.total)
        progress.reach(cell, event.done / event.total);
    };
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        if (!checked) await checkExcerpt(bench);
        checked = true;
        runs.push(await runCell(bench, task, { signal, onEvent }));
        progress.done(cell);
        return;
      } catch (thrown) {
        const { kind, details } = toPantomimeError(thrown, signal);
        if (signal.aborted || kind === 'interrupted') throw thrown;
        // Whatever failed, the engine may have been ended with it.
        await bench.device.drop();
        const { code, what, got } = details;
        if (kind === 'device' && attempt < attempts) {
          emit({ type: 'warning', code, message: `${cell.id}: ${what}; once more` });
          continue;
        }
        failure ??= thrown;
        Object.assign(outcome, { state: 'failed', why: got ? `${what}: ${got}` : what });
        progress.leaveOut(cell);
        return;
      }
    }
  };

  const tried: CellOutcome[] = [];
  for (const outcome of outcomes.filter(({ state }) => state === 'done')) {
    signal.throwIfAborted();
    const why = all ? undefined : whyDominated(outcome.cell, scored(tried));
    if (why) {
      Object.assign(outcome, { state: 'dominated', why });
      progress.leaveOut(outcome.cell);
    } else {
      await perform(outcome, seeds[0] as number);
      if (outcome.state === 'done') tried.push(outcome);
    }
    if (seeds.length === 1 || outcome.state !== 'done') endOf(outcome, emit);
  }
  const scores = scored(tried);
  for (const [i, outcome] of tried.entries()) {
    if (seeds.length === 1) break;
    const why = all ? undefined : whyNoMoreSeeds(scores[i] as TriedCell, scores);
    if (why) {
      outcome.why = why;
      progress.leaveOut(outcome.cell);
    }
    for (const seed of why ? [] : seeds.slice(1)) {
      signal.throwIfAborted();
      if (outcome.state === 'done') await perform(outcome, seed);
    }
    // What was measured before another seed failed is good.
    if (outcome.runs.length > 0) outcome.state = 'done';
    endOf(outcome, emit);
  }
  if (failure && tried.length === 0) throw failure;
  return outcomes;
}

export async function taskOf(
  { excerpt }: Pick<Workbench, 'excerpt'>,
  { optionsOf }: Pick<SweepOptions, 'optionsOf'>,
  cell: PlannedCell,
  seed: number,
): Promise<CellTask> {
  const options = await optionsOf(cell.settings, cell.id, seed);
  return { cell, options, seed, key: taskKey(options, excerpt) };
}

/** Scores by the first seeds, among themselves. */
function scored(tried: readonly CellOutcome[]): readonly TriedCell[] {
  const scores = scoreCells(
    tried.map(({ cell, runs }) => scoredCell(cell.id, cell.settings, cell.windows, runs.slice(0, 1))),
  );
  return tried.map(({ cell }) => ({ cell, score: scores.get(cell.id)?.score ?? 0 }));
}

function endOf({ cell, state, why }: CellOutcome, emit: SweepOptions['emit']): void {
  emit({ type: 'cell.end', cell: cell.id, state, why });
}

/** How far the sweep is, in runs of the average cell, by what each is going to cost. */
function sweepProgress(outcomes: readonly CellOutcome[], seeds: number, emit: SweepOptions['emit']) {
  const left = new Map(outcomes.map(({ cell, state }) => [cell.id, state === 'done' ? seeds : 0]));
  const costs = outcomes.filter(({ state }) => state === 'done').map(({ cell }) => cell.forwardFrames);
  const unit = costs.reduce((sum, cost) => sum + cost, 0) / Math.max(1, costs.length);
  const eta = etaEstimator();
  // What was done before this call says nothing about its pace.
  let [done, earlier] = [0, 0];
  const tell = (more = 0) => {
    const rest = outcomes.reduce((sum, { cell }) => sum + (left.get(cell.id) as number) * cell.forwardFrames, 0);
    const own = done - earlier + more;
    const etaSec = eta(own / unit, (done - earlier + rest) / unit);
    emit({ type: 'tune.progress', done: (done + more) / unit, total: (done + rest) / unit, etaSec });
  };
  const finish = (cell: PlannedCell) => {
    left.set(cell.id, (left.get(cell.id) as number) - 1);
    done += cell.forwardFrames;
  };
  return {
    done: (cell: PlannedCell) => {
      finish(cell);
      tell();
    },
    skip: (cell: PlannedCell) => {
      finish(cell);
      earlier += cell.forwardFrames;
      tell();
    },
    reach: (cell: PlannedCell, part: number) => tell(part * cell.forwardFrames),
    leaveOut: (cell: PlannedCell) => {
      left.set(cell.id, 0);
      tell();
    },
  };
}
