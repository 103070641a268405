import { writeFile } from 'node:fs/promises';
import { Graph, type Value } from '#dist/models/onnx/graph.js';
import { add, clip, concat, conv2d, div, floats, matmul, mul, scalar, sub } from '#dist/models/onnx/ops.js';
import type { RgbImage } from '#dist/stages/types.js';

/*
 * Pictures of people who are nothing but coloured dots, and two networks in the form of DWPose's whose outputs are known
 * functions of such a picture: one gives the extent of what is bright, the other the place of each colour. Whatever lies
 * between picture and pose (letterbox, boxes, crop, normalisation, SimCC, order of points) has to be right for a joint to
 * come out on its dot.
 */

/** Colours that neither they nor their darker shades can be taken for each other: pure hues, pale hues, white. */
const colors: readonly (readonly [number, number, number])[] = [
  ...hues(12).map((rgb) => rgb.map((level) => level * 255)),
  ...hues(6).map((rgb) => rgb.map((level) => 127 + level * 128)),
  [255, 255, 255],
] as [number, number, number][];

function hues(count: number): number[][] {
  const level = (hue: number) => Math.min(1, Math.max(0, Math.abs(((hue + 3) % 6) - 3) - 1));
  return Array.from({ length: count }, (_, i) => {
    const hue = (i * 6) / count;
    return [1 - level(hue), 1 - level(hue + 4), 1 - level(hue + 2)];
  });
}

/** The dot at which each of the 133 points lies: the 17 of the body on their own ones. */
const dotOfPoint = Array.from({ length: 133 }, (_, point) => (point < 17 ? point : (point * 5 + 2) % colors.length));

/** The points of COCO-WholeBody that are joints of OpenPose, without the neck. */
const pointOfJoint = [0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3];

export type DottedPerson = { readonly x: number; readonly y: number; readonly spacing: number };
export type Spot = { readonly x: number; readonly y: number };

/** Places of a person's dots in pixels: on a grid of 5 x 4, in no order. */
function dotsOf({ x, y, spacing }: DottedPerson): Spot[] {
  return colors.map((_, dot) => {
    const cell = (dot * 7 + 3) % 20;
    return { x: x + (cell % 5) * spacing, y: y + Math.floor(cell / 5) * spacing };
  });
}

/** Where joint, hand or face points of a person have to be found. */
export function truthOf(person: DottedPerson): {
  readonly body: readonly Spot[];
  readonly face: readonly Spot[];
  readonly leftHand: readonly Spot[];
  readonly rightHand: readonly Spot[];
} {
  const dots = dotsOf(person);
  const point = (index: number) => dots[dotOfPoint[index]!]!;
  const [left, right] = [point(5), point(6)];
  const neck = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
  const range = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => point(from + i));
  return {
    body: pointOfJoint.map((index) => (index < 0 ? neck : point(index))),
    ...{ face: range(23, 91), leftHand: range(91, 112), rightHand: range(112, 133) },
  };
}

/** Dots on black, brightest in their middle. @param radius standard deviation of a dot, pixels */
export function drawDots(width: number, height: number, people: readonly DottedPerson[], radius = 3): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (const person of people) {
    for (const [dot, { x, y }] of dotsOf(person).entries()) {
      const reach = Math.ceil(radius * 3);
      for (let py = Math.max(0, Math.floor(y) - reach); py <= Math.min(height - 1, y + reach); py++) {
        for (let px = Math.max(0, Math.floor(x) - reach); px <= Math.min(width - 1, x + reach); px++) {
          const light = Math.exp(-((px - x) ** 2 + (py - y) ** 2) / (2 * radius ** 2));
          const at = (py * width + px) * 3;
          for (let c = 0; c < 3; c++) data[at + c] = Math.max(data[at + c]!, Math.round(colors[dot]![c]! * light));
        }
      }
    }
  }
  return { width, height, data };
}

export type NetworkFileOptions = {
  /** Pictures that the file takes in one run; `any` leaves that open. */
  readonly batch?: 1 | 'any';
  /** Columns of the letterbox at which one person ends and the next begins. */
  readonly borders?: readonly number[];
  /** Sees nobody. */
  readonly blind?: boolean;
};

const begin = (name: string) => new Graph({ name, residency: 'fast', target: 'cpu' });
const raw = (op: string, inputs: readonly Value[], dims: readonly number[], attributes = {}): Value =>
  inputs[0]!.graph.add({ op, inputs, attributes, outputs: [{ dtype: inputs[0]!.dtype, dims }] })[0]!;
const integers = (graph: Graph, values: readonly number[]) =>
  graph.constant('int64', [values.length], BigInt64Array.from(values, BigInt));
const highest = (x: Value, axis: number, keep: boolean) =>
  raw('ReduceMax', [x, integers(x.graph, [axis])], keep ? x.dims.with(axis, 1) : x.dims.toSpliced(axis, 1), {
    keepdims: keep ? 1 : 0,
  });
const ramp = (count: number, value: (i: number) => number) => Float32Array.from({ length: count }, (_, i) => value(i));

