import { createEngine } from '#dist/models/runtime/engine.js';
import type { Bench, Part } from '../bench.js';
import { openEmbedded } from '../embedded.js';
import { loadRun } from '../load-run.js';
import { middleSizes, type StepModel, writeMiddleModel } from '../middle-model.js';
import { convolutions, matrixProducts } from '../peaks.js';
import { percent, ratios } from '../spread.js';
import { controlGraph, stepGraph } from '../step-graphs.js';
import { takeTurns } from '../take-turns.js';
import { wideBlockGraph } from '../wide-block.js';
import { gigaflops, speeds } from '../work.js';

/** One denoising step of one window: its speed, UNet and control module apart, and what control and guidance cost. */
export const step: Part = {
  name: 'step',
  seconds: [120, 360],
  async run(bench) {
    await wideBlock(bench);
    await measureStep(bench, (await openEmbedded()).model);
    for (const size of middleSizes.slice(0, bench.quick ? 1 : undefined)) {
      const { model, parameters } = await writeMiddleModel(bench.folder, size);
      bench.figure(`${size} UNet`, 'M parameters', parameters / 1e6);
      await measureStep(bench, model);
    }
  },
};

async function wideBlock({ figure, folder, rounds, threads }: Bench): Promise<void> {
  await using engine = await createEngine({ provider: 'cpu', threads });
  const [matrix, convolution, block] = [
    await loadRun(engine, matrixProducts()),
    await loadRun(engine, convolutions()),
    await loadRun(engine, await wideBlockGraph(folder)),
  ];
  const times = await takeTurns({ matrix: matrix.run, convolution: convolution.run, block: block.run }, rounds);
  const speed = {
    matrix: speeds(times.matrix, gigaflops(matrix.graph)),
    convolution: speeds(times.convolution, gigaflops(convolution.graph)),
    block: speeds(times.block, gigaflops(block.graph)),
  };
  figure('matrix product', 'GFLOP/s', speed.matrix, 'float32, 2048 x 2048, constant weight: the peak below');
  figure('3x3 convolution', 'GFLOP/s', speed.convolution, 'float32, 320 channels, 32x32, 16 pictures');
  figure('320-channel layer', 's', times.block, `${Math.round(gigaflops(block.graph))} GFLOP`);
  figure('320-channel layer', 'GFLOP/s', speed.block);
  figure('320-channel layer, share of the peak', '%', percent(ratios(speed.block, speed.matrix)));
}

async function measureStep({ figure, rounds, threads }: Bench, model: StepModel): Promise<void> {
  await using engine = await createEngine({ provider: 'cpu', threads });
  const graphs = {
    step: stepGraph(model, { control: 'computed', guidance: true }),
    given: stepGraph(model, { control: 'given', guidance: true }),
    plain: stepGraph(model, { control: 'none', guidance: true }),
    unguided: stepGraph(model, { control: 'given', guidance: false }),
    control: controlGraph(model),
  };
  const peak = await loadRun(engine, matrixProducts());
  const [whole, given, plain, unguided, control] = await Promise.all([
    loadRun(engine, graphs.step),
    loadRun(engine, graphs.given),
    loadRun(engine, graphs.plain),
    loadRun(engine, graphs.unguided),
    loadRun(engine, graphs.control),
  ]);
  const times = await takeTurns(
    {
      peak: peak.run,
      ...{ step: whole.run, given: given.run, plain: plain.run, unguided: unguided.run, control: control.run },
    },
    rounds,
  );
  const peakSpeed = speeds(times.peak, gigaflops(peak.graph));
  const { frames, width, height, name } = model;
  const at = `${frames} frames of ${width}x${height}, guidance`;
  figure(`${name} step with control`, 's', times.step, `${at}, ${Math.round(gigaflops(graphs.step))} GFLOP`);
  for (const [what, key] of [
    ['step with control', 'step'],
    ['UNet alone', 'plain'],
    ['control module alone', 'control'],
  ] as const) {
    const speed = speeds(times[key], gigaflops(graphs[key]));
    figure(`${name} ${what}`, 'GFLOP/s', speed, `${Math.round(gigaflops(graphs[key]))} GFLOP`);
    figure(`${name} ${what}, share of the peak`, '%', percent(ratios(speed, peakSpeed)));
  }
  const more = (a: readonly number[]) => percent(ratios(a, times.plain).map((ratio) => ratio - 1));
  figure(`${name} control in the step`, '% more', more(times.step), 'than a step without control');
  figure(`${name} control given as features`, '% more', more(times.given), 'where features are computed once a frame');
  figure(`${name} guidance`, 'times', ratios(times.given, times.unguided), 'guided / unguided, features given');
}
