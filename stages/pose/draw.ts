import { roundHalfEven } from '../../models/round-half-even.js';
import type { Keypoint, Person, RgbImage } from '../types.js';
import { reduceCanvas, type SampledCanvas, sampledCanvas } from './draw-canvas.js';
import { drawThickLine, fillCircle, fillEllipsePolygon } from './draw-shapes.js';

/**
 * How a skeleton looks. `published` is the confidence-aware drawing that ControlNeXt-SVD-v2 and MimicMotion were trained on; in a
 * small picture most of its lines fall between the pixels that are kept. `solid` has the same colours in lines as wide as a fixed
 * share of the picture, antialiased, so that nothing is lost at any size.
 */
export const skeletonStyles = ['published', 'solid'] as const;
export type SkeletonStyle = (typeof skeletonStyles)[number];

export type DrawOptions = { readonly style?: SkeletonStyle };

/** Sizes in canvas texels. */
type Look = {
  /** Of the canvas, which is then reduced bilinearly. */
  readonly shortSide: number;
  /** Half the width of a limb. */
  readonly limb: number;
  /** Half the width of an edge between points of a hand; null: a line of thickness 2. */
  readonly handEdge: number | null;
  /** Radii. */
  readonly joint: number;
  readonly handPoint: number;
  readonly facePoint: number;
};

/** The look in a picture with this short side. */
const looks: Readonly<Record<SkeletonStyle, (shortSide: number) => Look>> = {
  // Reduced 2160 to the picture's side without antialiasing.
  published: () => ({ shortSide: 2160, limb: 4, handEdge: null, joint: 4, handPoint: 4, facePoint: 3 }),
  // Halving bilinearly is the mean of 2x2 texels.
  solid: (shortSide) => {
    const share = (divisor: number) => Math.max(1, Math.round((2 * shortSide) / divisor));
    return {
      shortSide: 2 * shortSide,
      limb: share(85),
      handEdge: share(256),
      joint: share(64),
      handPoint: share(256),
      facePoint: share(256),
    };
  },
};

/**
 * The control picture of one frame: the skeletons of its people on black, RGB, `width` x `height`.
 * A hand or face that is null draws nothing; a point that is not finite draws nothing.
 * Throws RangeError when a side is not a whole number from 1 to 16384.
 */
export function drawSkeleton(
  people: readonly Person[],
  width: number,
  height: number,
  options: DrawOptions = {},
): RgbImage {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > 16384) throw new RangeError(`cannot draw ${width}x${height}`);
  }
  const shortSide = Math.min(width, height);
  const look = looks[options.style ?? 'published'](shortSide);
  const scale = look.shortSide / shortSide;
  const canvas = sampledCanvas(Math.trunc(width * scale), Math.trunc(height * scale), width, height);
  drawPeople(canvas, people, look);
  return { width, height, data: reduceCanvas(canvas, width, height) };
}

const minLimbScore = 0.3;
const dimming = 0.6;

/** Joint pairs in drawing order; the n-th limb takes the n-th colour. */
// biome-ignore format: a table
const limbs: readonly (readonly [number, number])[] = [
  [1, 2], [1, 5], [2, 3], [3, 4], [5, 6], [6, 7], [1, 8], [8, 9], [9, 10],
  [1, 11], [11, 12], [12, 13], [1, 0], [0, 14], [14, 16], [0, 15], [15, 17],
];

/** Published tables are blue, green, red; these are red, green, blue. */
// biome-ignore format: a table
const jointColors: readonly (readonly [number, number, number])[] = [
  [0, 0, 255], [0, 85, 255], [0, 170, 255], [0, 255, 255], [0, 255, 170], [0, 255, 85], [0, 255, 0], [85, 255, 0],
  [170, 255, 0], [255, 255, 0], [255, 170, 0], [255, 85, 0], [255, 0, 0], [255, 0, 85], [255, 0, 170], [255, 0, 255],
  [170, 0, 255], [85, 0, 255],
];

// biome-ignore format: a table
const handEdges: readonly (readonly [number, number])[] = [
  [0, 1], [1, 2], [2, 3], [3, 4], [0, 5], [5, 6], [6, 7], [7, 8], [0, 9], [9, 10],
  [10, 11], [11, 12], [0, 13], [13, 14], [14, 15], [15, 16], [0, 17], [17, 18], [18, 19], [19, 20],
];
/** hsv_to_rgb(edge / 20, 1, 1); the published code hands it to OpenCV as blue, green, red. */
const handColors = handEdges.map((_, edge) => hueColor(edge / handEdges.length));

/** Source: ControlNeXt-SVD-v2 dwpose/util.py (same as MimicMotion's). Limbs, dimmed; joints; hands; faces; later wins. */
function drawPeople(canvas: SampledCanvas, people: readonly Person[], look: Look): void {
  limbs.forEach(([a, b], limb) => {
    for (const person of people) drawLimb(canvas, person.body[a], person.body[b], limb, look);
  });
  for (let joint = 0; joint < 18; joint++) {
    for (const person of people) drawJoint(canvas, person.body[joint], joint, look);
  }
  for (const person of people) drawHand(canvas, person.leftHand, look);
  for (const person of people) drawHand(canvas, person.rightHand, look);
  for (const person of people) drawFace(canvas, person.face, look);
}

