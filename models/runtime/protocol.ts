import type { BuiltGraph } from '../onnx/built-graph.js';
import type { DType, Tensor } from '../tensor.js';
import type { Span } from './monotonic.js';
import type { OnnxFile } from './onnx-file.js';

/** Execution provider of an engine. */
export type Provider = 'cpu' | 'cuda' | 'webgpu';

/** A tensor lying raw (little-endian, row-major) in a file, read when it is used. */
export type FileTensor = {
  readonly file: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Byte at which it begins; 0 when left out. */
  readonly offset?: number | undefined;
};

/** A tensor without values at first: runs fill its rows (`RunOptions.keep`), which are forgotten one by one. */
export type RowStore = { readonly rows: 'kept'; readonly dtype: DType; readonly dims: readonly number[] };

/** What a name can stand for inside an engine. */
export type Source = Tensor | FileTensor | RowStore;

/** A named tensor as a whole, or some of its rows (indices into axis 0, in any order, repeats allowed). */
export type Reference = { readonly ref: string; readonly rows?: readonly number[] | undefined };

export type RunInput = Tensor | Reference;

/** Where an output goes, by its name, instead of being sent back: its rows become these rows of a `RowStore`. */
export type KeptRows = { readonly ref: string; readonly rows: readonly number[] };
export type KeptOutputs = Readonly<Record<string, KeptRows>>;

export type ProviderOptions = { readonly provider: Provider; readonly deviceId: number; readonly threads: number };

export type LoadOptions = {
  /**
   * Refuse (instead of computing on the CPU) operators that the provider has no kernel for. Meant for tests of a
   * device.
   */
  readonly forbidCpuFallback?: boolean | undefined;
  /**
   * Times every operator of every run; releasing the session writes `PREFIX_TIME.json`, a list of trace events. Runs become
   * a little slower.
   */
  readonly profilePrefix?: string | undefined;
};

/** An input or output as a loaded model declares it. */
export type OpenPort = {
  readonly name: string;
  /** As onnxruntime calls it, e.g. `float32`; `none` for what is no tensor. */
  readonly dtype: string;
  /** `null` takes any size. */
  readonly dims: readonly (number | null)[];
};

export type OpenPorts = { readonly inputs: readonly OpenPort[]; readonly outputs: readonly OpenPort[] };

/** Process memory in bytes. */
export type EngineMemory = { readonly rssBytes: number; readonly peakRssBytes: number };

export type OpenedRuntime = {
  readonly pid: number;
  /** Version of onnxruntime. */
  readonly runtimeVersion: string;
  /** Providers that it was built with, whether or not they work here. */
  readonly providers: readonly string[];
};

/** What each call sends and gets back; the engine answers calls in the order they were made. */
export type Calls = {
  open: { args: ProviderOptions; result: OpenedRuntime };
  load: {
    args: { readonly session: number; readonly graph: BuiltGraph; readonly options: LoadOptions };
    result: undefined;
  };
  loadFile: {
    args: { readonly session: number; readonly source: OnnxFile; readonly options: LoadOptions };
    /** `ports` is undefined when the content was another one: then nothing was loaded. */
    result: { readonly sha256: string; readonly ports: OpenPorts | undefined };
  };
  release: { args: { readonly session: number }; result: undefined };
  define: { args: { readonly name: string; readonly source: Source }; result: undefined };
  /** Some rows of a `RowStore`, or all of whatever has the name. */
  forget: { args: { readonly name: string; readonly rows?: readonly number[] | undefined }; result: undefined };
  run: {
    args: {
      readonly session: number;
      readonly inputs: Readonly<Record<string, RunInput>>;
      readonly outputs: readonly string[];
      readonly keep: KeptOutputs;
    };
    result: Record<string, Tensor>;
  };
  memory: { args: undefined; result: EngineMemory };
};

export type CallName = keyof Calls;

export type Request = {
  [Name in CallName]: { readonly id: number; readonly call: Name; readonly args: Calls[Name]['args'] };
}[CallName];

export type Reply =
  /** `span` is when the engine worked on the call. */
  | { readonly id: number; readonly ok: true; readonly span: Span; readonly result: Calls[CallName]['result'] }
  | { readonly id: number; readonly ok: false; readonly message: string };

/** Index of the extra pipe that only tells the engine process whether its parent is alive. */
export const lifelineFd = 4;
