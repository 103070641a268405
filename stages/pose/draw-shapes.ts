/**
 * The shapes of the published skeleton drawing, texel for texel as OpenCV rasterises them (8-connected, no antialiasing).
 * Coordinates are canvas texels; "fixed" means 16 fractional bits, held in a double, where integers stay exact.
 */
import { roundHalfEven } from '../../models/round-half-even.js';
import { paintSpan, type SampledCanvas } from './draw-canvas.js';

type Point = { readonly x: number; readonly y: number };

const one = 65536;
const half = 32768;

/** A shape reaching further than this from the canvas origin is left out: no picture needs it, and no input can stall us. */
export const maxCanvasCoordinate = 65536;

const radians = Math.PI / 180;
/** Sines of whole degrees with the 7 decimals and float32 rounding that OpenCV's table has; 0..450. */
const sines = Float64Array.from({ length: 451 }, (_, degrees) =>
  Math.fround(Number(Math.sin(degrees * radians).toFixed(7))),
);
const sine = (degrees: number) => sines[degrees] as number;

/** Filled circle of whole radius (integer midpoint circle). */
export function fillCircle(canvas: SampledCanvas, x: number, y: number, radius: number, color: number): void {
  if (!inReach(x, y)) return;
  const reach = circleReach(radius);
  for (let dy = -radius; dy <= radius; dy++) {
    const dx = reach[Math.abs(dy)] as number;
    paintSpan(canvas, y + dy, x - dx, x + dx, color);
  }
}

const reachByRadius = new Map<number, Int32Array>();

/** How far the circle reaches left and right in the row `dy` below its centre. */
function circleReach(radius: number): Int32Array {
  const known = reachByRadius.get(radius);
  if (known) return known;
  const reach = new Int32Array(radius + 1);
  let error = 0;
  let dx = radius;
  for (let dy = 0, plus = 1, minus = 2 * radius - 1; dx >= dy; dy++, plus += 2) {
    reach[dy] = Math.max(reach[dy] as number, dx);
    reach[dx] = Math.max(reach[dx] as number, dy);
    error += plus;
    if (error > 0) {
      error -= minus;
      dx--;
      minus -= 2;
    }
  }
  reachByRadius.set(radius, reach);
  return reach;
}

/**
 * Filled ellipse as the polygon through its points at each whole degree, rounded to texels.
 * `angle` in whole degrees; semi-axes in texels.
 */
export function fillEllipsePolygon(
  canvas: SampledCanvas,
  center: Point,
  semiMajor: number,
  semiMinor: number,
  angle: number,
  color: number,
): void {
  if (!inReach(Math.abs(center.x) + semiMajor, Math.abs(center.y) + semiMajor)) return;
  const turn = ((angle % 360) + 360) % 360;
  const cos = sine(450 - turn);
  const sin = sine(turn);
  const polygon: Point[] = [];
  for (let degrees = 0; degrees <= 360; degrees++) {
    const along = semiMajor * sine(450 - degrees);
    const across = semiMinor * sine(degrees);
    const x = roundHalfEven(center.x + along * cos - across * sin);
    const y = roundHalfEven(center.y + along * sin + across * cos);
    const last = polygon.at(-1);
    if (last?.x !== x || last.y !== y) polygon.push({ x, y });
  }
  // A single point stands for an ellipse without extent; OpenCV then draws its centre.
  if (polygon.length === 1) polygon.splice(0, 1, center, center);
  for (let i = 0; i < polygon.length; i++) {
    drawThinLine(canvas, polygon.at(i - 1) as Point, polygon[i] as Point, color);
  }
  fillConvex(canvas, polygon, false, color);
}

/** Line of thickness 2: a filled quadrilateral with its outline, and a round cap of radius 1 at both ends. */
export function drawThickLine(canvas: SampledCanvas, from: Point, to: Point, color: number): void {
  if (!inReach(from.x, from.y) || !inReach(to.x, to.y)) return;
  const dx = from.x - to.x;
  const dy = to.y - from.y;
  const squared = dx * dx + dy * dy;
  if (squared > 0) {
    const scale = one / Math.sqrt(squared);
    const side = { x: roundHalfEven(dy * scale), y: roundHalfEven(dx * scale) };
    const [p, q] = [from, to].map(({ x, y }) => ({ x: x * one, y: y * one })) as [Point, Point];
    const polygon = [
      { x: p.x + side.x, y: p.y + side.y },
      { x: p.x - side.x, y: p.y - side.y },
      { x: q.x - side.x, y: q.y - side.y },
      { x: q.x + side.x, y: q.y + side.y },
    ];
    for (let i = 0; i < 4; i++) drawFixedLine(canvas, polygon.at(i - 1) as Point, polygon[i] as Point, color);
    fillConvex(canvas, polygon, true, color);
  }
  fillCircle(canvas, from.x, from.y, 1, color);
  fillCircle(canvas, to.x, to.y, 1, color);
}

function inReach(x: number, y: number): boolean {
  return Math.abs(x) <= maxCanvasCoordinate && Math.abs(y) <= maxCanvasCoordinate;
}

type Edge = { at: number; readonly step: 1 | -1; x: number; dx: number; endY: number };

