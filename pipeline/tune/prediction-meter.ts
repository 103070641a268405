import { appendFile } from 'node:fs/promises';
import { median } from '../../stages/quality/median.js';
import { type DisagreementMeter, overlapDisagreement } from '../../stages/quality/overlap-disagreement.js';
import { readText } from '../files.js';
import type { ClipMeter } from '../render-clip.js';
import { meanOf } from './score.js';
import type { CellRun } from './types.js';

/** What was seen of one step. */
type StepRecord = {
  readonly step: number;
  /** Disagreement by frame of the latents; null where windows share nothing. */
  readonly frames: readonly (number | null)[];
  /** Of each window. */
  readonly ms: readonly number[];
};

export type PredictionMeter = {
  readonly onWindows: NonNullable<ClipMeter['onWindows']>;
  readonly onPrediction: NonNullable<ClipMeter['onPrediction']>;
  /** By frame of the video. */
  readonly disagreement: () => CellRun['disagreement'];
  /** Denoising all steps, by the median time of a window; undefined when none was seen. @param steps of the whole run */
  readonly denoiseSeconds: (steps: number) => number | undefined;
};

/**
 * Watches the windows of a run: how much they disagree, and how long each takes. What is seen of a step is written to `journal`
 * before the step's latents are saved, so that a run that goes on after it was killed knows of all its steps.
 * @param count frames of the latents
 */
export async function predictionMeter(journal: string, count: number): Promise<PredictionMeter> {
  const records = new Map((await readRecords(journal, count)).map((record) => [record.step, record]));
  let [meter, left, lastMs]: [DisagreementMeter | undefined, number, number] = [undefined, 0, 0];
  let ms: number[] = [];
  return {
    onWindows(step, windows) {
      meter = overlapDisagreement(count);
      meter.beginStep(step, windows);
      [left, ms, lastMs] = [windows.length, [], performance.now()];
    },
    async onPrediction(step, k, prediction) {
      ms.push(performance.now() - lastMs);
      meter?.add(k, prediction.data);
      left--;
      if (left === 0 && meter) {
        const frames = meter.result().frames.map((value) => value ?? null);
        const record: StepRecord = { step, frames, ms };
        records.set(step, record);
        await appendFile(journal, `${JSON.stringify(record)}\n`);
      }
      lastMs = performance.now();
    },
    disagreement() {
      const all = [...records.values()];
      const known = (values: readonly (number | null | undefined)[]) =>
        values.filter((value) => typeof value === 'number');
      return {
        overall: meanOf(known(all.flatMap(({ frames }) => frames))),
        frames: Array.from({ length: count - 1 }, (_, i) => meanOf(known(all.map(({ frames }) => frames[i + 1])))),
      };
    },
    denoiseSeconds(steps) {
      const times = [...records.values()].flatMap((record) => record.ms);
      const usual = median(times);
      return usual === undefined ? undefined : (usual * (times.length / records.size) * steps) / 1000;
    },
  };
}

/** Whole lines of an earlier attempt; of a step seen twice the last counts. */
async function readRecords(journal: string, count: number): Promise<readonly StepRecord[]> {
  const lines = ((await readText(journal)) ?? '').split('\n');
  return lines.flatMap((line) => {
    try {
      const record = JSON.parse(line) as StepRecord;
      return record.frames.length === count && Array.isArray(record.ms) ? [record] : [];
    } catch {
      return [];
    }
  });
}
