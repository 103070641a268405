import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { floatTensor } from '#dist/models/tensor.js';
import { type PredictionMeter, predictionMeter } from '#dist/pipeline/tune/prediction-meter.js';
import { sample } from '#dist/stages/denoise/sample.js';
import { contextWindows } from '#dist/stages/denoise/windows.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-meter-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const count = 6;
const schedule = makeSchedule('karras', 4);
const windows = contextWindows(count, { chunk: 4, overlap: 2, anchor: 'reference', fusion: 'flat' });

/** Every window predicts its own number, so that they disagree by the same at every step. */
const run = (meter: PredictionMeter, startStep: number, endStep = 4) => {
  let calls = 0;
  return sample(floatTensor([count, 1, 1, 2], new Float32Array(count * 2)), {
    ...{ schedule, startStep, windowsAt: () => windows },
    predict: async ({ windows: [window], latents }) => {
      if (startStep + Math.floor(calls++ / windows.length) >= endStep) throw new Error('killed');
      return { ...latents, data: new Float32Array(latents.data.length).fill(1 + windows.indexOf(window!)) };
    },
    onWindows: meter.onWindows,
    onPrediction: meter.onPrediction,
  });
};

it('measures disagreement while a clip is sampled, by frame of the video', async () => {
  const meter = await predictionMeter(join(folder, 'whole.jsonl'), count);
  await run(meter, 0);
  const { overall, frames } = meter.disagreement();
  // Of 1 and 2 the mean is 1.5: (0.25 + 0.25) / (2 * 2.25).
  expect(overall).toBeCloseTo(0.5 / 4.5, 6);
  expect(frames).toHaveLength(count - 1);
  expect(frames.filter((value) => value !== undefined)).toHaveLength(1);
  expect(meter.denoiseSeconds(4)).toBeGreaterThan(0);
});

it('knows of all steps when a killed run is gone on with, torn lines or not', async () => {
  const journal = join(folder, 'killed.jsonl');
  await expect(run(await predictionMeter(journal, count), 0, 2)).rejects.toThrow('killed');
  await appendFile(journal, '{"step":2,"fra');
  await appendFile(journal, '\n');
  const again = await predictionMeter(journal, count);
  await run(again, 2);
  const whole = await predictionMeter(join(folder, 'other.jsonl'), count);
  await run(whole, 0);
  expect(again.disagreement()).toEqual(whole.disagreement());
});
