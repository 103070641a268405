import { describe, expect, it } from 'vitest';
import type { ClipMetrics } from '#dist/stages/quality/clip-metrics.js';
import { cleanClip, type Defect, defects, layout, measured } from '../../support/planted-defects.js';

/** Sizes planted of each defect, growing; units at the defects. The largest is plain to the eye. */
const sizes: Readonly<Record<Defect, readonly [number, number, number]>> = {
  'jump of the figure': [1, 2, 4],
  'jump of brightness': [3, 6, 12],
  'beat of windows': [3, 6, 12],
  'steps of decoding': [3, 6, 12],
  flicker: [2, 4, 8],
  drift: [8, 16, 32],
  blur: [0.5, 0.8, 1.3],
  'wrong pose': [20, 30, 40],
};

type Column = {
  readonly of: (metrics: ClipMetrics) => number | undefined;
  /** Lowest and highest value of the clean clip. */
  readonly clean: readonly [number, number];
  readonly worse: 'higher' | 'lower';
  /** What it is there for: moves steadily with the size. */
  readonly its: readonly Defect[];
  /** All other defects, at their largest, move it by at most this share of what its own does at their largest. */
  readonly others: number;
  /** Defects that do move it, and by how much at most. */
  readonly except?: Readonly<Partial<Record<Defect, number>>>;
};

const everything = Object.keys(sizes) as Defect[];

const matrix: Readonly<Record<string, Column>> = {
  'seam ratio': {
    of: ({ seam }) => seam.ratio,
    clean: [0.9, 1.1],
    worse: 'higher',
    its: ['jump of the figure', 'jump of brightness'],
    others: 0.05,
    // Frames that are suddenly dull beside sharp ones are a seam, if a weak one.
    except: { blur: 0.3 },
  },
  'periodicity at the window period': {
    of: ({ windowPeriodicity }) => windowPeriodicity,
    clean: [0, 3],
    worse: 'higher',
    its: ['beat of windows'],
    others: 0.002,
  },
  'periodicity at the decode period': {
    of: ({ decodePeriodicity }) => decodePeriodicity,
    clean: [0, 3],
    worse: 'higher',
    its: ['steps of decoding'],
    others: 0.002,
  },
  flicker: { of: (m) => m.flicker, clean: [0, 0.01], worse: 'higher', its: ['flicker'], others: 0.002 },
  'deviation of the background': {
    of: ({ backgroundDeviation }) => backgroundDeviation,
    clean: [0, 0.1],
    worse: 'higher',
    // It is there to miss nothing, and so cannot tell one from the other.
    its: ['flicker', 'drift', 'jump of brightness', 'beat of windows', 'steps of decoding'],
    others: 0.02,
    // Textures lose their contrast.
    except: { blur: 0.2 },
  },
  'colour drift': {
    of: ({ colorDrift }) => colorDrift.perSec,
    clean: [0, 0.01],
    worse: 'higher',
    its: ['drift'],
    others: 0.02,
  },
  'unevenness of sharpness': {
    of: ({ sharpness }) => sharpness.unevenness,
    clean: [0, 0.1],
    worse: 'higher',
    its: ['blur'],
    others: 0.02,
  },
  'sharpness of shared frames': {
    of: ({ sharpness }) => sharpness.sharedRatio,
    clean: [0.9, 1.1],
    worse: 'lower',
    its: ['blur'],
    others: 0.07,
  },
  'PCK@0.1': { of: ({ pose }) => pose?.pck10, clean: [1, 1], worse: 'lower', its: ['wrong pose'], others: 0 },
  OKS: {
    of: ({ pose }) => pose?.oks,
    clean: [1, 1],
    worse: 'lower',
    // A figure in the wrong place is in the wrong pose.
    its: ['wrong pose', 'jump of the figure'],
    others: 0,
  },
  PSNR: { of: ({ psnr }) => psnr, clean: [100, 100], worse: 'lower', its: everything, others: 0 },
  SSIM: {
    of: ({ ssim }) => ssim,
    clean: [1, 1],
    worse: 'lower',
    its: ['jump of the figure', 'blur', 'wrong pose'],
    // Next to blind to changes of the level, by design.
    others: 0.1,
    except: { flicker: 0.3 },
  },
};

/** Bounds leave room for other characters than the one drawn here: five were tried. */
describe('planted defects', () => {
  const clean = measured(cleanClip);
  const planted = new Map(everything.map((defect) => [defect, sizes[defect].map((s) => measured(defects[defect](s)))]));

  describe.each(Object.entries(matrix))('%s', (_, column) => {
    /** How much worse than the clean clip. */
    const sign = column.worse === 'higher' ? 1 : -1;
    const loss = (metrics: ClipMetrics) => sign * (column.of(metrics)! - column.of(clean)!);
    const losses = (defect: Defect) => planted.get(defect)!.map(loss);

    it('is as it should be for the clean clip', () => {
      expect(column.of(clean)).toBeGreaterThanOrEqual(column.clean[0] - 1e-9);
      expect(column.of(clean)).toBeLessThanOrEqual(column.clean[1] + 1e-9);
    });

    it.each(column.its)('gets worse with the size of: %s', (defect) => {
      const steps = [0, ...losses(defect)];
      for (const [k, step] of steps.slice(1).entries()) expect(step, steps.join(' < ')).toBeGreaterThan(steps[k]!);
    });

    const own = () => Math.min(...column.its.map((defect) => losses(defect).at(-1)!));
    const others = everything.filter((defect) => !column.its.includes(defect));
    it.each(others)('next to ignores: %s', (defect) => {
      const share = Math.max(...losses(defect).map(Math.abs)) / own();
      expect(share).toBeLessThanOrEqual((column.except?.[defect] ?? column.others) + 1e-9);
    });
  });

  it('show where they are in the curves', () => {
    const { curves, seam, sharpness } = planted.get('jump of brightness')!.at(-1)!;
    expect(curves.relativeDifference[0]).toBeUndefined();
    expect(seam.joints).toEqual(layout.joints.map((joint) => curves.relativeDifference[joint]));
    expect(Math.min(...(seam.joints as number[]))).toBeGreaterThan(4);
    expect(Math.max(...(sharpness.joints as number[]))).toBeLessThan(1.3);
    const dull = planted.get('blur')!.at(-1)!.curves.relativeSharpness;
    expect(Math.max(...layout.shared.map((frame) => dull[frame]!))).toBeLessThan(0.2);
    const wrong = planted.get('wrong pose')!.at(-1)!.pose!.limbs;
    expect(wrong.leftArm.pck10).toBeLessThan(0.2);
    expect([wrong.leftLeg.pck10, wrong.rightLeg.oks, wrong.head.oks]).toEqual([1, 1, 1]);
    expect(planted.get('flicker')!.at(-1)!.curves.flicker).toHaveLength(cleanClip.length);
  });

  it('at joints that come regularly are periodic, too', () => {
    const joints = [9, 18, 27, 36, 45];
    const shots = defects['beat of windows'](6);
    // The beat changes frame 5 of nine, so its joints are there when the layout is moved by four.
    const regular = measured(shots, { ...layout, joints: joints.map((joint) => joint - 4) });
    expect(regular.seam.ratio).toBeGreaterThan(2);
    expect(regular.windowPeriodicity).toBeGreaterThan(30);
  });
});
