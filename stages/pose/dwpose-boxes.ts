import { detectorSide } from './dwpose-letterbox.js';

/** Where somebody is, in pixels of the picture. */
export type Box = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };

/** Values of a row: centre, size, whether anything is there, and 80 classes of things. */
export const rowLength = 85;

/** Cells of the three grids lie one grid after the other, row by row. */
const strides = [8, 16, 32] as const;
export const rowCount = strides.reduce((sum, stride) => sum + (detectorSide / stride) ** 2, 0);

/** Class 0 is a person; a score is that class's, times whether anything is there. */
const [objectness, person] = [4, 5];
const leastScore = 0.3;
const mostOverlap = 0.45;

/** More people than in any picture that is worth animating; a broken network may see one in every cell. */
const mostPeople = 32;

type Candidate = Box & { readonly score: number; readonly area: number };

/**
 * People in what YOLOX gives for one picture, the surest first.
 * @param rows [8400, 85]
 * @param ratio of the letterbox, to get back to pixels of the picture
 *
 * The published code (mimicmotion/dwpose/onnxdet.py) suppresses boxes down to a score of 0.1 and then drops those of 0.3 or
 * less; a box only ever suppresses less sure ones, so dropping them first gives the same.
 */
export function personBoxes(rows: Float32Array, ratio: number): Box[] {
  const candidates: Candidate[] = [];
  let row = 0;
  for (const stride of strides) {
    const side = detectorSide / stride;
    for (let cell = 0; cell < side * side; cell++, row++) {
      const at = row * rowLength;
      const score = Math.fround((rows[at + objectness] as number) * (rows[at + person] as number));
      if (!(score > leastScore)) continue;
      const [dx, dy, logWidth, logHeight] = rows.subarray(at, at + 4) as unknown as [number, number, number, number];
      const candidate = candidateOf({
        x: ((dx + (cell % side)) * stride) / ratio,
        y: ((dy + Math.floor(cell / side)) * stride) / ratio,
        width: (Math.exp(logWidth) * stride) / ratio,
        height: (Math.exp(logHeight) * stride) / ratio,
        score,
      });
      if (candidate) candidates.push(candidate);
    }
  }
  return suppress(candidates);
}

/** Undefined for a box without extent, or of no finite one: nothing can be cut out there. */
function candidateOf(box: Record<'x' | 'y' | 'width' | 'height' | 'score', number>): Candidate | undefined {
  const { x, y, width, height, score } = box;
  const [left, top] = [Math.fround(x - width / 2), Math.fround(y - height / 2)];
  const [right, bottom] = [Math.fround(x + width / 2), Math.fround(y + height / 2)];
  const extent = (right - left) * (bottom - top);
  if (!(extent > 0 && extent < Number.POSITIVE_INFINITY)) return undefined;
  return { left, top, right, bottom, score, area: areaOf(right - left, bottom - top) };
}

/** The published code counts the last pixel in. */
function areaOf(width: number, height: number): number {
  return Math.max(0, width + 1) * Math.max(0, height + 1);
}

/** Leaves out what overlaps a surer box by more than 0.45. Of equally sure ones the later counts as surer, as published. */
function suppress(candidates: readonly Candidate[]): Box[] {
  const sorted = candidates.toReversed().sort((a, b) => b.score - a.score);
  const kept: Candidate[] = [];
  for (const candidate of sorted) {
    if (kept.length === mostPeople) break;
    if (kept.every((other) => overlap(other, candidate) <= mostOverlap)) kept.push(candidate);
  }
  return kept.map(({ left, top, right, bottom }) => ({ left, top, right, bottom }));
}

/** Intersection over union. */
function overlap(a: Candidate, b: Candidate): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const shared = areaOf(width, height);
  return shared / (a.area + b.area - shared);
}
