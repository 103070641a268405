import { expect, it } from 'vitest';
import { type LiveNode, peakLiveBytes } from '#dist/models/onnx/live-memory.js';

const node = (inputs: string[], output: string, bytes: number, alias = false): LiveNode => ({
  inputs,
  outputs: [{ name: output, bytes }],
  alias,
});

it('a chain keeps two neighbours', () => {
  const chain = [node(['in'], 'a', 10), node(['a'], 'b', 20), node(['b'], 'c', 5)];
  expect(peakLiveBytes(chain)).toBe(30);
});

it('a skip connection stays alive until it is used', () => {
  const nodes = [node(['in'], 'skip', 10), node(['skip'], 'a', 20), node(['a'], 'b', 20), node(['b', 'skip'], 'c', 1)];
  expect(peakLiveBytes(nodes)).toBe(50);
});

it('another shape of the same memory costs nothing and keeps it alive', () => {
  const nodes = [
    node(['in'], 'a', 10),
    node(['a'], 'view', 10, true),
    node(['in'], 'b', 7),
    node(['view', 'b'], 'c', 1),
  ];
  expect(peakLiveBytes(nodes)).toBe(18);
});
