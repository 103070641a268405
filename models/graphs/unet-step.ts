import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { ControlNeXt, type ControlPadding, featureSide } from '../controlnext/controlnext.js';
import { type ControlInput, injectControls } from '../controlnext/inject.js';
import { PantomimeError } from '../errors.js';
import type { BuiltGraph, Residency, Target } from '../onnx/built-graph.js';
import { Graph, type Precision, type Value } from '../onnx/graph.js';
import { add, cast, concat, div, expand, floats, halve, mul, reshape, scalar, sqrt, sub } from '../onnx/ops.js';
import { UNet } from '../svd/unet.js';
import { parseUNetConfig } from '../svd/unet-config.js';
import { posePixels } from './pose-pixels.js';

/** A ControlNeXt module of a step. */
export type StepControl = {
  /** Names its inputs, see {@link controlInputs}. */
  readonly name: string;
  readonly network: Checkpoint;
  readonly padding?: ControlPadding | undefined;
  /** Takes the module's features as an input instead of computing them from pictures. */
  readonly givenFeatures?: boolean | undefined;
};

/** Names of the inputs of a control; the pose control needs no name of its own. */
export function controlInputs(name: string): {
  readonly pictures: string;
  readonly features: string;
  readonly scale: string;
} {
  const of = name === 'pose' ? '' : `.${name}`;
  return { pictures: `control${of}`, features: `control_features${of}`, scale: `control_scale${of}` };
}

export type UnetStepOptions = {
  readonly unet: Checkpoint;
  /** Parsed `unet/config.json`. */
  readonly unetConfig: unknown;
  /** Left out: no control, and no inputs for it. */
  readonly controls?: readonly StepControl[] | undefined;
  /** Frames of a window. */
  readonly frames: number;
  /** Windows of a call; 1 when left out. */
  readonly windows?: number | undefined;
  /** Size of the video in pixels. */
  readonly height: number;
  readonly width: number;
  /** Pixels per latent, in rows and in columns, as the VAE has it; 8 (SVD) when left out. */
  readonly pixelsPerLatent?: number | undefined;
  /** Two branches and their mix; false: the conditional branch alone, and no input `guidance`. */
  readonly guidance: boolean;
  readonly residency: Residency;
  readonly target: Target;
  /** float32 when left out; inputs and outputs are float32 at any precision. */
  readonly precision?: Precision | undefined;
  /** Linear layers in 8-bit whole numbers, see `GraphOptions`. */
  readonly quantize?: boolean | undefined;
  /** Parts in which the feed-forward layers, and attention where it is not fused, compute; see `GraphOptions`. */
  readonly feedForwardParts?: number | undefined;
  readonly attentionParts?: number | undefined;
  /** Adds the outputs `prediction_uncond` and `prediction_cond`. */
  readonly trace?: boolean | undefined;
};

/**
 * One denoising step of a window, or of several, as a single graph: input scaling, ControlNeXt, UNet on both guidance branches, and
 * their mix.
 *
 * Inputs, F being the frames of all windows, one after the other, h and w height and width in latents, L channels of the latents
 * (4 in SVD), D width of the image embedding:
 * - `latents` float32 [F, L, h, w], not scaled; `sigma` float32 [1]; `timestep` float32 [1], 0.25 ln(sigma)
 * - `image_latents` float32 [L, h, w], for all frames; `image_embeds` float32 [1, 1, D]; `added_time_ids` float32 [3]
 * - for each control `control` uint8 [F, H, W, 3], RGB control pictures, or with `givenFeatures` `control_features` float32
 *   [F, C, hc, wc], what `buildControlNeXt` makes of them; `control_scale` float32 [1]; see {@link controlInputs}
 * - `guidance` float32 [F], one scale for each frame
 *
 * Output `prediction` float32 [F, L, h, w]: v_uncond + guidance * (v_cond - v_uncond). The unconditional branch has
 * zeros for image latents and embedding, and no control.
 * Throws PantomimeError: `model.mismatch`, `model.unet-config`, `model.size`.
 */
