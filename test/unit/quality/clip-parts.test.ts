import { describe, expect, it } from 'vitest';
import { contextWindows } from '#dist/stages/denoise/windows.js';
import { clipMetrics } from '#dist/stages/quality/clip-metrics.js';
import { colorDrift } from '#dist/stages/quality/color-drift.js';
import { againstSpeed } from '#dist/stages/quality/frame-difference.js';
import { labOf } from '#dist/stages/quality/lab.js';
import { inCells, luma } from '#dist/stages/quality/luma.js';
import { median } from '#dist/stages/quality/median.js';
import { oks } from '#dist/stages/quality/oks.js';
import { disagreementAt, overlapDisagreement } from '#dist/stages/quality/overlap-disagreement.js';
import { periodicity } from '#dist/stages/quality/periodicity.js';
import { closestPerson, poseFidelity } from '#dist/stages/quality/pose-fidelity.js';
import { poseRegion } from '#dist/stages/quality/pose-region.js';
import { poseSpeed } from '#dist/stages/quality/pose-speed.js';
import { seamRatio } from '#dist/stages/quality/seam-ratio.js';
import { sharpness, sharpnessContinuity } from '#dist/stages/quality/sharpness.js';
import { staticFlicker } from '#dist/stages/quality/static-flicker.js';
import { trendLine } from '#dist/stages/quality/trend-line.js';
import { windowJoints } from '#dist/stages/quality/window-joints.js';
import type { Keypoint, Person, RgbImage } from '#dist/stages/types.js';
import { drawClip } from '../../support/cast-clip.js';

const flat = (level: number, width = 4, height = 4): RgbImage => ({
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(level),
});
const nowhere = { width: 4, height: 4, data: new Uint8Array(16) };
const size = { width: 100, height: 200 };

/** A person of 18 joints in a box of 60 by 120 pixels, moved by pixels. */
function person(right = 0, down = 0): Person {
  const body = Array.from({ length: 18 }, (_, i): Keypoint => {
    const [x, y] = [20 + 60 * ((i % 6) / 5), 40 + 120 * (Math.floor(i / 6) / 2)];
    return { x: (x + right) / size.width, y: (y + down) / size.height, score: 1 };
  });
  return { body, leftHand: null, rightHand: null, face: null };
}

describe('overlap disagreement', () => {
  const windows = [
    { frames: [0, 1, 2], weights: [1, 1, 1] },
    { frames: [0, 2, 3], weights: [0, 3, 1] },
  ];
  it('is the weighted variance over the square of the mean, of shared frames only', () => {
    const meter = overlapDisagreement(4);
    meter.beginStep(0, windows);
    meter.add(0, Float32Array.of(9, 9, 9, 9, 4, 0));
    meter.add(1, Float32Array.of(5, 5, 8, 4, 9, 9));
    // Mean of (4, 0) once and (8, 4) thrice is (7, 3): sum of squares 1 (9 + 9) + 3 (1 + 1) = 24, over 4 (49 + 9).
    const { overall, frames, steps } = meter.result();
    expect(overall).toBeCloseTo(24 / 232, 12);
    expect(frames).toEqual([undefined, undefined, overall, undefined]);
    expect(steps).toEqual([overall]);
    expect(disagreementAt(frames, [1, 2, 3])).toEqual([undefined, overall, overall]);
  });
  it('grows with the difference, is 0 without one, has no unit, and takes windows in any order', () => {
    const at = (apart: number, unit = 1) => {
      const meter = overlapDisagreement(4);
      for (const step of [0, 1]) {
        meter.beginStep(step, windows);
        meter.add(1, Float32Array.of(0, 0, unit, unit * (1 + apart), 0, 0));
        meter.add(0, Float32Array.of(0, 0, 0, 0, unit, unit));
      }
      return meter.result().overall!;
    };
    expect(at(0)).toBe(0);
    expect(at(0.1)).toBeLessThan(at(0.2));
    expect(at(0.2)).toBeLessThan(at(0.4));
    expect(at(0.5, 8)).toBeCloseTo(at(0.5), 12);
  });
  it('knows when windows are missing or wrong, and when nothing is shared', () => {
    const meter = overlapDisagreement(4);
    meter.beginStep(0, windows);
    expect(() => meter.add(2, new Float32Array(3))).toThrow(RangeError);
    expect(() => meter.add(0, new Float32Array(4))).toThrow(RangeError);
    meter.add(0, new Float32Array(6));
    expect(() => meter.beginStep(1, windows)).toThrow('missing');
    expect(overlapDisagreement(4).result()).toEqual({
      overall: undefined,
      steps: [],
      frames: Array(4).fill(undefined),
    });
  });
});

