import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { createEngine } from '#dist/models/runtime/engine.js';
import type { Tensor } from '#dist/models/tensor.js';
import type { Bench, Part } from '../bench.js';
import { loadRun, madeUpInputs } from '../load-run.js';
import { type MiddleSize, middleSizes, writeMiddleModel } from '../middle-model.js';
import { matrixProducts } from '../peaks.js';
import { type PeerTask, startPeer } from '../peer-process.js';
import { ratios } from '../spread.js';
import { controlGraph, stepGraph } from '../step-graphs.js';
import { takeTurns } from '../take-turns.js';
import { gigaflops, speeds } from '../work.js';

/** Largest distance between the two predictions, relative to their size: both are float32. */
const tolerance = 1e-4;

/** PyTorch (eager) running the published step on the same weights and inputs, in turns with ours. */
export const peer: Part = {
  name: 'peer',
  seconds: [90, 500],
  async run(bench) {
    if (!bench.python) throw new Error('the peer needs --python PATH (see test/bench/peer/peer.py)');
    for (const size of middleSizes.slice(0, bench.quick ? 1 : undefined)) await compare(bench, bench.python, size);
  },
};

async function compare(bench: Bench, python: string, size: MiddleSize): Promise<void> {
  const { figure, rounds, threads, allocator } = bench;
  const { model, config, files } = await writeMiddleModel(bench.folder, size);
  await using engine = await createEngine({ provider: 'cpu', threads });
  const graphs = {
    step: stepGraph(model, { control: 'computed', guidance: true }),
    plain: stepGraph(model, { control: 'none', guidance: true }),
    control: controlGraph(model),
  };
  const [matrix, step, plain, control] = [
    await loadRun(engine, matrixProducts()),
    await loadRun(engine, graphs.step),
    await loadRun(engine, graphs.plain),
    await loadRun(engine, graphs.control),
  ];
  const { prediction } = await step.run();
  const folder = dirname(files.unet);
  await writeFile(join(folder, 'unet.json'), JSON.stringify(config));
  await writeInputs(join(folder, 'inputs.safetensors'), {
    ...madeUpInputs(graphs.step.inputs),
    prediction: prediction as Tensor,
  });
  await using theirs = await startPeer(python, folder, threads, undefined);
  await using tuned = allocator ? await startPeer(python, folder, threads, allocator) : undefined;
  const { torch, relativeL2, maxDifference, largest } = theirs.greeting;
  if (!(relativeL2 <= tolerance)) {
    throw new Error(`the peer's prediction is ${relativeL2} (relative) from ours: nothing to compare the time of`);
  }
  figure(`${size} distance of the predictions`, 'largest', maxDifference, `of ${largest.toFixed(2)}; PyTorch ${torch}`);

  const names: readonly PeerTask[] = ['matrix', 'step', 'plain', 'control'];
  const ours = { matrix, step, plain, control };
  const times = await takeTurns(
    Object.fromEntries(
      names.flatMap((name) => [
        [`our ${name}`, ours[name].run],
        [`their ${name}`, () => theirs.run(name)],
        ...(tuned ? [[`tuned ${name}`, () => tuned.run(name)] as const] : []),
      ]),
    ),
    rounds,
  );
  const of = (name: string) => times[name] ?? [];
  figure(`${size} matrix product, ours`, 'GFLOP/s', speeds(of('our matrix'), gigaflops(matrix.graph)));
  figure(`${size} matrix product, PyTorch`, 'GFLOP/s', speeds(of('their matrix'), gigaflops(matrix.graph)));
  const what = { step: 'CFG step with control', plain: 'UNet alone', control: 'control module alone' } as const;
  for (const name of ['step', 'plain', 'control'] as const) {
    figure(`${size} ${what[name]}, ours`, 's', of(`our ${name}`));
    figure(`${size} ${what[name]}, PyTorch`, 's', of(`their ${name}`));
    figure(`${size} ${what[name]}`, 'times faster', ratios(of(`their ${name}`), of(`our ${name}`)));
    if (!tuned) continue;
    figure(`${size} ${what[name]}, PyTorch with the allocator`, 's', of(`tuned ${name}`));
    figure(`${size} ${what[name]}, than it`, 'times faster', ratios(of(`tuned ${name}`), of(`our ${name}`)));
  }
}

function writeInputs(path: string, tensors: Readonly<Record<string, Tensor>>): Promise<void> {
  const entries = Object.entries(tensors).map(([name, { dtype, dims, data }]) => ({
    ...{ name, dtype, shape: dims, data },
  }));
  return writeSafetensors(path, entries);
}
