import { buildControlNeXt } from '#dist/models/graphs/controlnext.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import { unetConfig, vaeConfig } from '#dist/models/svd/published-configs.js';
import { contextWindows } from '#dist/stages/denoise/windows.js';
import { imaginary } from '../../../support/imaginary-checkpoint.js';
import type { Part } from '../bench.js';
import { gigaflops } from '../work.js';

const how = { residency: 'low-memory', target: 'cpu' } as const;
const [chunk, overlap] = [24, 6];
const size = { height: 1024, width: 576 };
/** Frames of the clip: ten seconds at 24 a second. */
const clipFrames = 240;

/** The work of SVD-XT with ControlNeXt at full size, counted from its graphs; nothing is computed. */
export const arithmetic: Part = {
  name: 'arithmetic',
  seconds: [3, 3],
  async run({ figure }) {
    const unet = await imaginary('unet');
    const step = (guidance: boolean) =>
      gigaflops(buildUnetStep({ unet, unetConfig, frames: chunk, ...size, guidance, ...how }));
    const [guided, unguided] = [step(true), step(false)];
    const network = { controlnext: await imaginary('controlnext'), channels: unetConfig.block_out_channels[0] };
    const control = gigaflops(buildControlNeXt({ ...network, frames: chunk, ...size, ...how })) / chunk;
    const decoder = { checkpoint: await imaginary('vae'), config: vaeConfig };
    const decode = gigaflops(buildVaeDecode({ ...decoder, frames: 1, ...size, ...how }));

    figure('UNet, one window', 'TFLOP', guided / 1000, `${chunk} frames of 576x1024, guidance`);
    figure('UNet without guidance', '% of it', (unguided / guided) * 100);
    figure('control module', 'GFLOP/frame', control, 'conditional half only');
    figure('VAE decode', 'TFLOP/frame', decode / 1000);
    const windows = contextWindows(clipFrames, { chunk, overlap, anchor: 'reference', fusion: 'flat' }).length;
    const work = windows * guided;
    const note = `${clipFrames} frames, windows of ${chunk} with ${overlap} shared: ${windows} windows`;
    figure('control, every window by itself', '% of the UNet', ((windows * chunk * control) / work) * 100, note);
    figure('control, once per frame and step', '% of the UNet', ((clipFrames * control) / work) * 100, note);
    figure(
      'control, both halves of the guidance',
      '% of the UNet',
      ((windows * chunk * 2 * control) / work) * 100,
      'as published',
    );
  },
};