describe('joints of windows', () => {
  it('are where the contributing windows change; frames before the video are skipped', () => {
    const windows = contextWindows(24, { chunk: 10, overlap: 3, anchor: 'true', fusion: 'flat' });
    expect(windows.map(({ frames }) => frames[1])).toEqual([1, 8, 15]);
    expect(windowJoints(windows, 24, 1)).toEqual({ joints: [7, 9, 14, 16], shared: [7, 8, 14, 15] });
    const one = contextWindows(8, { chunk: 8, overlap: 3, anchor: 'reference', fusion: 'flat' });
    expect(windowJoints(one, 8)).toEqual({ joints: [], shared: [] });
  });
  it('leave out slots of weight 0', () => {
    const windows = contextWindows(16, { chunk: 10, overlap: 4, anchor: 'reference', fusion: 'flat' });
    expect(windowJoints(windows, 16)).toEqual({ joints: [7, 10], shared: [7, 8, 9] });
  });
});

describe('differences against speed', () => {
  const speeds = [undefined, 1, 2, 3, 2, 1, 4, 2, 3];
  const differences = speeds.map((speed) => speed && 2 + 3 * speed);
  it('are 1 where speed explains them, whatever the line', () => {
    const { relative, excess } = againstSpeed(differences, speeds, [4]);
    for (const ratio of relative.slice(1)) expect(ratio).toBeCloseTo(1, 9);
    for (const more of excess.slice(1)) expect(more).toBeCloseTo(0, 9);
    expect([relative[0], excess[0]]).toEqual([undefined, undefined]);
  });
  it('show a joint that changes twice as much, and a missing one', () => {
    const doubled = differences.map((value, i) => (i === 4 ? 2 * value! : value));
    const seam = seamRatio(againstSpeed(doubled, speeds, [4]).relative, [4, 20]);
    expect(seam.ratio).toBeCloseTo(2, 9);
    expect(seam.joints[1]).toBeUndefined();
    expect(seamRatio([], [])).toEqual({ ratio: undefined, worst: undefined, joints: [] });
  });
  it('do without speeds, and say nothing of stills', () => {
    const none = speeds.map(() => undefined);
    expect(againstSpeed([undefined, 2, 2, 4, 2], none, [3]).relative).toEqual([undefined, 1, 1, 2, 1]);
    expect(againstSpeed([undefined, 0, 0, 0], none, []).relative).toEqual(Array(4).fill(undefined));
  });
});

describe('periodicity', () => {
  const noise = (t: number) => Math.sin(t * t * 12.9898) * 0.5;
  const series = (every: number, high: number) =>
    Array.from({ length: 60 }, (_, t) => noise(t) + (every && t % every === 2 ? high : 0));
  it('sees a repeated jump at its period only', () => {
    expect(periodicity(series(6, 0), 6)).toBeLessThan(3);
    expect(periodicity(series(6, 1), 6)).toBeGreaterThan(5);
    expect(periodicity(series(6, 2), 6)).toBeGreaterThan(periodicity(series(6, 1), 6)!);
    expect(periodicity(series(6, 2), 7)).toBeLessThan(3);
  });
  it('sees pairs, and a single jump as nothing', () => {
    expect(
      periodicity(
        series(2, 1).map((value, t) => value * (t % 2 ? 1 : 0.5)),
        2,
      ),
    ).toBeDefined();
    expect(
      periodicity(
        Array.from({ length: 40 }, (_, t) => t % 2),
        2,
      ),
    ).toBeGreaterThan(50);
    expect(
      periodicity(
        Array.from({ length: 60 }, (_, t) => (t === 31 ? 5 : 0)),
        6,
      ),
    ).toBeCloseTo(1, 9);
  });
  it('is undefined where it cannot be known', () => {
    expect(periodicity(series(6, 1), 31)).toBeUndefined();
    expect(periodicity(series(6, 1), 1)).toBeUndefined();
    expect(periodicity(series(6, 1), 2.5)).toBeUndefined();
  });
});

