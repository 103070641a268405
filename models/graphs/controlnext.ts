import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { ControlNeXt, type ControlPadding } from '../controlnext/controlnext.js';
import type { BuiltGraph, Residency, Target } from '../onnx/built-graph.js';
import { Graph, type Precision } from '../onnx/graph.js';
import { cast } from '../onnx/ops.js';
import { posePixels } from './pose-pixels.js';

export type ControlNeXtOptions = {
  readonly controlnext: Checkpoint;
  /** Width of the features: block_out_channels[0] of the UNet. */
  readonly channels: number;
  readonly padding?: ControlPadding | undefined;
  readonly frames: number;
  /** Size of the control pictures in pixels. */
  readonly height: number;
  readonly width: number;
  readonly residency: Residency;
  readonly target: Target;
  /** float32 when left out; inputs and outputs are float32 at any precision. */
  readonly precision?: Precision | undefined;
  /** Modules whose results become outputs of the same name, e.g. `controlnext.down_sample.0`. */
  readonly taps?: readonly string[];
};

/** The bare ControlNeXt: `control` uint8 [F, H, W, 3] and `timestep` float32 [1] -> `features` float32 [F, C, h, w]. */
export function buildControlNeXt(options: ControlNeXtOptions): BuiltGraph {
  const { frames, height, width, residency, target, precision } = options;
  const graph = new Graph({ name: 'controlnext', residency, target, precision });
  const network = new ControlNeXt(options.channels, options.padding);
  graph.bind(network, options.controlnext, 'controlnext');
  const pictures = graph.input('control', 'uint8', [frames, height, width, 3]);
  const timestep = graph.input('timestep', 'float32', [1]);
  graph.output('features', cast(network.forward(posePixels(pictures), timestep), 'float32'));
  for (const path of options.taps ?? []) graph.output(path, graph.tapped(path));
  return graph.finish();
}
