import type { Skeleton } from '../dancer/skeleton.js';
import type { Vec3 } from '../dancer/vec.js';
import { faceNow } from './face-points.js';
import { hairShapes } from './hair.js';
import { both, type HeadSpace, headSpace } from './head-space.js';
import { labels, material, shaded } from './materials.js';
import type { CastMember } from './member.js';
import type { Shape } from './shape.js';

/** Skull, face and hair. */
export function headShapes(member: CastMember, skeleton: Skeleton): Shape[] {
  const { face: look, colors } = member;
  const h = headSpace(skeleton);
  const now = faceNow(look, skeleton);
  const skin = material(colors.skin, labels.head);
  const jaw = 0.061 * look.jaw;
  return [
    h.ball([0, 0.15, -0.008], [0.082, 0.094, 0.098], skin),
    h.cone([0, 0.098, 0.012], [0, 0.045, 0.03], [jaw * 1.2, jaw * 0.72], skin, { stretch: [1, 0.9, 1.03] }),
    ...both((s) =>
      h.ball([s * 0.086, 0.108, -0.006], [0.014, 0.029, 0.019], material(shaded(colors.skin, 0.94), labels.head)),
    ),
    ...features(member, skeleton, h, now),
    ...hairShapes(member, skeleton, h),
  ];
}

function features(
  { face: look, colors }: CastMember,
  { pose }: Skeleton,
  h: HeadSpace,
  now: ReturnType<typeof faceNow>,
): Shape[] {
  const white = material([0.96, 0.96, 0.97], labels.head, { glow: 0.55 });
  const iris = material(colors.iris, labels.head, { glow: 0.5 });
  const dark = material([0.05, 0.04, 0.05], labels.head, { glow: 0.4 });
  const glint = material([1, 1, 1], labels.head, { glow: 1 });
  const brow = material(shaded(colors.hair, 0.75), labels.head, { glow: 0.3 });
  const lips = material(colors.lips, labels.head, { glow: 0.25 });
  const nose = material(shaded(colors.skin, 0.93), labels.head);
  const [ex, ey, ez] = now.eye;
  const shapes: Shape[] = both((s): Shape[] => {
    const gx = s * ex + 0.007 * pose.gaze[0];
    const gy = ey + 0.004 * pose.gaze[1] * now.open;
    const lid = ey + now.eyeHigh;
    const eye: Shape[] = [
      h.ball([s * ex, ey, ez], [now.eyeWide, now.eyeHigh, 0.021], white),
      // The lash line closes the eye from above.
      h.cone(
        [s * (ex - now.eyeWide * 0.75), ey + now.eyeHigh * 0.65, ez + 0.015],
        [s * ex, lid, ez + 0.02],
        [0.0028, 0.0035],
        dark,
      ),
      h.cone(
        [s * ex, lid, ez + 0.02],
        [s * (ex + now.eyeWide * 0.9), ey + now.eyeHigh * 0.5, ez + 0.01],
        [0.0035, 0.0042],
        dark,
      ),
      h.cone(
        [s * 0.0175, now.browY - 0.003 - look.browTilt, 0.082],
        [s * 0.04, now.browY + 0.004 + look.browTilt * 0.3, 0.074],
        [0.0055 * look.brow, 0.0055 * look.brow],
        brow,
      ),
      h.cone(
        [s * 0.04, now.browY + 0.004 + look.browTilt * 0.3, 0.074],
        [s * 0.06, now.browY + 0.001 + look.browTilt, 0.056],
        [0.0055 * look.brow, 0.0035 * look.brow],
        brow,
      ),
    ];
    if (now.open > 0.3) {
      const r = 0.0128 * look.eyes;
      const high = Math.min(r, now.eyeHigh * 0.95);
      eye.push(
        h.ball([gx, gy, ez + 0.0135], [r, high, 0.0105], iris),
        h.ball([gx, gy, ez + 0.0185], [r * 0.55, high * 0.55, 0.007], dark),
        h.ball([gx - 0.005, gy + 0.005 * now.open, ez + 0.0235], [0.0032, 0.0032, 0.003], glint),
      );
    }
    return eye;
  }).flat();
  const mouth = (x: number): Vec3 => [x, now.mouthY + now.corner * (x / now.mouthHalf) ** 2, 0.0905 - 16 * x * x];
  const [m, half] = [now.mouthHalf, now.mouthHalf * 0.5];
  const upper = 0.0052 * look.mouth;
  if (now.parted > 0.001) {
    const teeth = material([0.93, 0.92, 0.9], labels.head, { glow: 0.4 });
    shapes.push(h.ball([0, now.mouthY - now.parted * 0.5, 0.078], [m * 0.8, 0.004 + now.parted, 0.0145], teeth));
    const under = (x: number): Vec3 => {
      const [, y, z] = mouth(x);
      return [x, y - (0.004 + now.parted * 1.8) * (1 - (x / m) ** 2), z];
    };
    shapes.push(
      h.cone(under(-m), under(-half), [upper * 0.7, upper], lips),
      h.cone(under(-half), under(half), [upper, upper], lips),
      h.cone(under(half), under(m), [upper, upper * 0.7], lips),
    );
  } else {
    shapes.push(
      h.ball(
        [0, now.mouthY - 0.006, 0.083],
        [half * 1.15, 0.0055, 0.0085],
        material(shaded(colors.lips, 1.12), labels.head, { glow: 0.25 }),
      ),
    );
  }
  shapes.push(
    h.cone(mouth(-m), mouth(-half), [upper * 0.7, upper], lips),
    h.cone(mouth(-half), mouth(half), [upper, upper], lips),
    h.cone(mouth(half), mouth(m), [upper, upper * 0.7], lips),
    h.cone([0, 0.122, 0.08], [0, 0.09, 0.096], [0.006 * look.nose, 0.0115 * look.nose], nose),
    ...both((s) => h.ball([s * 0.011 * look.nose, 0.086, 0.087], [0.0085, 0.0075, 0.009], nose)),
    ...both((s) =>
      h.ball(
        [s * 0.0065 * look.nose, 0.0795, 0.0985],
        [0.0035, 0.0026, 0.004],
        material(shaded(colors.skin, 0.45), labels.head),
      ),
    ),
  );
  if (look.glasses) shapes.push(...glasses(h, now.eye));
  return shapes;
}

function glasses(h: HeadSpace, [ex, ey, ez]: Vec3): Shape[] {
  const rim = material([0.08, 0.08, 0.1], labels.head, { glow: 0.2 });
  const corners = (s: 1 | -1): readonly Vec3[] => [
    [s * (ex - 0.028), ey + 0.022, ez + 0.026],
    [s * (ex + 0.031), ey + 0.022, ez + 0.02],
    [s * (ex + 0.027), ey - 0.025, ez + 0.02],
    [s * (ex - 0.024), ey - 0.025, ez + 0.026],
  ];
  const r: readonly [number, number] = [0.0032, 0.0032];
  return [
    ...both((s) => {
      const c = corners(s);
      return c.map((from, i) => h.cone(from, c[(i + 1) % 4] as Vec3, r, rim));
    }).flat(),
    h.cone([-(ex - 0.028), ey + 0.015, ez + 0.027], [ex - 0.028, ey + 0.015, ez + 0.027], r, rim),
    ...both((s) => h.cone([s * (ex + 0.031), ey + 0.018, ez + 0.02], [s * 0.088, ey + 0.012, 0], r, rim)),
  ];
}
