import { expect, it } from 'vitest';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { createEngine, type Engine, type SessionId } from '#dist/models/runtime/engine.js';
import { byteTensor, type FloatTensor, floatTensor } from '#dist/models/tensor.js';
import { gatherFrames } from '#dist/stages/denoise/sample.js';
import { contextWindows } from '#dist/stages/denoise/windows.js';
import { openGraph, relativeL2 } from '../support/run-graph.js';
import { sampleTiny, tinyBench, tinyJob, tinyPictures, tinyStart } from '../support/tiny-sampling.js';

/** Rounding alone: the same sums over other blocks of rows. */
const rounding = 2e-6;

const tiny = tinyBench();

/** The engine, and the control pictures of every call of each graph. */
function watched(own: Engine = tiny.engine) {
  const names = new Map<SessionId, string>();
  const calls: { readonly graph: string | undefined; readonly rows: readonly number[] | undefined }[] = [];
  const watching: Engine = {
    ...own,
    load: async (graph, options) => {
      const session = await own.load(graph, options);
      names.set(session, graph.name);
      return session;
    },
    run: (session, inputs, options) => {
      const { control } = inputs;
      calls.push({ graph: names.get(session), rows: control && 'ref' in control ? control.rows : undefined });
      return own.run(session, inputs, options);
    },
  };
  return {
    engine: watching,
    rowsOf: (graph: string) => calls.filter((call) => call.graph === graph).map(({ rows }) => rows),
  };
}

function picturesOf(frames: readonly number[]) {
  const { dims, data } = tinyPictures();
  const size = data.length / (dims[0] as number);
  const rows = frames.flatMap((frame) => [...data.subarray(frame * size, (frame + 1) * size)]);
  return byteTensor([frames.length, ...dims.slice(1)], Uint8Array.from(rows));
}

it('a frame is read by the control once a step, whatever windows see it, and the result is that of one graph', async () => {
  const { engine: own, rowsOf } = watched();
  const { predictions, latents } = await sampleTiny(own, tiny.model, {});
  // Two steps, two windows of four frames; the first slot of the second window sees frame 0.
  expect(rowsOf('controlnext')).toEqual([
    [0, 1, 2, 3],
    [4, 4, 4, 4],
    [0, 1, 2, 3],
    [4, 4, 4, 4],
  ]);
  expect(rowsOf('unet-step')).toHaveLength(4);
  expect(latents.every(Number.isFinite)).toBe(true);

  const job = tinyJob(tiny.model);
  const windows = contextWindows(5, { ...job.windows, phase: 0 });
  const graph = buildUnetStep({
    ...{ ...job, controls: [{ name: 'pose', network: tiny.model.controlnext }], frames: 4 },
    ...{ windows: 1, guidance: true, target: 'cpu' },
  });
  await using whole = await openGraph(graph);
  const expected: number[] = [];
  const start = tinyStart(job);
  for (const { frames, poses } of windows) {
    const { prediction } = await whole.run({
      ...{ latents: gatherFrames(start, frames), control: picturesOf(poses) },
      sigma: floatTensor([1], Float32Array.of(job.schedule.sigmas[0] as number)),
      timestep: floatTensor([1], Float32Array.of(job.schedule.timesteps[0] as number)),
      ...{ image_latents: job.conditioning.imageLatents, image_embeds: job.conditioning.imageEmbeds },
      added_time_ids: floatTensor([3], Float32Array.from(job.addedTimeIds)),
      control_scale: floatTensor([1], Float32Array.of(0.8)),
      guidance: floatTensor([4], Float32Array.of(1, 1 + 2 / 3, 1 + 4 / 3, 3)),
    });
    expected.push(...(prediction as FloatTensor).data);
  }
  expect(relativeL2(predictions, expected)).toBeLessThan(rounding);
});

it('features are kept no longer than windows of the step need them', async () => {
  const kept = new Set<number>();
  let most = 0;
  const counting: Engine = {
    ...tiny.engine,
    run: (session, inputs, options) => {
      for (const row of options?.keep?.features?.rows ?? []) kept.add(row);
      most = Math.max(most, kept.size);
      return tiny.engine.run(session, inputs, options);
    },
    forget: (name, rows) => {
      for (const row of rows ?? []) kept.delete(row);
      return tiny.engine.forget(name, rows);
    },
  };
  const count = 40;
  const windows = { ...tinyJob(tiny.model).windows, chunk: 4, overlap: 1 };
  await sampleTiny(counting, tiny.model, { windows }, count);
  expect(kept.size).toBe(0);
  // Two windows and what fills a batch, of forty frames.
  expect(most).toBeLessThanOrEqual(12);
});

it('windows in one call give what they give one by one, also where the last call has fewer', async () => {
  const alone = await sampleTiny(tiny.engine, tiny.model, {}, 8);
  for (const [windowsTogether, changes] of [
    [2, {}],
    [3, {}],
    [2, { splitGuidance: true }],
    [2, { guidance: { min: 1, max: 3, index: 'global' } }],
  ] as const) {
    const other = await sampleTiny(tiny.engine, tiny.model, { ...changes, windowsTogether }, 8);
    const one = 'guidance' in changes ? await sampleTiny(tiny.engine, tiny.model, changes, 8) : alone;
    expect(relativeL2(other.predictions, one.predictions), `${windowsTogether}`).toBeLessThan(rounding);
    expect(relativeL2(other.latents, one.latents), `${windowsTogether}`).toBeLessThan(1e-4);
  }
});

it('two engines take the windows in turns, and give the same to the bit', async () => {
  await using second = await createEngine({ provider: 'cpu', threads: 1 });
  const [a, b] = [watched(), watched(second)];
  const alone = await sampleTiny(tiny.engine, tiny.model, {}, 11);
  const shared = await sampleTiny([a.engine, b.engine], tiny.model, {}, 11);
  expect(shared.latents).toEqual(alone.latents);
  expect(shared.predictions).toEqual(alone.predictions);
  const runs = [a, b].map(({ rowsOf }) => rowsOf('unet-step').length);
  expect(runs).toEqual([4, 4]);
});
