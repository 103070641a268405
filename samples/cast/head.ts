import type { Skeleton } from '../dancer/skeleton.js';
import { place, scale, type Vec3 } from '../dancer/vec.js';
import { labels, material, shaded } from './materials.js';
import type { CastMember, FaceLook } from './member.js';
import { ball, cone, type Shape, type ShapeOptions } from './shape.js';

/** Draws in the coordinates of a standard head: 0.25 m high, origin at the top of the neck, z out of the face. */
type HeadSpace = {
  readonly ball: (at: Vec3, radii: Vec3, ...rest: [Shape['material'], ShapeOptions?]) => Shape;
  readonly cone: (
    from: Vec3,
    to: Vec3,
    sizes: readonly [number, number],
    ...rest: [Shape['material'], ShapeOptions?]
  ) => Shape;
};

function headSpace({ head, measures: { head: k } }: Skeleton): HeadSpace {
  const scaled = (options: ShapeOptions = {}): ShapeOptions => ({
    ...options,
    cut: options.cut && { normal: options.cut.normal, offset: options.cut.offset * k },
  });
  return {
    ball: (at, radii, m, options) => ball(head, scale(at, k), scale(radii, k), m, scaled(options)),
    cone: (from, to, [a, b], m, options) =>
      cone(head, scale(from, k), scale(to, k), [a * k, b * k], m, scaled(options)),
  };
}

const both = <T>(make: (side: 1 | -1) => T): T[] => [make(1), make(-1)];

/** How a face is just now: where eyes and mouth are, in a standard head. Drawing and face points share it. */
export function faceNow(look: FaceLook, { pose }: Pick<Skeleton, 'pose'>) {
  const open = Math.max(0.12, 1 - pose.blink);
  const corner = 0.001 + 0.009 * (pose.smile - 0.25);
  return {
    eye: [0.0365 * look.eyeGap, 0.116, 0.061] as Vec3,
    eyeWide: 0.0265 * look.eyes,
    eyeHigh: 0.0195 * look.eyes * open,
    open,
    browY: 0.149 + 0.0025 * pose.smile,
    mouthY: 0.05 - corner * 0.5,
    mouthHalf: (0.026 + 0.007 * pose.smile) * look.mouth,
    corner,
    parted: Math.max(0, pose.smile - 0.6) * 0.024,
  };
}

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

/** Cuts a cap of hair open over the face: the front at height `front`, falling towards the neck. */
const hairline = (front: number, fall: number): ShapeOptions => ({
  cut: { normal: [0, -1, fall], offset: fall * 0.085 - front },
});

function hairShapes(member: CastMember, { pose }: Skeleton, h: HeadSpace): Shape[] {
  const { colors, hairVolume: v, hairSide, hair: style } = member;
  const hair = material(colors.hair, labels.head, { gloss: 0.25 });
  const deep = material(shaded(colors.hair, 0.82), labels.head, { gloss: 0.12 });
  const grow = 0.008 * v;
  const cap = (front: number, fall: number, more = grow): Shape =>
    h.ball([0, 0.153, -0.012], [0.083 + more, 0.096 + more, 0.101 + more], hair, hairline(front, fall));
  const shapes: Shape[] = [];
  const [sx, , sz] = pose.swing;
  const side = hairSide > 0 ? 1 : -1;
  if (member.face.beard) {
    const beard = material(shaded(colors.hair, 0.95), labels.head);
    shapes.push(
      h.cone([0, 0.09, 0.008], [0, 0.042, 0.03], [0.0735, 0.05], beard, {
        stretch: [1, 0.92, 1],
        cut: { normal: [0, 1, -0.45], offset: 0.034 },
      }),
    );
  }
  switch (style) {
    case 'bald':
      break;
    case 'short':
      shapes.push(cap(0.19, 0.75), h.ball([hairSide * 0.02, 0.225, 0.02], [0.07 * v, 0.034 * v, 0.07], hair));
      break;
    case 'fringe':
      shapes.push(
        cap(0.182, 0.62, grow * 1.4),
        h.cone([side * -0.035, 0.215, 0.068], [side * 0.052, 0.192, 0.06], [0.026 * v, 0.022 * v], hair),
        h.cone([side * -0.035, 0.215, 0.068], [side * -0.062, 0.19, 0.045], [0.024 * v, 0.018 * v], deep),
      );
      break;
    case 'bob':
    case 'long': {
      const low = style === 'long' ? -0.09 - 0.05 * hairSide : 0.045;
      const end = style === 'long' ? 0.026 : 0.034;
      shapes.push(
        cap(0.192, 0.55, grow * 1.5),
        h.cone([0, 0.15, -0.04], [sx * 0.6, low, -0.062 + sz], [0.084 * v, 0.07 * v], deep, {
          stretch: [1.08, 1, 0.62],
        }),
        ...both((s) =>
          h.cone(
            [s * 0.079, 0.165, -0.004],
            [s * 0.092 + sx * 0.6, low + 0.01, -0.012 + sz],
            [0.022 * v, end * v],
            hair,
          ),
        ),
        ...both((s) => h.cone([s * 0.02, 0.226, 0.052], [s * 0.074, 0.175, 0.03], [0.024 * v, 0.02 * v], hair)),
      );
      break;
    }
    case 'ponytail': {
      const tie: Vec3 = [side * 0.035, 0.215, -0.1];
      shapes.push(
        cap(0.194, 0.72, grow * 1.2),
        h.ball(tie, [0.022, 0.022, 0.022], material(colors.accent, labels.head)),
        h.cone(tie, [side * 0.115 + sx, 0.1, -0.1 + sz], [0.03 * v, 0.036 * v], hair),
        h.cone(
          [side * 0.115 + sx, 0.1, -0.1 + sz],
          [side * 0.12 + sx * 2, -0.02, -0.085 + sz],
          [0.036 * v, 0.014],
          deep,
        ),
      );
      break;
    }
    case 'bun':
      shapes.push(
        cap(0.194, 0.72, grow * 1.1),
        h.ball([hairSide * 0.03, 0.268, -0.03], [0.046 * v, 0.04 * v, 0.046 * v], deep),
      );
      break;
    case 'afro':
      shapes.push(
        h.ball([0, 0.172, -0.03], [0.128 * v, 0.112 * v, 0.12 * v], hair, hairline(0.19, 0.5)),
        ...both((s) => h.ball([s * 0.075, 0.2, 0.0], [0.055 * v, 0.058 * v, 0.06 * v], hair)),
        h.ball([0, 0.235, 0.01], [0.09 * v, 0.05 * v, 0.07 * v], hair),
      );
      break;
    case 'cap': {
      const cloth = material(colors.hat, labels.head);
      const brim = material(shaded(colors.hat, 0.8), labels.head);
      shapes.push(
        cap(0.15, 0.55, 0.004),
        h.ball([0, 0.165, -0.01], [0.096, 0.105, 0.112], cloth, { cut: { normal: [0, -1, 0.12], offset: -0.178 } }),
        h.cone([0, 0.188, 0.06], [0, 0.179, 0.125], [0.074, 0.06], brim, { stretch: [1, 0.13, 0.8] }),
      );
      break;
    }
    case 'beanie': {
      const cloth = material(colors.hat, labels.head);
      const rib = material(shaded(colors.hat, 0.82), labels.head);
      shapes.push(
        cap(0.14, 0.5, 0.004),
        h.ball([0, 0.172, -0.014], [0.095, 0.112, 0.112], cloth, { cut: { normal: [0, -1, 0.2], offset: -0.178 } }),
        h.cone([0, 0.186, -0.012], [0, 0.2, -0.014], [0.097, 0.093], rib, { stretch: [1, 0.2, 1.13] }),
        h.ball([0, 0.29, -0.02], [0.026, 0.024, 0.026], rib),
      );
      break;
    }
  }
  return shapes;
}

