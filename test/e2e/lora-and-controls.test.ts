import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AnimateInput, ProgressEvent } from '#dist/pipeline/index.js';
import { animate, inspect } from '#dist/pipeline/index.js';
import { fixture, openTinyModel } from '../support/fixtures.js';
import { writeMerged, writeRandomLora } from '../support/loras.js';
import { relativeL2 } from '../support/run-graph.js';
import { someFloats } from '../support/tensors.js';
import { latentsOf, makeFolder, pantomime, readJson, removeFolder, small, words } from './program.js';

const frames = 3;
let folder: string;
/** Random numbers: what is drawn does not matter here. */
let clip: string;
let depth: string;
let common: AnimateInput;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await makeFolder();
  [clip, depth] = [await pictures('clip', 1), await pictures('depth', 100)];
  common = { ...small, controlVideo: clip, steps: 2 };
});
afterAll(() => removeFolder(folder));

async function pictures(name: string, seed: number, count = frames): Promise<string> {
  await mkdir(at(name));
  for (let i = 0; i < count; i++) {
    const data = Uint8Array.from(someFloats(64 * 64 * 3, seed + i), (value) => 128 + 127 * value);
    await sharp(data, { raw: { width: 64, height: 64, channels: 3 } }).toFile(at(name, `${i}.png`));
  }
  return at(name);
}

async function run(name: string, options: AnimateInput, context: Parameters<typeof animate>[1] = {}) {
  await animate({ ...common, output: at(name), ...options }, context);
  return (await latentsOf(at(name))).data;
}

const network = fixture('model/controlnext.safetensors');
const withDepth = (control: string): AnimateInput => {
  return { control: [`depth=${network}${control}`], controlPictures: [`depth=${depth}`] };
};

test('a control of scale 0 is no control, to the bit; another one has an effect and is told of', async () => {
  const alone = await run('alone', {});
  expect(await run('silent', withDepth(':0'))).toEqual(alone);
  const both = await run('both', withDepth(':2@0-0.5'));
  expect(relativeL2(both, alone)).toBeGreaterThan(1e-3);

  const record = await readJson(at('both', 'run.json'));
  expect(record).toMatchObject({
    options: { control: [`depth=${network}:2@0-0.5`], controlPictures: [`depth=${depth}`] },
    controls: [
      { name: 'pose', scale: 1, steps: { count: 2 } },
      { name: 'depth', scale: 2, start: 0, end: 0.5, file: network, pictures: depth, steps: { count: 1, last: 0 } },
    ],
    pictures: [{ name: 'depth', path: depth }],
  });
  // The record is a config file that repeats the run.
  const again = await pantomime('plan', '--config', at('both', 'run.json'), '--json');
  expect(again.code, again.stderr).toBe(0);
  expect((JSON.parse(again.stdout) as { controls: unknown }).controls).toEqual(record.controls);
});

test('LoRA and control together are merged weights and control', async () => {
  const model = await openTinyModel();
  const deltas = [
    await writeRandomLora(at('a.safetensors'), model.overlaidUnet, { layout: 'kohya', rank: 2, alpha: 1, seed: 1 }),
    await writeRandomLora(at('b.safetensors'), model.overlaidUnet, { layout: 'processor', rank: 3, seed: 2 }),
  ] as const;
  const changes = [
    [deltas[0], 0.5],
    [deltas[1], -0.25],
  ] as const;
  await writeMerged(at('merged.safetensors'), model.overlaidUnet, changes);
  // At 64x64 the deepest level is one pixel, and its group norms divide by next to nothing: rounding would be all there is.
  const options = { ...withDepth(':0.5'), height: 128, steps: 1 };
  const merged = await run('merged', { ...options, overlay: at('merged.safetensors') });
  const lora = [`${at('a.safetensors')}:0.5`, `${at('b.safetensors')}:-0.25`, `${at('a.safetensors')}:0`];
  expect(relativeL2(await run('lora', { ...options, lora }), merged)).toBeLessThan(1e-4);
  expect(relativeL2(await run('without', options), merged)).toBeGreaterThan(1e-2);
  const loras = [
    { file: at('a.safetensors'), scale: 0.5, ranks: [2, 2] },
    { file: at('b.safetensors'), scale: -0.25, ranks: [3, 3] },
  ];
  const record = await readJson(at('lora', 'run.json'));
  expect(record).toMatchObject({ options: { lora }, loras });
  expect(record.loras).toHaveLength(2);

  const plan = await inspect({ ...common, ...options, lora });
  expect(plan.loras).toMatchObject(loras);
  const without = await inspect({ ...common, ...options });
  expect(plan.cost.multiplyAdds).toBeGreaterThan(without.cost.multiplyAdds);
  expect(plan.cost.weightBytes).toBeGreaterThan(without.cost.weightBytes);
});

