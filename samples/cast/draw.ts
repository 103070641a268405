import type { RgbImage } from '../../stages/types.js';
import { type BodyPose, skeletonOf } from '../dancer/skeleton.js';
import { paintBackdrop } from './backdrop.js';
import { figureShapes } from './body.js';
import type { CastMember } from './member.js';
import { resolve } from './resolve.js';
import { type Canvas, clearCanvas, createCanvas, drawSweep } from './sweep.js';
import { type Placement, sweepOf, viewOf } from './view.js';

export type CastDrawOptions = {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Where the figure stands; the member's own place by default. */
  readonly placement?: Placement | undefined;
};

/** `parts` holds a label for each pixel: 0 background, 1 clothes, 2 skin, 3 head and hair, 4 hands, 5 shoes. */
export type CastPicture = { readonly image: RgbImage; readonly parts: Uint8Array };

/** Two by two samples a pixel. */
const fineness = 2;

let kept: Canvas | undefined;

/** One canvas is kept from picture to picture. */
function canvasOf(width: number, height: number): Canvas {
  if (kept?.width === width && kept.height === height) clearCanvas(kept);
  else kept = createCanvas(width, height);
  return kept;
}

/** The member in this pose before its backdrop. The same arguments give the same bytes. */
export function drawCast(member: CastMember, pose: BodyPose, options: CastDrawOptions): CastPicture {
  const { width, height, placement = member.placement } = options;
  const skeleton = skeletonOf(member.measures, pose);
  const view = viewOf(member, placement, width * fineness, height * fineness);
  const canvas = canvasOf(width * fineness, height * fineness);
  const shapes = figureShapes(member, skeleton);
  shapes.forEach((shape, i) => {
    drawSweep(canvas, sweepOf(shape, view), i + 1);
  });
  const data = new Uint8Array(width * height * 3);
  const parts = new Uint8Array(width * height);
  paintBackdrop(member, skeleton, viewOf(member, placement, width, height), { width, height, data });
  resolve(canvas, shapes, view, member.light, { width, height, data }, parts);
  return { image: { width, height, data }, parts };
}