export function buildUnetStep(options: UnetStepOptions): BuiltGraph {
  const { windows = 1, height, width, pixelsPerLatent = 8, guidance } = options;
  const frames = windows * options.frames;
  const config = parseUNetConfig(options.unetConfig);
  const levels = config.levels.length;
  checkSize(options.frames, height, width, pixelsPerLatent * 2 ** (levels - 1));
  const [h, w] = [height / pixelsPerLatent, width / pixelsPerLatent];
  const latentChannels = config.outChannels;
  const { residency, target, precision, quantize, feedForwardParts, attentionParts } = options;
  const how = { residency, target, precision, quantize, feedForwardParts, attentionParts };
  const graph = new Graph({ name: 'unet-step', ...how });

  const unet = new UNet(config);
  graph.bind(unet, options.unet, 'unet');
  const latents = graph.input('latents', 'float32', [frames, latentChannels, h, w]);
  const sigma = graph.input('sigma', 'float32', [1]);
  const timestep = graph.input('timestep', 'float32', [1]);
  const imageLatents = graph.input('image_latents', 'float32', [config.inChannels - latentChannels, h, w]);
  const imageEmbeds = graph.input('image_embeds', 'float32', [1, 1, config.contextWidth]);
  const addedTimeIds = graph.input('added_time_ids', 'float32', [3]);

  // Euler's input scaling, 1 / sqrt(sigma^2 + 1).
  const scaled = div(latents, sqrt(add(mul(sigma, sigma), scalar(sigma, 1))));
  const picture = reshape(imageLatents, [1, ...imageLatents.dims]);
  const repeated = expand(picture, [frames, ...imageLatents.dims]);
  const conditional = concat([scaled, repeated], 1);
  const unconditional = () => concat([scaled, zeros(graph, repeated.dims)], 1);
  const embeds = windows === 1 ? imageEmbeds : expand(imageEmbeds, [windows, 1, config.contextWidth]);

  const result = unet.forward({
    sample: guidance ? concat([unconditional(), conditional], 0) : conditional,
    frames: options.frames,
    timestep,
    context: guidance ? concat([zeros(graph, embeds.dims), embeds], 0) : embeds,
    addedTimeIds: reshape(addedTimeIds, [1, 3]),
    control: controlOf(graph, timestep, config.levels[0]?.channels ?? 0, { ...options, frames }),
  });

  const prediction = cast(result, 'float32');
  if (guidance) {
    const scale = reshape(graph.input('guidance', 'float32', [frames]), [frames, 1, 1, 1]);
    const [uncond, cond] = halve(prediction, 0);
    graph.output('prediction', add(uncond, mul(scale, sub(cond, uncond))));
    if (options.trace) {
      graph.output('prediction_uncond', uncond);
      graph.output('prediction_cond', cond);
    }
  } else {
    graph.output('prediction', prediction);
    if (options.trace) graph.output('prediction_cond', prediction);
  }
  return graph.finish();
}

/** Adds the control modules, or their features, to the graph, for so many `frames`; returns what they do to the state after down block 0. */
function controlOf(
  graph: Graph,
  timestep: Value,
  channels: number,
  { frames, height, width, guidance, controls = [] }: UnetStepOptions,
): ((h: Value) => Value) | undefined {
  if (controls.length === 0) return undefined;
  const inputs = controls.map(({ name, network: checkpoint, padding, givenFeatures }): ControlInput => {
    const input = controlInputs(name);
    const given = () => {
      const sides = [height, width].map((side) => featureSide(side, padding));
      return graph.input(input.features, 'float32', [frames, channels, ...sides]);
    };
    const computed = () => {
      const network = new ControlNeXt(channels, padding);
      graph.bind(network, checkpoint, name === 'pose' ? 'controlnext' : `controlnext.${name}`);
      const pictures = graph.input(input.pictures, 'uint8', [frames, height, width, 3]);
      return network.forward(posePixels(pictures), timestep);
    };
    const features = givenFeatures ? given() : computed();
    return { features, scale: graph.input(input.scale, 'float32', [1]) };
  });
  return (h) => {
    if (!guidance) return injectControls(h, inputs);
    const [uncond, cond] = halve(h, 0);
    return concat([uncond, injectControls(cond, inputs)], 0);
  };
}

/** Zeros that take no room in the model. */
function zeros(graph: Graph, dims: readonly number[]): Value {
  return expand(floats(graph, [1], [0]), dims);
}

const maxFrames = 1024;
const maxPixels = 8192;

function checkSize(frames: number, height: number, width: number, multiple: number): void {
  const fits = (size: number) => Number.isInteger(size) && size > 0 && size <= maxPixels && size % multiple === 0;
  if (fits(height) && fits(width) && Number.isInteger(frames) && frames > 0 && frames <= maxFrames) return;
  throw new PantomimeError({
    code: 'model.size',
    kind: 'usage',
    what: 'the UNet cannot work at this size',
    got: `${frames} frames of ${width}x${height}`,
    expected: `1 to ${maxFrames} frames, sides that are multiples of ${multiple} up to ${maxPixels}`,
    hint: `Choose a width and height divisible by ${multiple}.`,
  });
}
