import { expect, it } from 'vitest';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import type { Engine, SessionId } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import type { SamplingJob } from '#dist/pipeline/sampling-job.js';
import { relativeL2 } from '../support/run-graph.js';
import { sampleTiny, tinyBench } from '../support/tiny-sampling.js';

const tiny = tinyBench();

/** 700, 11.3, 1.79, 0.264 */
const schedule = makeSchedule('ays', 4);
const scale = { min: 1.5, max: 3, index: 'local' } as const;
const off = { min: 1, max: 1, index: 'local' } as const;
const within = (low: number, high: number): SamplingJob['guidance'] => ({ ...scale, interval: { low, high } });

/** A run, with what it loaded and how often each of it was run. */
async function sampled(guidance: SamplingJob['guidance'], changes: Partial<SamplingJob> = {}) {
  const loaded: { readonly session: SessionId; readonly guided: boolean; runs: number }[] = [];
  const counting: Engine = {
    ...tiny.engine,
    load: async (graph, options) => {
      const session = await tiny.engine.load(graph, options);
      if (graph.name === 'unet-step') loaded.push({ session, guided: hasGuidance(graph), runs: 0 });
      return session;
    },
    run: (session, ...given) => {
      for (const one of loaded) if (one.session === session) one.runs += 1;
      return tiny.engine.run(session, ...given);
    },
  };
  const made = await sampleTiny(counting, tiny.model, { schedule, guidance, ...changes });
  return { ...made, loaded: loaded.map(({ guided, runs }) => ({ guided, runs })) };
}

const hasGuidance = ({ inputs }: BuiltGraph) => inputs.some(({ name }) => name === 'guidance');

it('an interval of all levels is plain guidance, and one of none is guidance 1, to the bit', async () => {
  const [plain, all] = [await sampled(scale), await sampled(within(0, 700))];
  expect(all.latents).toEqual(plain.latents);
  expect(all.loaded).toEqual([{ guided: true, runs: 8 }]);
  const none = await sampled(within(20, 600));
  expect(none.latents).toEqual((await sampled(off)).latents);
  expect(none.loaded).toEqual([{ guided: false, runs: 8 }]);
  expect(relativeL2(none.latents, plain.latents)).toBeGreaterThan(0.01);
});

it('steps outside run one branch, by a graph that takes the place of the other, or by the same when split', async () => {
  const [alone, some] = [await sampled(off), await sampled(within(0.3, 20))];
  expect(some.loaded).toEqual([
    { guided: false, runs: 2 },
    { guided: true, runs: 4 },
    { guided: false, runs: 2 },
  ]);
  expect(some.steps[0]).toEqual(alone.steps[0]);
  expect(relativeL2(some.steps[1]!, alone.steps[1]!)).toBeGreaterThan(1e-3);

  const split = await sampled(within(0.3, 20), { splitGuidance: true });
  expect(split.loaded).toEqual([{ guided: false, runs: 12 }]);
  expect(split.steps[0]).toEqual(some.steps[0]);
  // At 64x64 the deepest level is one pixel, where rounding grows from step to step.
  expect(relativeL2(split.steps[1]!, some.steps[1]!)).toBeLessThan(1e-4);
});
