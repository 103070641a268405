import type { AnimateInput } from './schema.js';

export type PresetName = 'balanced' | 'reference' | 'fast';

/** Named sets of options, weaker than anything a user writes. */
export const presets: Readonly<Record<PresetName, AnimateInput>> = {
  /** The schema's defaults: the published denoising loop, with robust alignment and cross-faded decoding around it. */
  balanced: {},
  /** Everything as the published ControlNeXt-SVD-v2 program does it, quirks included. */
  reference: {
    stride: 2,
    smooth: 0,
    align: 'reference',
    resample: 'reference',
    steps: 25,
    scheduler: 'karras',
    guidanceScale: 3,
    guidanceIndex: 'local',
    chunk: 24,
    overlap: 6,
    fusion: 'flat',
    anchor: 'reference',
    phaseRotation: false,
    noise: 'independent',
    noiseAugStrength: 0.02,
    timeIds: 'published',
    decodeMode: 'reference',
    decodeChunk: 2,
    decodeOverlap: 0,
    keepReferenceFrame: true,
  },
  /** Ten Align-Your-Steps steps instead of 25, and guidance only at those noise levels at which SD-XL gains by it. */
  fast: { scheduler: 'ays', steps: 10, guidanceInterval: '0.28..5.42' },
};

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presets, name);
}