describe('flicker of what stands still', () => {
  const of = (levels: readonly number[], figure = nowhere) => {
    const meter = staticFlicker();
    for (const level of levels) meter.add(flat(level), figure);
    return meter.result();
  };
  it('is 0 for stills, drift and steps, of which the deviation knows', () => {
    expect(of([7, 7, 7, 7])).toEqual({ level: 0, frames: [undefined, 0, 0, undefined], deviation: 0 });
    expect(of([10, 12, 14, 16]).level).toBe(0);
    expect(of([10, 10, 14, 14]).level).toBe(0);
    expect(of([10, 10, 14, 14]).deviation).toBeCloseTo(2, 9);
  });
  it('is the deviation of noise', () => {
    const normal = (i: number) => Math.sqrt(-2 * Math.log(unit(2 * i))) * Math.cos(2 * Math.PI * unit(2 * i + 1));
    const unit = (i: number) => (((Math.imul(i + 1, 0x9e3779b1) ^ (i * 40503)) >>> 8) + 1) / (2 ** 24 + 1);
    const meter = staticFlicker();
    for (let t = 0; t < 24; t++) {
      const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => 128 + 10 * normal(t * 768 + i));
      meter.add({ width: 16, height: 16, data }, { width: 16, height: 16, data: new Uint8Array(256) });
    }
    expect(meter.result().level).toBeGreaterThan(8.5);
    expect(meter.result().level).toBeLessThan(11.5);
  });
  it('needs a background', () => {
    expect(of([1, 9, 1], { ...nowhere, data: new Uint8Array(16).fill(1) })).toEqual({
      level: undefined,
      frames: [undefined, undefined, undefined],
      deviation: undefined,
    });
  });
});

describe('colours', () => {
  it('are those of CIELAB', () => {
    const close = (lab: readonly number[], to: readonly number[]) =>
      lab.forEach((value, i) => {
        expect(value).toBeCloseTo(to[i]!, 1);
      });
    close(labOf(255, 0, 0), [53.24, 80.09, 67.2]);
    close(labOf(255, 255, 255), [100, 0, 0]);
    close(labOf(0, 255, 0), [87.73, -86.18, 83.18]);
  });
  it('drift by their slope a second, away from frame 0', () => {
    const meter = colorDrift(10);
    for (const level of [100, 110, 120, 130]) meter.add(flat(level), nowhere);
    const { perSec, distances, contrastPerSec } = meter.result();
    const span = labOf(130, 130, 130)[0] - labOf(100, 100, 100)[0];
    expect(distances[3]).toBeCloseTo(span, 6);
    expect(perSec).toBeCloseTo(span / 0.3, 0);
    expect(contrastPerSec).toBeCloseTo(0, 4);
  });
});

describe('sharpness', () => {
  it('is the variance of the Laplacian', () => {
    const data = new Float64Array(25);
    data[12] = 1;
    // Inner values: 4 in the middle, four times -1, four times 0.
    expect(sharpness({ width: 5, height: 5, data })).toBeCloseTo((16 + 4) / 9, 12);
    expect(sharpness(luma(flat(9)))).toBe(0);
  });
  it('is continuous where frames are like those about them', () => {
    const curve = Array.from({ length: 20 }, (_, t) => (t === 9 || t === 10 ? 2 : 8));
    const { relative, sharedRatio, joints, unevenness } = sharpnessContinuity(curve, [9, 15, 40], [9, 10]);
    expect([relative[8], relative[9]]).toEqual([1, 0.25]);
    expect([sharedRatio, ...joints]).toEqual([0.25, 4, 1, undefined]);
    expect(unevenness).toBeCloseTo((2 * 2) / 20, 12);
  });
});

