import { expect, it } from 'vitest';
import type { Target } from '#dist/models/onnx/built-graph.js';
import { Graph } from '#dist/models/onnx/graph.js';
import * as op from '#dist/models/onnx/ops.js';
import { createEngine, type Provider } from '#dist/models/runtime/engine.js';
import { tryProvider } from '#dist/models/runtime/try-provider.js';
import { floatTensor, sizeOf } from '#dist/models/tensor.js';
import { relativeL2 } from '../support/run-graph.js';
import { someFloats } from '../support/tensors.js';

/*
 * A device through the same engine as everything else: what the networks are made of, with no way back to the CPU. Runs where
 * a Vulkan, Metal or Direct3D device is there; docs/gpu.md says how to have one in software.
 */

const shapes = {
  ...{ x: [1, 8, 8, 8], kernel: [8, 8, 3, 3], bias: [8], scale: [8], shift: [8], weight: [16, 8] },
} as const;
const inputs = Object.fromEntries(
  Object.entries(shapes).map(([name, dims], i) => [name, floatTensor(dims, someFloats(sizeOf(dims), i + 1))]),
);

/** Convolution, layer norm, attention, SiLU, linear layer. */
function blocks(target: Target) {
  const graph = new Graph({ name: 'blocks', residency: 'fast', target });
  const [x, kernel, bias, scale, shift, weight] = Object.entries(shapes).map(([name, dims]) =>
    graph.input(name, 'float32', dims),
  );
  const y = op.conv2d(x!, kernel!, bias!, { pads: [1, 1, 1, 1] });
  const tokens = op.layerNorm(op.transpose(op.reshape(y, [1, 8, 64]), [0, 2, 1]), scale!, shift!, 1e-5);
  const mixed = op.silu(op.attention(tokens, tokens, tokens, 2));
  graph.output('tokens', tokens);
  graph.output('out', op.matmulTransposed(mixed, weight!));
  return graph.finish();
}

async function run(provider: Provider) {
  await using engine = await createEngine({ provider, threads: 1 });
  const session = await engine.load(blocks(provider), { forbidCpuFallback: provider !== 'cpu' });
  return await engine.run(session, inputs);
}

it('WebGPU computes what the CPU computes', async (context) => {
  const webgpu = await tryProvider('webgpu');
  if (!webgpu.available) return context.skip(`no WebGPU device: ${webgpu.why}`);
  const [device, cpu] = [await run('webgpu'), await run('cpu')];
  for (const name of ['tokens', 'out']) {
    expect(device[name]!.dims).toEqual(cpu[name]!.dims);
    expect(relativeL2(device[name]!.data as Float32Array, cpu[name]!.data as Float32Array)).toBeLessThan(1e-5);
  }
});