/** Inside of a convex polygon by two edges walked down from its top vertex. Vertices whole texels, or fixed. */
function fillConvex(canvas: SampledCanvas, polygon: readonly Point[], fixed: boolean, color: number): void {
  const count = polygon.length;
  if (count < 3) return;
  const row = fixed ? (y: number) => Math.floor((y + half) / one) : (y: number) => y;
  const toFixed = fixed ? 1 : one;
  let top = 0;
  let bottomY = -Infinity;
  for (let i = 0; i < count; i++) {
    const { y } = polygon[i] as Point;
    if (y < (polygon[top] as Point).y) top = i;
    bottomY = Math.max(bottomY, y);
  }
  const startY = row((polygon[top] as Point).y);
  const endY = Math.min(row(bottomY), canvas.height - 1);
  const down: Edge = { at: top, step: 1, x: -one, dx: 0, endY: startY };
  const up: Edge = { at: top, step: -1, x: -one, dx: 0, endY: startY };
  let edgesLeft = count;
  for (let y = startY; y <= endY; y++) {
    for (const edge of [down, up]) {
      if (y < edge.endY) continue;
      let at = edge.at;
      let next = (at + edge.step + count) % count;
      // Skips edges that end in this row or above; both sides draw on one budget of edges, so that the walk must end.
      while (edgesLeft-- > 0) {
        const nextY = row((polygon[next] as Point).y);
        if (nextY > y) {
          const x = (polygon[at] as Point).x * toFixed;
          const rows = nextY - y;
          edge.endY = nextY;
          edge.dx = Math.trunc((((polygon[next] as Point).x * toFixed - x) * 2 + rows) / (2 * rows));
          edge.x = x;
          edge.at = next;
          break;
        }
        at = next;
        next = (next + edge.step + count) % count;
      }
    }
    if (edgesLeft < 0) return;
    const x1 = Math.min(down.x, up.x);
    const x2 = Math.max(down.x, up.x);
    paintSpan(canvas, y, Math.floor((x1 + half) / one), Math.floor((x2 + half) / one), color);
    down.x += down.dx;
    up.x += up.dx;
  }
}

/** Bresenham line between whole texels, walked left to right. */
function drawThinLine(canvas: SampledCanvas, from: Point, to: Point, color: number): void {
  const clipped = clipLine(from, to, canvas.width - 1, canvas.height - 1);
  if (!clipped) return;
  const [start, end] = clipped[1].x < clipped[0].x ? [clipped[1], clipped[0]] : clipped;
  const dx = end.x - start.x;
  const dy = Math.abs(end.y - start.y);
  const down = end.y < start.y ? -1 : 1;
  const steep = dy > dx;
  const long = steep ? dy : dx;
  const short = steep ? dx : dy;
  let { x, y } = start;
  let error = long - 2 * short;
  for (let i = 0; i <= long; i++) {
    paintSpan(canvas, y, x, x, color);
    const aside = error < 0;
    error += (aside ? 2 * long : 0) - 2 * short;
    if (steep || aside) y += down;
    if (!steep || aside) x++;
  }
}

/** One-texel line between fixed points, one texel a step along its longer side. */
function drawFixedLine(canvas: SampledCanvas, from: Point, to: Point, color: number): void {
  const clipped = clipLine(from, to, canvas.width * one - 1, canvas.height * one - 1);
  if (!clipped) return;
  const flat = Math.abs(clipped[1].x - clipped[0].x) > Math.abs(clipped[1].y - clipped[0].y);
  const long = flat ? 'x' : 'y';
  const [start, end] = clipped[1][long] < clipped[0][long] ? [clipped[1], clipped[0]] : clipped;
  const length = end[long] - start[long];
  const slope = Math.trunc(
    ((flat ? end.y - start.y : end.x - start.x) * one) / (length % 2 === 0 ? length + 1 : length),
  );
  const paint = (x: number, y: number) =>
    paintSpan(canvas, Math.floor(y / one), Math.floor(x / one), Math.floor(x / one), color);
  paint(end.x + half, end.y + half);
  for (let i = 0, steps = Math.floor(length / one); i <= steps; i++) {
    if (flat) paint(start.x + half + i * one, start.y + half + i * slope);
    else paint(start.x + half + i * slope, start.y + half + i * one);
  }
}

/** Cohen-Sutherland with OpenCV's truncating integer divisions; undefined when the line misses 0..right x 0..bottom. */
function clipLine(from: Point, to: Point, right: number, bottom: number): [Point, Point] | undefined {
  let { x: x1, y: y1 } = from;
  let { x: x2, y: y2 } = to;
  const side = (v: number, most: number) => (v < 0 ? -1 : v > most ? 1 : 0);
  const missesX = () => side(x1, right) !== 0 && side(x1, right) === side(x2, right);
  const missesY = () => side(y1, bottom) !== 0 && side(y1, bottom) === side(y2, bottom);
  if (missesX() || missesY()) return undefined;
  if (side(y1, bottom)) {
    const edge = y1 < 0 ? 0 : bottom;
    x1 += productQuotient(edge - y1, x2 - x1, y2 - y1);
    y1 = edge;
  }
  if (side(y2, bottom)) {
    const edge = y2 < 0 ? 0 : bottom;
    x2 += productQuotient(edge - y2, x2 - x1, y2 - y1);
    y2 = edge;
  }
  if (missesX()) return undefined;
  if (side(x1, right)) {
    const edge = x1 < 0 ? 0 : right;
    y1 += productQuotient(edge - x1, y2 - y1, x2 - x1);
    x1 = edge;
  }
  if (side(x2, right)) {
    const edge = x2 < 0 ? 0 : right;
    y2 += productQuotient(edge - x2, y2 - y1, x2 - x1);
    x2 = edge;
  }
  return [
    { x: x1, y: y1 },
    { x: x2, y: y2 },
  ];
}

/** a * b / c towards zero, exactly: fixed-point products need more than the 53 bits of a double. */
function productQuotient(a: number, b: number, c: number): number {
  const product = a * b;
  if (Number.isSafeInteger(product)) return Math.trunc(product / c);
  return Number((BigInt(a) * BigInt(b)) / BigInt(c));
}
