import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Box, personBoxes, rowCount, rowLength } from '#dist/stages/pose/dwpose-boxes.js';
import { cropHeight, cropRegion, cropWidth, regionOf } from '#dist/stages/pose/dwpose-crop.js';
import { detectorSide, letterbox } from '#dist/stages/pose/dwpose-letterbox.js';
import { wholeBodyPerson } from '#dist/stages/pose/dwpose-person.js';
import { columnPlaces, decodePoints, rowPlaces, wholeBodyPoints } from '#dist/stages/pose/dwpose-simcc.js';
import type { Keypoint, RgbImage } from '#dist/stages/types.js';

type Pair = readonly [number, number];
type PublishedPerson = {
  readonly box: readonly [number, number, number, number];
  readonly peaks: readonly (readonly [x: number, xScore: number, y: number, yScore: number])[];
} & Readonly<Record<'body' | 'face' | 'leftHand' | 'rightHand', readonly Pair[]>> &
  Readonly<Record<'bodyScore' | 'faceScore' | 'leftHandScore' | 'rightHandScore', readonly number[]>>;

/** What the published functions gave; the file says how it was made. */
const published = JSON.parse(
  readFileSync(new URL('../../fixtures/dwpose/published.json', import.meta.url), 'utf8'),
) as {
  readonly pictures: readonly {
    readonly width: number;
    readonly height: number;
    readonly salt: number;
    readonly box: readonly [number, number, number, number];
    readonly ratio: number;
    readonly letterbox: string;
    readonly crop: string;
  }[];
  readonly detections: readonly {
    readonly ratio: number;
    readonly rows: readonly (readonly number[])[];
    readonly boxes: readonly (readonly [number, number, number, number])[];
  }[];
  readonly points: { readonly width: number; readonly height: number; readonly people: readonly PublishedPerson[] };
};

const mean = [123.675, 116.28, 103.53] as const;
const deviation = [58.395, 57.12, 57.375] as const;
const boxOf = ([left, top, right, bottom]: readonly [number, number, number, number]): Box => ({
  ...{ left, top, right, bottom },
});

/** A picture by formula, of the sizes and salts of the recorded ones. */
function picture(width: number, height: number, salt = 0): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        data[(y * width + x) * 3 + c] = Math.floor((x * x * 3 + y * y * 5 + x * y * 7 + c * 71 + salt * 13) / 11) % 256;
      }
    }
  }
  return { width, height, data };
}

/** Smooth in both directions, so that places can be told from values. */
function slope(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      data[at] = Math.round((x / width) * 255);
      data[at + 1] = Math.round((y / height) * 255);
      data[at + 2] = 255;
    }
  }
  return { width, height, data };
}

/** Planes [3, height, width] as bytes [height, width, 3]; every value must be a whole number then. */
function bytes(planes: Float32Array, size: number, value: (plane: number, channel: number) => number): Uint8Array {
  const data = new Uint8Array(planes.length);
  planes.forEach((plane, i) => {
    const channel = Math.floor(i / size);
    const level = value(plane, channel);
    if (Math.abs(level - Math.round(level)) > 1e-3) throw new Error(`${level} is no level of a picture`);
    data[(i % size) * 3 + channel] = Math.round(level);
  });
  return data;
}

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

/** The picture at a place between texels, in float64; black beyond it or its border again. */
function sample({ width, height, data }: RgbImage, x: number, y: number, channel: number, beyond: 'black' | 'border') {
  const texel = (tx: number, ty: number) => {
    const inside = tx >= 0 && tx < width && ty >= 0 && ty < height;
    if (!inside && beyond === 'black') return 0;
    const [cx, cy] = [Math.min(Math.max(tx, 0), width - 1), Math.min(Math.max(ty, 0), height - 1)];
    return data[(cy * width + cx) * 3 + channel]!;
  };
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const upper = texel(x0, y0) * (1 - fx) + texel(x0 + 1, y0) * fx;
  const lower = texel(x0, y0 + 1) * (1 - fx) + texel(x0 + 1, y0 + 1) * fx;
  return upper * (1 - fy) + lower * fy;
}