test('an interrupted run goes on only with the same LoRAs, controls and guidance; other stages are kept', async () => {
  const lora = [`${at('a.safetensors')}:0.1`];
  const options: AnimateInput = { ...withDepth(':2'), lora };
  /** Runs until the first step is saved, or to the end; tells how denoising began and whether the picture was encoded before. */
  const attempt = async (changes: AnimateInput, toTheEnd = false) => {
    const abort = new AbortController();
    const begun = new Map<string, { readonly title: string; readonly reused?: boolean }>();
    const onEvent = (event: ProgressEvent) => {
      if (event.type === 'stage.start') begun.set(event.stage, event);
      if (event.type === 'stage.progress' && event.stage === 'denoise' && !toTheEnd) abort.abort();
    };
    const running = run('stopped', { ...options, ...changes }, { signal: abort.signal, onEvent });
    if (toTheEnd) await running;
    else await expect(running).rejects.toThrow();
    return [begun.get('denoise')?.title, begun.get('encode-reference')?.reused];
  };
  expect(await attempt({})).toEqual(['denoising', false]);
  expect(await attempt({ lora: [`${at('a.safetensors')}:0.2`] })).toEqual(['denoising', true]);
  expect(await attempt(withDepth(':2@0-0.5'))).toEqual(['denoising', true]);
  expect(await attempt({ guidanceInterval: '..100' })).toEqual(['denoising', true]);
  expect(await attempt({}, true)).toEqual(['denoising, on from step 1', true]);
});

test('the plan shows both, and faults are told before anything runs', async () => {
  const plan = await pantomime(
    ...['plan', ...words({ ...small, controlVideo: clip, steps: 4 }), '--lora', `${at('a.safetensors')}:0.5`],
    ...['--control', 'pose=auto:0.8@0-0.5', '--control', `depth=${network}`, '--control-pictures', `depth=${depth}`],
  );
  expect(plan.code, plan.stderr).toBe(0);
  expect(plan.stdout).toMatch(/^lora +\S+a\.safetensors at 0\.5 \(\d+ layers, rank 2\)$/m);
  expect(plan.stdout).toMatch(/^control +pose at 0\.8, steps 1 to 2 of 4 \(\S+\)$/m);
  expect(plan.stdout).toMatch(/^control +depth at 1, sees \S+depth \(\S+\)$/m);

  const fail = (options: AnimateInput) => inspect({ ...common, ...options }).catch((error: unknown) => error);
  expect(await fail({ lora: [network] })).toMatchObject({ code: 'lora.unknown' });
  expect(await fail({ lora: [at('nowhere')] })).toMatchObject({ code: 'safetensors.unreadable' });
  expect(await fail({ control: ['pose=auto'], controlnext: 'none' })).toMatchObject({ code: 'model.no-control' });
  expect(await fail({ control: [`pose=${at('a.safetensors')}`] })).toMatchObject({ code: 'model.mismatch' });
});

test('a guidance interval is planned as what it costs, and told of', async () => {
  const options: AnimateInput = { ...common, preset: 'fast', steps: 10, splitGuidance: 'off' };
  const cost = async (changes: AnimateInput) => (await inspect({ ...options, ...changes })).cost;
  const [guided, unguided, interval] = [
    await cost({ guidanceInterval: '..1000' }),
    await cost({ guidanceScale: 1 }),
    await cost({}),
  ];
  // 4.248, 1.789, 0.981 and 0.403 lie in 0.28..5.42: four of ten steps run two branches.
  const four = unguided.multiplyAdds + 0.4 * (guided.multiplyAdds - unguided.multiplyAdds);
  expect(interval.multiplyAdds / four).toBeCloseTo(1, 9);
  expect(interval.memoryBytes).toBe(guided.memoryBytes);
  // On a CPU the control is computed beside the denoiser, once for both branches: one graph for all steps costs nothing more
  // but what of the time embedding was shared.
  const split = await cost({ splitGuidance: 'auto' });
  expect(split.multiplyAdds / interval.multiplyAdds).toBeCloseTo(1, 3);
  expect(split.memoryBytes).toBe(unguided.memoryBytes);

  const plan = (...more: string[]) => pantomime('plan', ...words({ ...small, controlVideo: clip }), ...more);
  const { stdout } = await plan('--preset', 'fast', '--steps', '10');
  expect(stdout).toMatch(/^sampling +10 steps \(ays\), guidance 3 in steps 5 to 8, seed 7$/m);
  const none = await plan('--steps', '10', '--guidance-interval', '900..1000');
  expect(none.stdout).toMatch(
    /guidance off, .*\n(.*\n)*note: guidance is off: no noise level .* lies in 900\.\.1000$/m,
  );
});

test('too few control pictures', async () => {
  const few = await pictures('few', 200, 2);
  const error = await run('few-run', { ...withDepth(':1'), controlPictures: [`depth=${few}`] }).catch(
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ code: 'control.too-few', details: { got: '2', expected: '3' } });
});
