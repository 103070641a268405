import type { MetricInfo } from './types.js';

/** Every metric of a sweep, as people are told about it, the most telling first. */
export const metricInfos: readonly MetricInfo[] = [
  {
    name: 'seamRatio',
    title: 'Seam ratio',
    meaning: 'How much more a picture changes where windows meet than elsewhere, for the same movement; 1 is no seam.',
    ...{ unit: '', better: 'lower', kind: 'quality' },
  },
  {
    name: 'overlapDisagreement',
    title: 'Overlap disagreement',
    meaning:
      'How differently windows predict the frames they share, before they are averaged; 0 is agreement. Not in the score: it is a cause of seams and ghosts, and windows that share nothing have none.',
    ...{ unit: '', better: 'lower', logarithmic: true, kind: 'quality' },
  },
  {
    name: 'windowPeriodicity',
    title: 'Pulse of the windows',
    meaning: 'How much the changes repeat from window to window; about 1 or less is nothing special.',
    ...{ unit: '', better: 'lower', logarithmic: true, kind: 'quality' },
  },
  {
    name: 'decodePeriodicity',
    title: 'Pulse of the decoder',
    meaning:
      'How much the changes repeat from decoded chunk to decoded chunk; about 1 or less is nothing special. Not in the score: chunk and overlap do not decide it.',
    ...{ unit: '', better: 'lower', logarithmic: true, kind: 'quality' },
  },
  {
    name: 'flicker',
    title: 'Flicker',
    meaning: 'How much what stands still flickers from frame to frame; 0 is a still picture.',
    ...{ unit: 'levels of 255', better: 'lower', kind: 'quality' },
  },
  {
    name: 'colorDrift',
    title: 'Colour drift',
    meaning: 'How fast the colour goes away from that of the first frame; 0 is none, 2 is just seen after a second.',
    ...{ unit: 'ΔE a second', better: 'lower', kind: 'quality' },
  },
  {
    name: 'sharpnessUnevenness',
    title: 'Uneven sharpness',
    meaning: 'How much some frames are sharper than those about them, as where windows are averaged; 0 is even.',
    ...{ unit: 'octaves', better: 'lower', kind: 'quality' },
  },
  {
    name: 'pck10',
    title: 'Joints in place (PCK@0.1)',
    meaning:
      'Share of the joints that are found again within a tenth of the figure of where they were asked for; 1 is all.',
    ...{ unit: '', better: 'higher', kind: 'quality' },
  },
  {
    name: 'oks',
    title: 'Pose likeness (OKS)',
    meaning: 'How near the poses found again in the video are to those asked for; 1 is the same.',
    ...{ unit: '', better: 'higher', kind: 'quality' },
  },
  {
    name: 'psnr',
    title: 'PSNR',
    meaning: 'How near the frames are to those of the driving clip, where the picture is one of them; 30 is near.',
    ...{ unit: 'dB', better: 'higher', kind: 'quality' },
  },
  {
    name: 'ssim',
    title: 'SSIM',
    meaning:
      'How like the frames are in structure to those of the driving clip, where the picture is one of them; 1 is equal.',
    ...{ unit: '', better: 'higher', kind: 'quality' },
  },
  {
    name: 'secondsPerFrame',
    title: 'Seconds a frame',
    meaning: 'Time of denoising for each frame of the video, from the median time of the windows of the same chunk.',
    ...{ unit: 's', better: 'lower', kind: 'cost' },
  },
  {
    name: 'peakMemoryBytes',
    title: 'Peak memory',
    meaning: 'Most memory that the process that computes has held; it is started anew for each chunk.',
    ...{ unit: 'bytes', better: 'lower', kind: 'cost' },
  },
  {
    name: 'costFactor',
    title: 'Cost factor',
    meaning: 'Frames run through the network for each frame made, about chunk / (chunk - overlap); 1 is the least.',
    ...{ unit: '', better: 'lower', kind: 'cost' },
  },
];
