import { PantomimeError } from '../errors.js';
import type { ScheduleRange } from './sigmas.js';
import { svdRange } from './sigmas.js';

/** What `scheduler_config.json` says of the noise range. Only the published v-prediction, continuous-time kind is known. */
export function scheduleRange(config: unknown, where: string): ScheduleRange {
  const fields = typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
  const kind = fields.prediction_type ?? 'v_prediction';
  if (kind !== 'v_prediction') {
    throw new PantomimeError({
      code: 'model.scheduler',
      kind: 'model',
      what: 'this scheduler is not one of Stable Video Diffusion',
      where,
      got: `prediction_type ${JSON.stringify(kind)}`,
      expected: 'v_prediction',
      hint: 'use the scheduler folder of the published Stable Video Diffusion model',
    });
  }
  const sigmaMin = positive(fields.sigma_min, svdRange.sigmaMin);
  const sigmaMax = positive(fields.sigma_max, svdRange.sigmaMax);
  return { sigmaMin: Math.min(sigmaMin, sigmaMax), sigmaMax };
}

function positive(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : fallback;
}