function drawLimb(
  canvas: SampledCanvas,
  a: Keypoint | undefined,
  b: Keypoint | undefined,
  limb: number,
  look: Look,
): void {
  // Published: drawn from 0.3 on, present above 0.3; at exactly 0.3 it would draw to another person's ear. Here: absent.
  if (!isPresent(a) || !isPresent(b)) return;
  const confidence = a.score * b.score;
  // Limbs are drawn on black and cover each other fully, so dimming each colour equals dimming the canvas afterwards.
  const [red, green, blue] = (jointColors[limb] as readonly number[]).map((level) =>
    Math.trunc(toByte(Math.trunc(level * confidence)) * dimming),
  ) as [number, number, number];
  const [from, to] = [a, b].map(({ x, y }) => ({ x: x * canvas.width, y: y * canvas.height })) as [Texel, Texel];
  fillBetween(canvas, from, to, look.limb, pack(red, green, blue));
}

type Texel = { readonly x: number; readonly y: number };

/** An ellipse from one point to another. */
function fillBetween(canvas: SampledCanvas, from: Texel, to: Texel, halfWidth: number, color: number): void {
  const center = { x: Math.trunc((from.x + to.x) / 2), y: Math.trunc((from.y + to.y) / 2) };
  const length = Math.sqrt((from.y - to.y) ** 2 + (from.x - to.x) ** 2);
  const angle = Math.trunc(Math.atan2(from.y - to.y, from.x - to.x) * (180 / Math.PI));
  fillEllipsePolygon(canvas, center, Math.trunc(length / 2), halfWidth, angle, color);
}

function drawJoint(canvas: SampledCanvas, point: Keypoint | undefined, joint: number, look: Look): void {
  if (!isPresent(point)) return;
  const [red, green, blue] = (jointColors[joint] as readonly number[]).map((level) =>
    Math.trunc(level * point.score),
  ) as [number, number, number];
  const { x, y } = toTexel(canvas, point);
  fillCircle(canvas, x, y, look.joint, pack(red, green, blue));
}

/** Edges first, then points; no score threshold: an unsure hand is only darker. */
function drawHand(canvas: SampledCanvas, hand: readonly Keypoint[] | null, look: Look): void {
  if (!hand) return;
  handEdges.forEach(([from, to], edge) => {
    const a = hand[from];
    const b = hand[to];
    if (!isDrawable(a) || !isDrawable(b)) return;
    const start = toTexel(canvas, a);
    const end = toTexel(canvas, b);
    if (!(isInsideCorner(start) && isInsideCorner(end))) return;
    const level = Math.trunc(a.score * b.score * 255);
    const [blue, green, red] = handColors[edge] as readonly [number, number, number];
    const color = pack(red * level, green * level, blue * level);
    if (look.handEdge === null) drawThickLine(canvas, start, end, color);
    else fillBetween(canvas, start, end, look.handEdge, color);
  });
  for (const point of hand) drawPoint(canvas, point, look.handPoint, (level) => pack(level, 0, 0));
}

function drawFace(canvas: SampledCanvas, face: readonly Keypoint[] | null, look: Look): void {
  for (const point of face ?? []) drawPoint(canvas, point, look.facePoint, (level) => pack(level, level, level));
}

function drawPoint(canvas: SampledCanvas, point: Keypoint, radius: number, color: (level: number) => number): void {
  if (!isDrawable(point)) return;
  const { x, y } = toTexel(canvas, point);
  if (isInsideCorner({ x, y })) fillCircle(canvas, x, y, radius, color(Math.trunc(point.score * 255)));
}

function isPresent(point: Keypoint | undefined): point is Keypoint {
  return isDrawable(point) && point.score > minLimbScore;
}

function isDrawable(point: Keypoint | undefined): point is Keypoint {
  return point !== undefined && Number.isFinite(point.x + point.y + point.score);
}

function toTexel(canvas: SampledCanvas, point: Keypoint): Texel {
  return { x: Math.trunc(point.x * canvas.width), y: Math.trunc(point.y * canvas.height) };
}

/** Published: pixel coordinates over 0.01, so row 0 and column 0 do not count as seen. */
function isInsideCorner(texel: Texel): boolean {
  return texel.x > 0 && texel.y > 0;
}

/** OpenCV saturates colours after the products: levels over 255 come from scores over 1. */
function toByte(level: number): number {
  return Math.min(Math.max(roundHalfEven(level), 0), 255);
}

function pack(red: number, green: number, blue: number): number {
  return toByte(red) | (toByte(green) << 8) | (toByte(blue) << 16);
}

/** hsv_to_rgb for saturation and value 1, with the operations of matplotlib in its order. */
function hueColor(hue: number): readonly [number, number, number] {
  const sector = Math.floor(hue * 6);
  const fraction = hue * 6 - sector;
  const falling = 1 - fraction;
  const rising = 1 - (1 - fraction);
  const table = [
    [1, rising, 0],
    [falling, 1, 0],
    [0, 1, rising],
    [0, falling, 1],
    [rising, 0, 1],
    [1, 0, falling],
  ] as const;
  return table[sector % 6] as readonly [number, number, number];
}
