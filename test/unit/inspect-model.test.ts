import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelReportText } from '#dist/pipeline/cli/model-report-text.js';
import { inspectModel } from '#dist/pipeline/inspect-model.js';
import { start } from '../e2e/program.js';
import { fixture } from '../support/fixtures.js';
import { publishedShapes, writeSparse, writeSparseModel } from '../support/sparse-model.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-inspect-'));
  await writeSparseModel(join(folder, 'svd'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const right = { missing: [], unexpected: [], misshaped: [] };

it('full size: the parameters of table 5 of the paper, and every name and shape as built', async () => {
  const report = await inspectModel(join(folder, 'svd'));
  const sizes = report.networks.map(({ network, parameters, tensors, bytes }) => [network, parameters, tensors, bytes]);
  expect(sizes).toEqual([
    ['unet', 1_524_623_082, 1428, 3_049_246_164],
    ['controlnext', 3_526_400, 52, 7_052_800],
    ['vae', 97_742_847, 374, 195_485_694],
    ['image_encoder', 632_076_800, 520, 1_264_153_600],
  ]);
  expect(report.networks.map(({ mismatch }) => mismatch)).toEqual(Array(4).fill(right));
  expect(report).toMatchObject({ base: 1_524_623_082, withControl: 1_528_149_482, fits: true, overlay: undefined });
  expect(report.learnable).toBe(49_611_520 + 3_526_400);
  const text = modelReportText(report);
  expect(text).toMatch(/^UNet with control +1,528\.1 M$/m);
  expect(text).toMatch(/^UNet +1,524\.6 M +1,428 +3\.0 GB {2}float16, names and shapes as built$/m);
});

it('a UNet laid over all of it is all of it; without control there is none', async () => {
  const overlay = join(folder, 'unet.safetensors');
  await writeSparse(overlay, await publishedShapes('unet'), 'F32');
  const report = await inspectModel(join(folder, 'svd'), { overlay, controlnext: 'none' });
  expect(report.overlay).toMatchObject({ parameters: 1_524_623_082, tensors: 1428 });
  expect(report.networks[0]?.dtypes).toEqual({ float32: 1428 });
  expect(report.withControl).toBe(report.base);
});

it('the tiny and the embedded model, with the share of their overlays', async () => {
  const tiny = await inspectModel(fixture('model'));
  expect(tiny.fits).toBe(true);
  expect(tiny.overlay?.tensors).toBe(105);
  expect((await inspectModel(fixture('model'), { overlay: 'none' })).overlay).toBeUndefined();
  const embedded = await inspectModel('embedded');
  expect(embedded.fits).toBe(true);
  expect(embedded.total.parameters).toBeGreaterThan(10e6);
  // As docs/training.md has it: control module and overlay.
  expect(embedded.learnable).toBe(3_460_608 + 2_934_336);
});

it('what does not fit is listed, both ways, and the command says so by its exit code', async () => {
  const { 'conv_in.weight': _, ...shapes } = await publishedShapes('unet');
  const wrong = join(folder, 'wrong');
  await writeSparseModel(wrong);
  await writeSparse(join(wrong, 'unet/diffusion_pytorch_model.safetensors'), {
    ...{ ...shapes, 'conv_in.bias': [321], stray: [7] },
  });
  const report = await inspectModel(wrong);
  expect(report.fits).toBe(false);
  expect(report.networks[0]?.mismatch).toEqual({
    missing: ['conv_in.weight'],
    unexpected: ['stray'],
    misshaped: ['conv_in.bias is [321], not [320]'],
  });
  const text = modelReportText(report);
  expect(text).toContain('1 missing, 1 unexpected, 1 of another shape');
  expect(text).toContain('UNet: unexpected stray');
  const told = await start(['models', 'inspect', wrong, '--json']).ended;
  expect(told.code).toBe(4);
  expect(JSON.parse(told.stdout.split('\n')[0] as string)).toMatchObject({ type: 'models.inspect', fits: false });
});
