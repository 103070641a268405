import type { Skeleton } from '../dancer/skeleton.js';
import type { Vec3 } from '../dancer/vec.js';
import { both, type HeadSpace } from './head-space.js';
import { labels, material, shaded } from './materials.js';
import type { CastMember } from './member.js';
import type { Shape, ShapeOptions } from './shape.js';

/** Cuts a cap of hair open over the face: the front at height `front`, falling towards the neck. */
const hairline = (front: number, fall: number): ShapeOptions => ({
  cut: { normal: [0, -1, fall], offset: fall * 0.085 - front },
});

/** Hair, beard and hats. */
export function hairShapes(member: CastMember, { pose }: Skeleton, h: HeadSpace): Shape[] {
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
