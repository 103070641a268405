import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { denoised, eulerStep } from '#dist/models/schedule/euler.js';
import { guidedSteps, linearGuidance, needsGuidance } from '#dist/models/schedule/guidance.js';
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
  const digits = (sigmas: Iterable<number>, count: number) => [...sigmas].map((s) => Number(s.toPrecision(count)));

  // 10 as published; the others from the interpolation that its authors publish, in double precision.
  it.each([
    [10, [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0]],
    [4, [700, 11.2571, 1.789, 0.264044, 0]],
    [6, [700, 23.9594, 6.46578, 1.789, 0.542117, 0.100583, 0]],
    [
      15,
      [
        ...[700, 127.633, 36.1356, 15.886, 10.0361, 6.46578, 4.248, 2.38672, 1.4643, 0.981],
        ...[0.542117, 0.304008, 0.173, 0.0584792, 0.013223, 0],
      ],
    ],
  ])('%d steps have the published levels', (steps, expected) => {
    expect(digits(makeSchedule('ays', steps).sigmas, 6)).toEqual(expected);
  });

  it('is cut where the range of another model begins and ends', () => {
    // Halfway on: the positions of 20 and 0.02 are 1.8130 and 9.1873, so two steps lie at 1.8130 and 5.5001.
    const range = { sigmaMin: 0.02, sigmaMax: 20 };
    expect(digits(makeSchedule('ays', 1, range).sigmas, 6)).toEqual([20, 0]);
    expect(digits(makeSchedule('ays', 2, range).sigmas, 4)).toEqual([20, 1.325, 0]);
    for (const wide of [range, { sigmaMin: 1e-4, sigmaMax: 5000 }, { sigmaMin: 3, sigmaMax: 3 }]) {
      const { sigmas } = makeSchedule('ays', 8, wide);
      expect(sigmas[0]).toBeCloseTo(wide.sigmaMax, 3);
      expect(sigmas[7]).toBeGreaterThanOrEqual(Math.fround(wide.sigmaMin));
      for (let i = 1; i < 8; i++) expect(sigmas[i]).toBeLessThanOrEqual(sigmas[i - 1]!);
    }
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

it('guidance works above the lower end of its interval, and up to the upper one', () => {
  const schedule = makeSchedule('ays', 10);
  const [low, high] = [schedule.sigmas[7]!, schedule.sigmas[4]!];
  const at = (guidance: Parameters<typeof guidedSteps>[0]) =>
    guidedSteps(guidance, schedule).flatMap((guided, step) => (guided ? [step] : []));
  const [min, max] = [3, 3];
  expect(at({ min, max, interval: { low, high } })).toEqual([4, 5, 6]);
  expect(at({ min, max, interval: { low: 1, high: Number.POSITIVE_INFINITY } })).toEqual([0, 1, 2, 3, 4, 5]);
  expect(at({ min, max })).toHaveLength(10);
  expect(at({ min: 1, max: 1, interval: { low, high } })).toEqual([]);
});

it('refuses a step count that is not a whole number from 1', () => {
  expect(() => makeSchedule('karras', 0)).toThrow(/whole number/);
});