describe('letterbox', () => {
  it('gives the bytes of the published code for pictures of any shape', () => {
    for (const { width, height, salt, ratio, letterbox: hash } of published.pictures) {
      const made = letterbox(picture(width, height, salt));
      expect(made.ratio).toBe(ratio);
      const data = bytes(made.data, detectorSide ** 2, (value) => value);
      expect(sha256(data), `${width}x${height}`).toBe(hash);
    }
  });

  it('samples at half-pixel centres into the upper left and fills with 114', () => {
    const image = slope(300, 211);
    const { data, ratio } = letterbox(image);
    const [width, height] = [Math.trunc(300 * ratio), Math.trunc(211 * ratio)];
    expect([width, height]).toEqual([640, 450]);
    let worst = 0;
    for (let y = 0; y < detectorSide; y += 7) {
      for (let x = 0; x < detectorSide; x += 7) {
        for (let channel = 0; channel < 3; channel++) {
          const got = data[channel * detectorSide ** 2 + y * detectorSide + x]!;
          const [sx, sy] = [((x + 0.5) * 300) / width - 0.5, ((y + 0.5) * 211) / height - 0.5];
          const expected = y < height ? sample(image, sx, sy, channel, 'border') : 114;
          worst = Math.max(worst, Math.abs(got - expected));
        }
      }
    }
    expect(worst).toBeLessThan(0.8); // rounded to a level
  });

  it('leaves a line of a picture that is longer than 640 to 1', () => {
    const { data } = letterbox({ width: 2000, height: 2, data: new Uint8Array(12_000).fill(9) });
    expect([data[0], data[detectorSide - 1], data[detectorSide]]).toEqual([9, 9, 114]);
  });
});

describe('crop', () => {
  it('gives the bytes of the published code, inside the picture and beyond it', () => {
    for (const { width, height, salt, box, crop } of published.pictures) {
      const data = cropRegion(picture(width, height, salt), regionOf(boxOf(box)));
      const level = (value: number, channel: number) => value * deviation[channel]! + mean[channel]!;
      expect(sha256(bytes(data, cropWidth * cropHeight, level)), `${width}x${height}`).toBe(crop);
    }
  });

  it('is enlarged by 1.25 and to 3:4 about the middle of the box', () => {
    expect(regionOf({ left: 100, top: 50, right: 180, bottom: 250 })).toEqual({
      ...{ centerX: 140, centerY: 150, width: 187.5, height: 250 },
    });
    expect(regionOf({ left: 0, top: 0, right: 300, bottom: 100 })).toEqual({
      ...{ centerX: 150, centerY: 50, width: 375, height: 500 },
    });
  });

  it('samples where the affine map says, by float64', () => {
    const image = slope(200, 300);
    const region = regionOf({ left: 120.3, top: 80.6, right: 230.9, bottom: 330.2 });
    const data = cropRegion(image, region);
    let worst = 0;
    for (let y = 0; y < cropHeight; y += 5) {
      for (let x = 0; x < cropWidth; x += 5) {
        const sx = region.centerX + (x - cropWidth / 2) * (region.width / cropWidth);
        const sy = region.centerY + (y - cropHeight / 2) * (region.height / cropHeight);
        // A place is known to 1/64 pixel: near the border a level of 255 comes and goes with it.
        if (Math.min(Math.abs(sx - 199.5), Math.abs(sy - 299.5)) < 0.6) continue;
        for (let channel = 0; channel < 3; channel++) {
          const got = data[channel * cropWidth * cropHeight + y * cropWidth + x]!;
          const expected = (sample(image, sx, sy, channel, 'black') - mean[channel]!) / deviation[channel]!;
          worst = Math.max(worst, Math.abs(got - expected) * deviation[channel]!);
        }
      }
    }
    expect(worst).toBeLessThan(0.6);
  });
});

/** Rows of a network that sees nothing but these: [row, class column, x, y, log width, log height, objectness, class]. */
function rowsWith(cells: readonly (readonly number[])[]): Float32Array {
  const rows = new Float32Array(rowCount * rowLength);
  for (const [row, column, ...values] of cells) {
    rows.set(values.slice(0, 5), row! * rowLength);
    rows[row! * rowLength + column!] = values[5]!;
  }
  return rows;
}

/** First rows of the grids of 8, 16 and 32 pixels. */
const grids = { 8: 0, 16: 6400, 32: 8000 } as const;
const asPerson = 5;

