import { buildUnetStep, type UnetStepOptions } from '../models/graphs/unet-step.js';
import type { BuiltGraph, Target } from '../models/onnx/built-graph.js';
import type { Precision } from '../models/onnx/graph.js';
import { parseVaeConfig } from '../models/svd/vae-config.js';
import { featuresAreGiven } from './control-features.js';
import type { PlannedControl } from './controls.js';
import type { MemoryChoice } from './memory-choice.js';
import type { Plan } from './plan.js';

/** What all graphs of a run's denoiser have in common. */
export type StepSettings = Omit<UnetStepOptions, 'controls' | 'frames' | 'windows' | 'guidance' | 'target' | 'trace'>;

/** What sets the graphs of a run's denoiser apart: what works in a step, and how much is computed in one call. */
export type StepKind = Pick<UnetStepOptions, 'frames' | 'guidance'> & {
  readonly windows: number;
  readonly controls: readonly Pick<PlannedControl, 'name' | 'network' | 'once'>[];
};

export function stepSettings(
  { model, size, options }: Pick<Plan, 'model' | 'size' | 'options'>,
  { residency, feedForwardParts, attentionParts }: MemoryChoice,
  precision: Precision,
): StepSettings {
  const { pixelsPerLatent } = parseVaeConfig(model.vae.config);
  return {
    ...{ ...size, pixelsPerLatent, unet: model.unet.checkpoint, unetConfig: model.unet.config },
    ...{ residency, precision, feedForwardParts, attentionParts, quantize: options.quantize === 'linear' },
  };
}

/** Throws as `buildUnetStep`. */
export function buildStep(settings: StepSettings, target: Target, { controls, ...kind }: StepKind): BuiltGraph {
  return buildUnetStep({
    ...settings,
    ...kind,
    target,
    controls: controls.map((control) => ({ ...control, givenFeatures: featuresAreGiven(control, target) })),
  });
}
