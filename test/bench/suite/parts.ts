import type { Part } from './bench.js';
import { arithmetic } from './parts/arithmetic.js';
import { clip } from './parts/clip.js';
import { peer } from './parts/peer.js';
import { profile } from './parts/profile.js';
import { scaling } from './parts/scaling.js';
import { stages } from './parts/stages.js';
import { step } from './parts/step.js';
import { windows } from './parts/windows.js';

/** In the order in which they run. */
export const parts: readonly Part[] = [arithmetic, step, windows, stages, clip, scaling, profile, peer];
