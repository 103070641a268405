import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { denoised, eulerStep } from '#dist/models/schedule/euler.js';
import { linearGuidance, needsGuidance } from '#dist/models/schedule/guidance.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';

type Published = { steps: Record<string, { sigmas: number[]; timesteps: number[]; init_noise_sigma: number }> };
const published: Published = JSON.parse(
  readFileSync(new URL('../fixtures/modules/scheduler.json', import.meta.url), 'utf8'),
);

describe('Karras schedule', () => {
  it.each(Object.keys(published.steps))('%s steps equal the published scheduler', (steps) => {
    const schedule = makeSchedule('karras', Number(steps));
    const expected = published.steps[steps]!;
    expect([...schedule.sigmas]).toHaveLength(expected.sigmas.length);
    expected.sigmas.forEach((sigma, i) => {
      expect(Math.abs(schedule.sigmas[i]! - sigma)).toBeLessThanOrEqual(1e-6 * sigma);
    });
    expected.timesteps.forEach((timestep, i) => {
      expect(Math.abs(schedule.timesteps[i]! - timestep)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(timestep)));
    });
    expect(schedule.initNoiseSigma).toBe(expected.init_noise_sigma);
  });
});

describe('Align Your Steps', () => {
  it('has its ten levels, and descends at other counts', () => {
    expect([...makeSchedule('ays', 10).sigmas].map((s) => Number(s.toPrecision(5)))).toEqual([
      700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0,
    ]);
    const { sigmas } = makeSchedule('ays', 7);
    expect(sigmas[0]).toBe(700);
    sigmas.slice(1).forEach((sigma, i) => {
      expect(sigma).toBeLessThan(sigmas[i]!);
    });
  });
});

it('the last Euler step lands on the denoised estimate', () => {
  const [x, v] = [new Float32Array([3, -2]), new Float32Array([0.5, 0.25])];
  const next = eulerStep(x, v, 1.5, 0);
  next.forEach((value, i) => {
    expect(value).toBeCloseTo(denoised(x[i]!, v[i]!, 1.5), 5);
  });
});

it('guidance is off below 1 and changes nothing at exactly 1', () => {
  expect([needsGuidance(1, 1), needsGuidance(0.5, 0.5), needsGuidance(1, 3), needsGuidance(3, 3)]).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect([...linearGuidance(1, 3, 5)]).toEqual([1, 1.5, 2, 2.5, 3]);
  expect([...linearGuidance(2, 3, 1)]).toEqual([2]);
});

it('refuses a step count that is not a whole number from 1', () => {
  expect(() => makeSchedule('karras', 0)).toThrow(/whole number/);
});