describe('boxes', () => {
  it('are those of the published code, in its order', () => {
    for (const { ratio, rows, boxes } of published.detections) {
      const found = personBoxes(rowsWith(rows), ratio);
      expect(found.length).toBe(boxes.length);
      for (const [i, box] of boxes.entries()) {
        const { left, top, right, bottom } = found[i]!;
        for (const [side, value] of [left, top, right, bottom].entries()) expect(value).toBeCloseTo(box[side]!, 2);
      }
    }
  });

  it('lie by hand where cell, offset and size say, on each grid, and are scaled back', () => {
    const cell = (stride: keyof typeof grids, gx: number, gy: number, x: number, y: number) => [
      ...[grids[stride] + gy * (640 / stride) + gx, asPerson, x, y, Math.log(4), Math.log(8), 0.9, 0.9],
    ];
    // Middle (10 + 0.5) * 8 = 84, (20 + 0.25) * 8 = 162; size 32 x 64; at ratio 0.5 twice as large.
    expect(personBoxes(rowsWith([cell(8, 10, 20, 0.5, 0.25)]), 0.5)).toEqual([
      { left: 136, top: 260, right: 200, bottom: 388 },
    ]);
    expect(personBoxes(rowsWith([cell(16, 3, 5, 0, 0.5)]), 1)).toEqual([{ left: 16, top: 24, right: 80, bottom: 152 }]);
    // At the border a box may reach beyond the picture.
    expect(personBoxes(rowsWith([cell(32, 0, 19, 0.5, 0.5)]), 1)).toEqual([
      { left: -48, top: 496, right: 80, bottom: 752 },
    ]);
  });

  it('are people of a score over 0.3 only', () => {
    const row = (at: number, column: number, objectness: number, score: number) => [
      ...[at, column, 0.5, 0.5, 1, 1, objectness, score],
    ];
    expect(personBoxes(new Float32Array(rowCount * rowLength), 1)).toEqual([]);
    expect(personBoxes(rowsWith([row(0, asPerson, 0.5, 0.59), row(900, asPerson, 1, 0.299)]), 1)).toEqual([]);
    expect(personBoxes(rowsWith([row(0, asPerson, 0.5, 0.61)]), 1)).toHaveLength(1);
    expect(personBoxes(rowsWith([row(0, asPerson + 1, 1, 1), row(40, asPerson + 79, 1, 1)]), 1)).toEqual([]);
  });

  it('of which the surest stays where they overlap by more than 0.45, the later of equally sure ones', () => {
    // 100 x 100 at the upper left of the grid of 32, moved by `dx` pixels.
    const row = (at: number, dx: number, score: number) => [
      ...[
        grids[32] + at,
        asPerson,
        (100 + dx) / 32 - (at % 20),
        100 / 32,
        Math.log(100 / 32),
        Math.log(100 / 32),
        1,
        score,
      ],
    ];
    const lefts = (...rows: number[][]) => personBoxes(rowsWith(rows), 1).map(({ left }) => Math.round(left));
    expect(lefts(row(0, 0, 0.8), row(1, 10, 0.9))).toEqual([60]);
    expect(lefts(row(0, 0, 0.8), row(1, 10, 0.8))).toEqual([60]);
    expect(lefts(row(0, 10, 0.8), row(1, 0, 0.8))).toEqual([50]);
    // With one pixel more on each side: (101 - 37) / (101 + 37) = 0.464, (101 - 39) / (101 + 39) = 0.443.
    expect(lefts(row(0, 0, 0.9), row(1, 37, 0.8))).toEqual([50]);
    expect(lefts(row(0, 0, 0.9), row(1, 39, 0.8))).toEqual([50, 89]);
    // A box that was suppressed suppresses nothing: the third stays.
    expect(lefts(row(0, 0, 0.9), row(1, 30, 0.8), row(2, 60, 0.7))).toEqual([50, 110]);
    // The surest first, wherever it stands.
    expect(lefts(row(0, 0, 0.5), row(4, 200, 0.9), row(8, 400, 0.7))).toEqual([250, 450, 50]);
  });

  it('without extent or of no finite one are nobody, and there is an end to their number', () => {
    const row = (at: number, logSize: number) => [at, asPerson, 0.5, 0.5, logSize, logSize, 1, 1];
    expect(personBoxes(rowsWith([row(0, 1000), row(50, -1000)]), 1)).toEqual([]);
    expect(personBoxes(rowsWith([row(0, 500), row(4000, 1)]), 1)).toHaveLength(1);
    const crowd = Array.from({ length: 1600 }, (_, i) => row(i * 4, 0));
    expect(personBoxes(rowsWith(crowd), 1)).toHaveLength(32);
  });
});

/** Vectors of a network that is sure of one place each: [x, score, y, score], -0.25 elsewhere. */
function vectors(peaks: readonly (readonly [number, number, number, number])[]): [Float32Array, Float32Array] {
  const columns = new Float32Array(wholeBodyPoints * columnPlaces).fill(-0.25);
  const rows = new Float32Array(wholeBodyPoints * rowPlaces).fill(-0.25);
  peaks.forEach(([x, xScore, y, yScore], point) => {
    columns[point * columnPlaces + x] = xScore;
    rows[point * rowPlaces + y] = yScore;
  });
  return [columns, rows];
}

