import { buildControlNeXt } from '#dist/models/graphs/controlnext.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import type { StepModel } from './middle-model.js';

const how = { residency: 'fast', target: 'cpu' } as const;

export type StepKind = {
  /** Control computed in the step, given as features that were computed before, or none. */
  readonly control: 'computed' | 'given' | 'none';
  readonly guidance: boolean;
};

/** One denoising step of one window. */
export function stepGraph(model: StepModel, { control, guidance }: StepKind): BuiltGraph {
  const pose = { name: 'pose', network: model.controlnext, givenFeatures: control === 'given' };
  return buildUnetStep({ ...model, ...how, guidance, controls: control === 'none' ? [] : [pose] });
}

/** The control module alone, on the pictures of one window. */
export function controlGraph({ controlnext, unetConfig, frames, height, width }: StepModel): BuiltGraph {
  const channels = parseUNetConfig(unetConfig).levels[0]?.channels ?? 0;
  return buildControlNeXt({ controlnext, channels, frames, height, width, ...how });
}
