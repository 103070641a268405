import type { Checkpoint } from '../models/checkpoint/checkpoint.js';
import { buildImageEncoder } from '../models/graphs/image-encoder.js';
import { buildVaeDecode } from '../models/graphs/vae-decode.js';
import { buildVaeEncode } from '../models/graphs/vae-encode.js';
import { sizeOf } from '../models/tensor.js';
import { buildControlFeatures, featureDims, featuresAreGiven } from './control-features.js';
import { groupSteps, type PlannedControl } from './controls.js';
import type { MemoryChoice } from './memory-choice.js';
import type { GraphMaker } from './memory-plan.js';
import type { Plan } from './plan.js';
import { buildStep, stepSettings } from './step-graph.js';

/** Every network of the run as a graph; nothing is loaded. */
export function graphMaker({
  options,
  model,
  size,
  frames,
  guidedAt,
  provider,
  precision,
  controls,
}: Pick<
  Plan,
  'options' | 'model' | 'size' | 'frames' | 'guidedAt' | 'provider' | 'precision' | 'controls'
>): GraphMaker {
  const how = ({ residency }: MemoryChoice) => ({ residency, target: provider, ...size });
  const features = (choice: MemoryChoice, network: Checkpoint) =>
    buildControlFeatures(network, model.unet.config, { ...how(choice), precision });
  const isBeside = ({ once }: PlannedControl) => !once && featuresAreGiven({ once }, provider);
  /** Of two calls: the next one is asked for before the last has ended. */
  const keptBytes = ({ chunk, windowsTogether }: MemoryChoice, working: readonly PlannedControl[]) => {
    const [, ...dims] = featureDims({ dims: [1, size.height, size.width] }, model.unet.config);
    return 2 * windowsTogether * Math.min(chunk, frames) * working.filter(isBeside).length * sizeOf(dims) * 4;
  };
  return {
    steps: (choice) =>
      groupSteps(controls, guidedAt).map(({ working, guided, count }) => ({
        runs: count * (guided && choice.splitGuidance ? 2 : 1),
        steps: count,
        keptBytes: keptBytes(choice, working),
        graph: buildStep(stepSettings({ model, size, options }, choice, precision), provider, {
          ...{ frames: Math.min(choice.chunk, frames), windows: choice.windowsTogether },
          ...{ guidance: guided && !choice.splitGuidance, controls: working },
        }),
        beside: working.filter(isBeside).map(({ network }) => features(choice, network)),
      })),
    decode: (choice) => {
      const [width, height] = [size.width, size.height].map((side) => Math.min(side, choice.decodeTile ?? side)) as [
        number,
        number,
      ];
      return buildVaeDecode({ ...how(choice), ...model.vae, frames: choice.decodeChunk, width, height });
    },
    features: (choice) => controls.filter(({ once }) => once).map(({ network }) => features(choice, network)),
    once: (choice) => [
      buildVaeEncode({ ...how(choice), ...model.vae }),
      buildImageEncoder({ ...how(choice), ...model.imageEncoder, precision }),
    ],
  };
}