describe('poses found again', () => {
  it('have an OKS of 1 at their place, and fall off by the joint', () => {
    const truth = person();
    expect(oks(truth.body, truth.body, size)).toBe(1);
    const area = 0.53 * 60 * 120;
    const elbow = Math.exp(-(9 ** 2) / (2 * area * 0.144 ** 2));
    expect(oks(person(9).body, truth.body, size, [3])).toBeCloseTo(elbow, 9);
    expect(oks(person(9).body, truth.body, size, [0])).toBeLessThan(elbow);
    expect(oks(undefined, truth.body, size)).toBe(0);
    expect(oks(truth.body, [], size)).toBeUndefined();
  });
  it('count over all frames and by limb', () => {
    const truth = [person(), person(), undefined];
    const armUp = { ...person(), body: person().body.map((p, i) => (i === 4 ? { ...p, y: p.y - 0.5 } : p)) };
    const { pck10, limbs, found, hands, frames } = poseFidelity([armUp, undefined, person()], truth, size);
    expect(pck10).toBeCloseTo(17 / 36, 12);
    expect([limbs.rightArm.pck10, limbs.leftArm.pck10]).toEqual([0.25, 0.5]);
    expect([found, hands]).toEqual([0.5, undefined]);
    expect(frames[2]).toEqual({ pck10: undefined, oks: undefined });
    expect(() => poseFidelity([], truth, size)).toThrow(RangeError);
  });
  it('are of the person most like the wanted one', () => {
    const people = [person(50), person(2), person(-30)];
    expect(closestPerson({ people }, person(), size)).toBe(people[1]);
    expect(closestPerson({ people: [] }, person(), size)).toBeUndefined();
  });
  it('move at a speed in picture heights', () => {
    expect(poseSpeed(person(), person(0, 20), size)).toBeCloseTo(0.1, 12);
    expect(poseSpeed(person(), person(20, 0), size)).toBeCloseTo(0.1, 12);
    expect(poseSpeed(undefined, person(), size)).toBeUndefined();
  });
  it('tell where the figure is', () => {
    const clip = drawClip(1_000_000_002, 1, { width: 64, height: 96 });
    const region = poseRegion({ ...person(), body: clip.joints[0]! }, clip.reference);
    const outside = clip.figures[0]!.data.filter((inside, i) => inside && !region.data[i]).length;
    expect(outside / clip.figures[0]!.data.length).toBeLessThan(0.01);
    expect(region.data.filter((inside) => inside === 0).length).toBeGreaterThan(0.3 * region.data.length);
    expect(poseRegion(undefined, { width: 2, height: 1 }).data).toEqual(Uint8Array.of(1, 1));
  });
});

describe('small parts', () => {
  it('median and trend line', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, undefined]);
    const points = Array.from({ length: 9 }, (_, x) => ({ x, y: x === 4 ? 900 : 5 - 2 * x }));
    expect(trendLine(points)).toEqual({ slope: -2, intercept: 5 });
    expect(trendLine([])).toBeUndefined();
  });
  it('cells', () => {
    const plane = { width: 5, height: 2, data: Float64Array.of(1, 3, 5, 5, 9, 1, 3, 5, 5, 9) };
    expect(inCells(plane, 2)).toEqual({ width: 2, height: 1, data: Float64Array.of(2, 5) });
    expect(inCells(plane, 1)).toBe(plane);
    expect(inCells(plane, 6)).toBe(plane);
  });
  it('a clip of which nothing is known but its frames', () => {
    const collector = clipMetrics({ framesPerSec: 12, joints: [], shared: [] });
    expect(collector.result()).toMatchObject({ frameCount: 0, pose: undefined, psnr: undefined });
    for (const level of [10, 20, 10, 20]) collector.add({ image: flat(level, 16, 16) });
    const result = collector.result();
    expect(result).toMatchObject({ frameCount: 4, flicker: undefined, pose: undefined, windowPeriodicity: undefined });
    expect(result.curves.difference).toEqual([undefined, 10, 10, 10].map((v) => v && expect.closeTo(v, 9)));
    expect(() => collector.add({ image: flat(1) })).toThrow(RangeError);
  });
});