/** The 68 points that face detectors name (iBUG order) in world coordinates. */
export function facePoints(member: CastMember, skeleton: Skeleton): readonly Vec3[] {
  const { face: look } = member;
  const now = faceNow(look, skeleton);
  const at = (p: Vec3): Vec3 => place(skeleton.head, scale(p, skeleton.measures.head));
  const jaw: Vec3[] = Array.from({ length: 17 }, (_, i) => {
    const angle = ((i - 8) / 8) * 1.5;
    const low = Math.cos(angle);
    return [
      Math.sin(angle) * (0.075 * look.jaw + 0.008 * (1 - low)),
      0.115 - 0.113 * Math.max(0, low) ** 0.8,
      0.01 + 0.066 * low,
    ];
  });
  const brow = (s: 1 | -1): Vec3[] =>
    [0.06, 0.05, 0.04, 0.029, 0.0175].map((x, i) => [
      s * x,
      now.browY + (i === 0 ? 0.001 + look.browTilt : i === 4 ? -0.003 - look.browTilt : 0.003),
      0.056 + i * 0.0065,
    ]);
  const nose: Vec3[] = [
    ...[0.12, 0.11, 0.1, 0.09].map((y, i): Vec3 => [0, y, 0.086 + 0.007 * i]),
    ...[-2, -1, 0, 1, 2].map(
      (i): Vec3 => [i * 0.0075 * look.nose, 0.081 - 0.002 * (2 - Math.abs(i)), 0.1 - 0.004 * Math.abs(i)],
    ),
  ];
  const [ex, ey, ez] = now.eye;
  const eye = (s: 1 | -1): Vec3[] => {
    const ring = (angle: number): Vec3 => [
      s * (ex + Math.cos(angle) * now.eyeWide),
      ey + Math.sin(angle) * now.eyeHigh,
      ez + 0.018 - 0.008 * Math.max(0, Math.cos(angle)),
    ];
    const turns = [0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3].map((turn) => ring(turn * Math.PI));
    // From the picture's left: the right eye starts at its outer corner, the left one at its inner corner.
    return s < 0 ? turns : [3, 2, 1, 0, 5, 4].map((i) => turns[i] as Vec3);
  };
  const { mouthHalf: m, mouthY, corner, parted } = now;
  const lip = (share: number, up: number): Vec3 => {
    const x = share * m;
    return [x, mouthY + corner * share ** 2 + up * (1 - share ** 2), 0.0905 - 16 * x * x];
  };
  const low = -0.012 - parted * 1.8;
  const mouth: Vec3[] = [
    ...[-1, -0.6, -0.25, 0, 0.25, 0.6, 1].map((share) => lip(share, 0.006)),
    ...[0.6, 0.25, 0, -0.25, -0.6].map((share) => lip(share, low)),
    ...[-0.85, -0.3, 0, 0.3, 0.85].map((share) => lip(share, -0.001)),
    ...[0.3, 0, -0.3].map((share) => lip(share, -0.003 - parted * 1.6)),
  ];
  const inOrder = [...jaw, ...brow(-1), ...[...brow(1)].reverse(), ...nose, ...eye(-1), ...eye(1), ...mouth];
  return inOrder.map(at);
}
