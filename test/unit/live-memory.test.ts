import { expect, it } from 'vitest';
import { type LiveNode, peakLiveBytes } from '#dist/models/onnx/live-memory.js';

/** An operator that makes one value; values of the same size have the same shape unless one is said. */
const node = (inputs: string[], output: string, bytes: number, op = 'Conv', shape = `${bytes}`): LiveNode => ({
  op,
  inputs,
  outputs: [{ name: output, bytes, shape }],
  workspaceBytes: 0,
});

it('a chain keeps two neighbours', () => {
  const chain = [node(['in'], 'a', 10), node(['a'], 'b', 20), node(['b'], 'c', 5)];
  expect(peakLiveBytes(chain)).toBe(30);
});

it('a skip connection stays alive until it is used', () => {
  const nodes = [node(['in'], 'skip', 10), node(['skip'], 'a', 20), node(['a'], 'b', 21), node(['b', 'skip'], 'c', 1)];
  expect(peakLiveBytes(nodes)).toBe(51);
});

it('another shape of the same memory costs nothing and keeps it alive', () => {
  const nodes = [
    node(['in'], 'a', 10),
    node(['a'], 'view', 10, 'Reshape', 'other'),
    node(['in'], 'b', 7),
    node(['view', 'b'], 'c', 1),
  ];
  expect(peakLiveBytes(nodes)).toBe(18);
});

it('an operator that may writes over what nobody else needs', () => {
  expect(peakLiveBytes([node(['in'], 'a', 10), node(['a', 'w'], 'b', 10, 'Add')])).toBe(10);
  const needed = [node(['in'], 'a', 10), node(['a', 'w'], 'b', 10, 'Add'), node(['a', 'b'], 'c', 1)];
  expect(peakLiveBytes(needed)).toBe(21);
});

it('a shape that comes back is held in between, one of its own is not', () => {
  const nodes = (last: string) => [
    node(['in'], 'wide', 100, 'Conv', 'wide'),
    node(['wide'], 'a', 10),
    node(['a'], 'b', 60),
    node(['b'], 'c', 11),
    node(['c'], 'again', 100, 'Conv', last),
    node(['again'], 'out', 1),
  ];
  expect(peakLiveBytes(nodes('wide'))).toBe(171);
  expect(peakLiveBytes(nodes('other'))).toBe(111);
});

it('runs depth first, the input that was added last before the others', () => {
  // `late` is needed at the end only, but was added after `big`: it is computed first and waits.
  const nodes = [
    node(['in'], 'big', 100),
    node(['big'], 'small', 1),
    node(['in'], 'late', 50),
    node(['small', 'late'], 'out', 2),
  ];
  expect(peakLiveBytes(nodes)).toBe(151);
});

it('x sigmoid(x) is one operator, and its workspace counts while it runs', () => {
  const silu = [node(['in'], 'x', 10), node(['x'], 's', 10, 'Sigmoid'), node(['x', 's'], 'y', 10, 'Mul')];
  expect(peakLiveBytes(silu)).toBe(10);
  const attention = { ...node(['in'], 'y', 10), workspaceBytes: 30 };
  expect(peakLiveBytes([attention, node(['y'], 'z', 1)])).toBe(40);
});
