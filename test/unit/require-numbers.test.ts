import { expect, it } from 'vitest';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { floatTensor } from '#dist/models/tensor.js';
import { decodeLatents } from '#dist/stages/decode-latents.js';
import { sample } from '#dist/stages/denoise/sample.js';
import { contextWindows } from '#dist/stages/denoise/windows.js';

const range = { sigmaMin: 0.002, sigmaMax: 700 };

it('a prediction that is no number names step and window', async () => {
  const windows = { chunk: 4, overlap: 1, anchor: 'reference', fusion: 'flat', phase: 0 } as const;
  let calls = 0;
  const run = sample(floatTensor([7, 4, 1, 1]), {
    schedule: makeSchedule('karras', 3, range),
    windowsAt: () => contextWindows(7, windows),
    predict: async ({ latents }) => {
      const prediction = floatTensor(latents.dims);
      if (++calls === 4) prediction.data[5] = Number.NaN;
      return prediction;
    },
  });
  await expect(run).rejects.toMatchObject({
    code: 'numbers.lost',
    details: { what: 'the denoiser gave values that are no numbers', where: 'step 2 of 3, window 2 of 2' },
  });
});

it('so do frames that are none', async () => {
  const options = { chunk: 2, overlap: 0, mode: 'reference', scalingFactor: 1 } as const;
  const decode = async () => floatTensor([2, 3, 2, 2], new Float32Array(24).fill(Number.POSITIVE_INFINITY));
  const frames = decodeLatents(floatTensor([4, 4, 1, 1]), decode, options);
  await expect(frames.next()).rejects.toMatchObject({ code: 'numbers.lost', details: { where: 'frames 0 to 1' } });
});
