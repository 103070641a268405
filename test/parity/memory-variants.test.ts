import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { openTinyModel, type TinyModel } from '../support/fixtures.js';
import { relativeL2 } from '../support/run-graph.js';
import { sampleTiny } from '../support/tiny-sampling.js';

/** Rounding alone: the same sums over other blocks of rows. */
const rounding = 2e-6;

let model: TinyModel;
let engine: Engine;
beforeAll(async () => {
  model = await openTinyModel();
  engine = await createEngine({ provider: 'cpu', threads: 1 });
});
afterAll(() => engine[Symbol.asyncDispose]());

it('guidance one branch after the other, and feed-forward in parts, give the same', async () => {
  const joined = await sampleTiny(engine, model, {});
  for (const changes of [
    { splitGuidance: true },
    { feedForwardParts: 3 },
    { splitGuidance: true, feedForwardParts: 64 },
  ]) {
    const other = await sampleTiny(engine, model, changes);
    expect(relativeL2(other.predictions, joined.predictions), JSON.stringify(changes)).toBeLessThan(rounding);
    // From 700 to 0 in two steps: what differs in the last bits of a prediction differs more in the latents.
    expect(relativeL2(other.latents, joined.latents), JSON.stringify(changes)).toBeLessThan(1e-4);
  }
});

it('each of them needs less memory', () => {
  const peak = (guidance: boolean, feedForwardParts: number) =>
    buildUnetStep({
      ...{ unet: model.overlaidUnet, unetConfig: model.unetConfig, frames: 24 },
      ...{ height: 512, width: 512, guidance, feedForwardParts, residency: 'fast', target: 'cpu' },
    }).peakActivationBytes;
  expect(peak(false, 1)).toBeLessThan(0.6 * peak(true, 1));
  expect(peak(false, 8)).toBeLessThan(peak(false, 1));
});
