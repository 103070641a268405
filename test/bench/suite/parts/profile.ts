import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { createEngine } from '#dist/models/runtime/engine.js';
import type { Bench, Part } from '../bench.js';
import { openEmbedded } from '../embedded.js';
import { loadRun } from '../load-run.js';
import { middleSizes, writeMiddleModel } from '../middle-model.js';
import { type OperatorCost, operatorCosts, type TraceEvent } from '../operator-costs.js';
import { controlGraph, stepGraph } from '../step-graphs.js';
import { wideBlockGraph } from '../wide-block.js';

const runs = 4;
/** Rows of the table of shapes. */
const mostShapes = 25;

/** Which operators take the time of a step, UNet and control module apart. */
export const profile: Part = {
  name: 'profile',
  seconds: [60, 200],
  async run(bench) {
    const alone = { control: 'none', guidance: true } as const;
    const { model: embedded } = await openEmbedded();
    await profileGraph(bench, 'embedded UNet', stepGraph(embedded, alone));
    for (const size of middleSizes.slice(0, bench.quick ? 1 : undefined)) {
      const { model } = await writeMiddleModel(bench.folder, size);
      await profileGraph(bench, `${size} UNet`, stepGraph(model, alone));
      if (size === middleSizes[0])
        await profileGraph(bench, 'control module, 8 pictures of 256x256', controlGraph(model));
    }
    await profileGraph(bench, '320-channel layer', await wideBlockGraph(bench.folder));
  },
};

async function profileGraph(bench: Bench, what: string, graph: BuiltGraph): Promise<void> {
  const events = await trace(bench, graph);
  const all = operatorCosts(events, { shapes: false });
  const total = all.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  bench.figure(`${what}, operators together`, 'ms', total);
  const row = ({ operator, shapes, count, milliseconds, gigaflops }: OperatorCost) => [
    operator,
    ...(shapes ? [shapes] : []),
    Math.round(count),
    milliseconds,
    (milliseconds / total) * 100,
    gigaflops > 0 ? (gigaflops / milliseconds) * 1000 : '',
  ];
  const columns = ['times', 'ms', '% of all', 'GFLOP/s'];
  const shown = all.filter(({ milliseconds }) => milliseconds >= total * 0.002);
  bench.table({ title: `${what}: operators of one run`, columns: ['operator', ...columns], rows: shown.map(row) });
  bench.table({
    title: `${what}: the ${mostShapes} dearest shapes`,
    columns: ['operator', 'shapes', ...columns],
    rows: operatorCosts(events, { shapes: true }).slice(0, mostShapes).map(row),
  });
}

/** Runs a graph a few times under the runtime's profiler. */
async function trace({ folder, threads }: Bench, graph: BuiltGraph): Promise<TraceEvent[]> {
  await using engine = await createEngine({ provider: 'cpu', threads });
  const loaded = await loadRun(engine, graph, { profilePrefix: join(folder, 'profile') });
  for (let i = 0; i < runs; i++) await loaded.run();
  await loaded.release();
  const name = (await readdir(folder)).find((file) => file.startsWith('profile'));
  if (!name) throw new Error('the runtime wrote no profile');
  const file = join(folder, name);
  const events = JSON.parse(await readFile(file, 'utf8')) as TraceEvent[];
  await rm(file);
  return events;
}