/** In the form of YOLOX-L: one box for each span of columns, around everything bright in it, in the cells of stride 32. */
export async function writePeopleFinder(file: string, options: NetworkFileOptions = {}) {
  const { batch = 'any', borders = [], blind = false } = options;
  const graph = begin('people-finder');
  const n = batch === 'any' ? -1 : batch;
  const picture = graph.input('images', 'float32', [n, 3, 640, 640]);
  // The fill of the letterbox, 114, is not bright.
  const bright = clip(
    mul(sub(highest(picture, 1, true), scalar(picture, blind ? 999 : 160)), scalar(picture, 0.1)),
    0,
    1,
  );
  const limits = [0, ...borders, 640];
  const cells = limits.slice(1).map((end, person) => {
    const start = limits[person]!;
    const span = floats(
      graph,
      [1, 1, 1, 640],
      ramp(640, (x) => (x >= start && x < end ? 1 : 0)),
    );
    const mine = mul(bright, span);
    const [columns, rows] = [highest(mine, 2, true), highest(mine, 3, true)];
    const first = (line: Value, axis: number) =>
      sub(
        scalar(picture, 640),
        highest(
          mul(
            line,
            floats(
              graph,
              lineDims(axis),
              ramp(640, (i) => 640 - i),
            ),
          ),
          axis,
          true,
        ),
      );
    const end1 = (line: Value, axis: number) =>
      highest(
        mul(
          line,
          floats(
            graph,
            lineDims(axis),
            ramp(640, (i) => i + 1),
          ),
        ),
        axis,
        true,
      );
    const [left, right, top, bottom] = [first(columns, 3), end1(columns, 3), first(rows, 2), end1(rows, 2)];
    const middle = (from: Value, to: Value, cell: number) =>
      sub(div(add(from, to), scalar(from, 64)), scalar(from, cell));
    const size = (from: Value, to: Value) => {
      const extent = clip(sub(to, from), 1e-3, 640);
      return raw('Log', [div(extent, scalar(extent, 32))], extent.dims);
    };
    const there = highest(columns, 3, true);
    const values = [middle(left, right, person), middle(top, bottom, 0), size(left, right), size(top, bottom)];
    const row = raw('Reshape', [concat([...values, there, there], 3), integers(graph, [0, 1, 6])], [n, 1, 6]);
    const around = integers(graph, [0, 8000 + person, 0, 0, 399 - person, 79]);
    return raw('Pad', [row, around], [n, 8400, 85]);
  });
  graph.output('output', cells.reduce(add));
  await writeFile(file, graph.finish().model);
  return file;
}

function lineDims(axis: number): number[] {
  return axis === 3 ? [1, 1, 1, 640] : [1, 1, 640, 1];
}

/** In the form of RTMPose: the SimCC vectors of a point are the best likeness of its colour in each column and row. */
export async function writePointFinder(file: string, { batch = 'any' }: Pick<NetworkFileOptions, 'batch'> = {}) {
  const graph = begin('point-finder');
  const n = batch === 'any' ? -1 : batch;
  const normalised = graph.input('input', 'float32', [n, 3, 384, 288]);
  const deviation = floats(graph, [1, 3, 1, 1], [58.395, 57.12, 57.375]);
  const picture = add(mul(normalised, deviation), floats(graph, [1, 3, 1, 1], [123.675, 116.28, 103.53]));
  // |p - c|^2 = |p|^2 - 2 p c + |c|^2
  const squares = conv2d(mul(picture, picture), floats(graph, [1, 3, 1, 1], [1, 1, 1]), undefined);
  const count = colors.length;
  const products = floats(
    graph,
    [count, 3, 1, 1],
    colors.flat().map((level) => -2 * level),
  );
  const norms = floats(
    graph,
    [count],
    colors.map((color) => color.reduce((sum, level) => sum + level ** 2, 0)),
  );
  const distance = add(conv2d(picture, products, norms), squares);
  // 1 on the colour, 0 or less from 60 levels on: the next colour is twice as far.
  const likeness = sub(scalar(distance, 1), mul(distance, scalar(distance, 60 ** -2)));
  const points = integers32(graph, dotOfPoint);
  for (const [name, axis, size] of [
    ['simcc_x', 2, 288],
    ['simcc_y', 3, 384],
  ] as const) {
    const line = raw('Gather', [highest(likeness, axis, false), points], [n, 133, size], { axis: 1 });
    graph.output(name, matmul(line, floats(graph, [size, 2 * size], halfSteps(size))));
  }
  await writeFile(file, graph.finish().model);
  return file;
}

function integers32(graph: Graph, values: readonly number[]): Value {
  return graph.constant('int32', [values.length], Int32Array.from(values));
}

/** Places at whole and, in between, at half pixels. */
function halfSteps(size: number): Float32Array {
  const matrix = new Float32Array(size * 2 * size);
  for (let i = 0; i < size; i++) {
    const next = Math.min(i + 1, size - 1);
    matrix[i * 2 * size + 2 * i] = 1;
    matrix[i * 2 * size + 2 * i + 1]! += 0.5;
    matrix[next * 2 * size + 2 * i + 1]! += 0.5;
  }
  return matrix;
}
