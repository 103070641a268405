import type { Guidance } from '../models/schedule/guidance.js';
import type { Schedule } from '../models/schedule/sigmas.js';
import type { SampleOptions } from '../stages/denoise/sample.js';
import type { Anchor, Fusion } from '../stages/denoise/windows.js';
import type { Conditioning } from './conditioning.js';
import type { ControlFeatures } from './control-features.js';
import type { ControlMaps } from './control-maps.js';
import type { PlannedControl } from './controls.js';
import type { StepSettings } from './step-graph.js';

/** A control module with pictures that it sees at every step, or features that were computed once for all steps. */
export type Control = Omit<PlannedControl, 'once'> & { readonly source: ControlMaps | ControlFeatures };

/** Everything a denoising run depends on; nothing of files, options or the terminal. */
export type SamplingJob = StepSettings & {
  /** None: plain image-to-video. */
  readonly controls: readonly Control[];
  readonly conditioning: Conditioning;
  /** fps, motion bucket and noise level as the network is told them; published: [6, 128, 0.02] always. */
  readonly addedTimeIds: readonly [number, number, number];
  readonly schedule: Schedule;
  readonly windows: {
    readonly chunk: number;
    readonly overlap: number;
    readonly anchor: Anchor;
    readonly fusion: Fusion;
    readonly phaseRotation: boolean;
  };
  readonly guidance: Guidance & { readonly index: 'local' | 'global' };
  /** The branches of guidance run one after the other, which needs half the memory. */
  readonly splitGuidance?: boolean | undefined;
} & Pick<
    SampleOptions,
    'startStep' | 'windowsTogether' | 'onStep' | 'onWindow' | 'onWindows' | 'onPrediction' | 'signal'
  >;