describe('points', () => {
  it('are those of the published code, in OpenPose order', () => {
    const { people, ...size } = published.points;
    for (const expected of people) {
      const points = decodePoints(...vectors(expected.peaks), regionOf(boxOf(expected.box)));
      const person = wholeBodyPerson(points, size, { hands: true, face: true })!;
      for (const part of ['body', 'face', 'leftHand', 'rightHand'] as const) {
        const found = person[part]!;
        expect(found.length).toBe(expected[part].length);
        found.forEach(({ x, y, score }, i) => {
          expect(Math.abs(x - expected[part][i]![0]), `${part} ${i}`).toBeLessThan(2e-6);
          expect(Math.abs(y - expected[part][i]![1]), `${part} ${i}`).toBeLessThan(2e-6);
          // A score under 0 counts as 0: nothing that reads scores tells them apart.
          expect(score).toBeCloseTo(Math.max(0, expected[`${part}Score`][i]!), 3);
        });
      }
    }
  });

  it('lie by hand at half a pixel of the crop, scored by the less sure axis', () => {
    const region = { centerX: 500, centerY: 400, width: 288, height: 384 };
    const peaks = Array.from({ length: wholeBodyPoints }, () => [0, 0.5, 0, 0.5] as const).map(
      (peak, i): [number, number, number, number] =>
        i === 0 ? [101, 0.75, 300, 0.5] : i === 1 ? [4, 2, 4, 3] : i === 2 ? [9, -0.125, 9, 1] : [...peak],
    );
    const [columns, rows] = vectors(peaks);
    columns[101 + 1] = 0.75; // the first of two
    const points = decodePoints(columns, rows, region);
    expect(points[0]).toEqual({ x: 356 + 50.5, y: 208 + 150, score: 0.5 });
    expect(points[1]).toEqual({ x: 356 + 2, y: 208 + 2, score: 2 });
    expect(points[2]!.score).toBe(-0.125);
    expect([points[2]!.x, points[2]!.y]).toEqual([356 - 0.5, 208 - 0.5]);
  });
});

describe('persons', () => {
  const size = { width: 100, height: 200 };
  const points = (score: (point: number) => number): Keypoint[] =>
    Array.from({ length: wholeBodyPoints }, (_, point) => ({ x: point, y: 2 * point, score: score(point) }));

  it('have their joints in OpenPose order, told by the number that each point carries', () => {
    const person = wholeBodyPerson(
      points(() => 0.5),
      size,
      { hands: true, face: true },
    )!;
    const order = (part: readonly Keypoint[]) => part.map(({ x }) => Math.round(x * 1000) / 10);
    // nose, neck, right arm, left arm, right leg, left leg, right and left eye, right and left ear
    expect(order(person.body)).toEqual([0, 5.5, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]);
    expect(order(person.face!)).toEqual(Array.from({ length: 68 }, (_, i) => 23 + i));
    expect(order(person.leftHand!)).toEqual(Array.from({ length: 21 }, (_, i) => 91 + i));
    expect(order(person.rightHand!)).toEqual(Array.from({ length: 21 }, (_, i) => 112 + i));
    expect(person.body.every(({ x, y }) => x === y)).toBe(true); // fractions of 100 and 200
  });

  it('have a neck where both shoulders are seen', () => {
    const neck = (left: number, right: number) =>
      wholeBodyPerson(
        points((point) => (point === 5 ? left : point === 6 ? right : 1)),
        size,
        { hands: false, face: false },
      )!.body[1]!.score;
    expect([neck(0.31, 0.31), neck(0.3, 0.9), neck(0.9, 0.3), neck(1.7, 0.4)]).toEqual([1, 0, 0, 1]);
  });

  it('have hands and a face when asked for, and are nobody where no point is seen', () => {
    const person = wholeBodyPerson(
      points(() => 0.5),
      size,
      { hands: false, face: false },
    )!;
    expect([person.leftHand, person.rightHand, person.face]).toEqual([null, null, null]);
    expect(
      wholeBodyPerson(
        points(() => 0.3),
        size,
        { hands: true, face: true },
      ),
    ).toBeUndefined();
    expect(
      wholeBodyPerson(
        points((point) => (point === 100 ? 0.4 : 0.1)),
        size,
        { hands: true, face: true },
      ),
    ).toBeDefined();
  });
});
