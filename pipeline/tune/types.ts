import type { Fusion } from '../../stages/denoise/windows.js';
import type { ClipMetrics } from '../../stages/quality/clip-metrics.js';
import type { ProgressEvent, RunError } from '../events.js';
import type { Size } from '../size.js';

/** What a cell of the grid tries. */
export type CellSettings = {
  readonly chunk: number;
  readonly overlap: number;
  readonly fusion: Fusion;
  readonly steps: number;
};

/** A number that says how good or how dear a cell is. */
export type MetricName =
  | 'seamRatio'
  | 'overlapDisagreement'
  | 'windowPeriodicity'
  | 'decodePeriodicity'
  | 'flicker'
  | 'colorDrift'
  | 'sharpnessUnevenness'
  | 'pck10'
  | 'oks'
  | 'psnr'
  | 'ssim'
  | 'secondsPerFrame'
  | 'peakMemoryBytes'
  | 'costFactor';

/** How a metric is to be read. */
export type MetricInfo = {
  readonly name: MetricName;
  readonly title: string;
  /** One sentence for people: what it means, and what its ideal is. */
  readonly meaning: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** Seen on a logarithmic scale. */
  readonly logarithmic?: boolean;
  /** Quality of the picture, or what it costs. */
  readonly kind: 'quality' | 'cost';
};

/** One run of a cell. */
export type CellRun = {
  readonly seed: number;
  /** Of the video, relative to the tune folder. */
  readonly video: string;
  readonly frames: number;
  readonly metrics: ClipMetrics;
  /** Disagreement of the windows' predictions before fusion, overall and by frame of the video. */
  readonly disagreement: { readonly overall: number | undefined; readonly frames: readonly (number | undefined)[] };
  readonly values: Readonly<Partial<Record<MetricName, number>>>;
};

/** Mean over the seeds, and their standard deviation where there is more than one. */
export type Spread = { readonly mean: number; readonly deviation: number | undefined };

export type Cell = {
  /** Names its folder, e.g. `c16-o4-flat-s8`. */
  readonly id: string;
  readonly settings: CellSettings;
  /** `invalid`: cannot be run; `dominated`: left out because another cell is faster and better. */
  readonly state: 'done' | 'invalid' | 'dominated' | 'failed';
  /** Why it is not done, or has fewer runs than there are seeds. */
  readonly why?: string | undefined;
  readonly runs: readonly CellRun[];
  readonly values: Readonly<Partial<Record<MetricName, Spread>>>;
  /** Quality of all quality metrics together, 0 (worst of this sweep) to 1 (best). */
  readonly score?: number | undefined;
  /** Standard deviation of the score over the seeds, where there is more than one. */
  readonly scoreDeviation?: number | undefined;
  /** Whether no other cell is both cheaper and better. */
  readonly onFront?: boolean | undefined;
  /** Windows of the first step: frames of the video (-1 is the reference picture's own) and weights. */
  readonly windows: readonly { readonly frames: readonly number[]; readonly weights: readonly number[] }[];
  /** Frames of the video at which the set of windows changes. */
  readonly joints: readonly number[];
};

export type Recommendation = {
  readonly cell: string;
  readonly reasons: readonly string[];
  /** The best cells differ by less than the seeds do. */
  readonly withinNoise: boolean;
  /** Preset file that `animate --preset` takes, relative to the tune folder. */
  readonly preset: string;
};

/** What `results.json` holds. Paths are relative to its folder. */
export type TuneResult = {
  readonly version: 1;
  readonly kind: 'tune' | 'compare';
  readonly dir: string;
  readonly clip: string;
  readonly image: string;
  readonly model: string;
  readonly size: Size;
  readonly framesPerSec: number;
  readonly frames: number;
  readonly seeds: readonly number[];
  /** The reference picture is a frame of the clip, so that PSNR and SSIM have a truth. */
  readonly selfReenactment: boolean;
  readonly metrics: readonly MetricInfo[];
  readonly cells: readonly Cell[];
  readonly recommendation: Recommendation | undefined;
};

export type TuneEvent =
  /** What all cells share is being made: poses, control pictures. Before `tune.start`. */
  | { readonly type: 'tune.event'; readonly event: ProgressEvent }
  | {
      readonly type: 'tune.start';
      readonly dir: string;
      readonly cells: number;
      /** Cells that can be run. */
      readonly left: number;
      /** Runs of each. */
      readonly seeds: number;
      /** Of the excerpt. */
      readonly frames: number;
    }
  | { readonly type: 'cell.start'; readonly cell: string; readonly seed: number }
  | { readonly type: 'cell.event'; readonly cell: string; readonly event: ProgressEvent }
  | {
      readonly type: 'cell.end';
      readonly cell: string;
      readonly state: Cell['state'];
      readonly why?: string | undefined;
    }
  /** In runs of the average cost. */
  | {
      readonly type: 'tune.progress';
      readonly done: number;
      readonly total: number;
      readonly etaSec?: number | undefined;
    }
  | { readonly type: 'tune.done'; readonly results: string; readonly report: string }
  | Extract<ProgressEvent, { readonly type: 'note' | 'warning' }>
  | RunError;

export type TuneContext = {
  /** Ends it early; what is measured stays, and the same call goes on. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TuneEvent) => void) | undefined;
};
