import { join } from 'node:path';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { createEngine } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';
import { generateLatents } from '#dist/pipeline/generate-latents.js';
import type { Control, SamplingJob } from '#dist/pipeline/sampling-job.js';
import { writeSparseModel } from '../../../support/sparse-model.js';
import type { Bench, Part } from '../bench.js';
import { percent, ratios } from '../spread.js';

/** Two windows of 24 frames that share 6. */
const [frames, chunk, overlap] = [42, 24, 6];
const size = { width: 256, height: 128 };
const [rows, columns] = [size.height / 8, size.width / 8];

/**
 * What control costs in a run of several windows: one guided step of SVD-XT's own networks, all weights zero, at an eighteenth of its
 * size, with control and without.
 */
export const windows: Part = {
  name: 'windows',
  seconds: [110, 210],
  async run(bench) {
    const folder = join(bench.folder, 'svd-xt');
    await writeSparseModel(folder, 'F32');
    const { unet, controlnext } = await openModelFolder(folder);
    if (!controlnext) throw new Error(`${folder} has no control`);
    const pictures = byteTensor([frames, size.height, size.width, 3]) as unknown as Control['source'];
    const control: Control = { name: 'pose', network: controlnext, source: pictures, scale: 1, start: 0, end: 1 };
    const job: SamplingJob = {
      ...{ ...size, unet: unet.checkpoint, unetConfig: unet.config, residency: 'fast', controls: [] },
      conditioning: { imageEmbeds: floatTensor([1, 1, 1024]), imageLatents: floatTensor([4, rows, columns]) },
      ...{ addedTimeIds: [6, 128, 0.02], schedule: makeSchedule('karras', 2), startStep: 1 },
      guidance: { min: 3, max: 3, index: 'local' },
      windows: { chunk, overlap, anchor: 'reference', fusion: 'flat', phaseRotation: false },
    };
    const [without, module, denoiser]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < (bench.quick ? 1 : 2); round++) {
      without.push((await busySeconds(bench, job)).denoiser);
      const busy = await busySeconds(bench, { ...job, controls: [control] });
      module.push(busy.module);
      denoiser.push(busy.denoiser);
    }
    const { figure } = bench;
    const note = `${frames} frames of ${size.width}x${size.height} in two windows of ${chunk}, guidance`;
    figure('SVD-XT without control', 's', without, note);
    figure('control module', '% of that', percent(ratios(module, without)));
    const whole = module.map((seconds, i) => seconds + (denoiser[i] as number));
    figure('control, module and injection', '% more', percent(ratios(whole, without).map((ratio) => ratio - 1)));
  },
};

/** Seconds in which the engine ran each network in one step; preparing them is not counted. */
async function busySeconds({ threads }: Bench, job: SamplingJob) {
  const busy = { denoiser: 0, module: 0 };
  await using engine = await createEngine({ provider: 'cpu', threads });
  engine.watch(({ call, graph, startMs, endMs }) => {
    if (call === 'run') busy[graph === 'controlnext' ? 'module' : 'denoiser'] += (endMs - startMs) / 1000;
  });
  await generateLatents([engine], floatTensor([frames, 4, rows, columns]), job);
  return busy;
}
