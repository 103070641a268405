import { median } from './median.js';

export type SeamRatio = {
  /** Median over the joints; 1 = a joint changes no more than any other frame, 2 = twice as much. Undefined without joints. */
  readonly ratio: number | undefined;
  /** The largest over the joints. */
  readonly worst: number | undefined;
  /** One for each joint, in the order given; undefined for joints outside of the clip. */
  readonly joints: readonly (number | undefined)[];
};

/**
 * How visible the joints of windows are: R = median over joints b of d(b) / median of d elsewhere, where d is the frame's
 * difference over what its pose speed lets one expect (`againstSpeed`, whose median elsewhere is 1). 0..infinity, 1 is
 * an invisible seam. With few joints it has much chance in it: of three joints in a clean clip it is easily 0.8 or 1.2.
 * @param relative one number a frame, `relative` of `againstSpeed` with the same joints
 * @param joints frames at which the set of contributing windows differs from that of the frame before
 */
export function seamRatio(relative: readonly (number | undefined)[], joints: readonly number[]): SeamRatio {
  const each = joints.map((joint) => relative[joint]);
  const known = each.filter((ratio) => ratio !== undefined);
  return { ratio: median(known), worst: known.length > 0 ? Math.max(...known) : undefined, joints: each };
}
