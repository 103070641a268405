import type { DType } from '../tensor.js';
import type { MultiplyAdds } from './multiply-adds.js';

/** Which execution provider a graph is meant for: decides between operators where providers differ. */
export type Target = 'cpu' | 'cuda' | 'webgpu';

/** A named graph input or output with its full static shape. */
export type GraphPort = { readonly name: string; readonly dtype: DType; readonly dims: readonly number[] };

/**
 * How weights are held on a CPU. `fast`: constants, folded and pre-packed by the runtime (needs memory for float32
 * copies). `low-memory`: mapped in place from the checkpoint and converted as they are used (8-30 % slower).
 */
export type Residency = 'fast' | 'low-memory';

/** A graph ready for the runtime: protobuf bytes whose weights point into checkpoint files below `weightsRoot`. */
export type BuiltGraph = {
  /** For messages and caches, e.g. `unet-step`. */
  readonly name: string;
  readonly model: Uint8Array;
  /** Common ancestor folder of the real paths of all weight files. */
  readonly weightsRoot: string;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  readonly residency: Residency;
  /** What the graph was built for. */
  readonly target: Target;
  /** Bytes of checkpoint data the graph refers to. */
  readonly weightBytes: number;
  /** Bytes of the weights as the graph computes with them. */
  readonly convertedWeightBytes: number;
  /** Float32 bytes of the weights that LoRAs change: a second copy of them is alive while a `fast` graph is prepared. */
  readonly mergedBytes: number;
  /** Work of one run. */
  readonly multiplyAdds: MultiplyAdds;
  /** Bytes of the buffers for computed tensors that are allocated together at most (see live-memory.ts). */
  readonly peakActivationBytes: number;
};
