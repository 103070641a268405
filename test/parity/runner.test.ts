import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';

/*
 * The parity command itself on whole recorded runs of the published pipeline: one window with guidance, three windows with
 * a guidance ramp, three windows without guidance; and on one of the embedded model, of another depth, sampled in PyTorch by
 * models/embedded/training/record_runs.py. And it must be able to fail.
 */

const program = fileURLToPath(new URL('../../dist/pipeline/parity/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'pantomime-runner-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function parity(folder: string, ...rest: string[]) {
  const { status, stdout } = spawnSync(process.execPath, [program, folder, ...rest], { encoding: 'utf8' });
  return { status, verdicts: stdout.split('\n').filter((line) => /(ok|FAILED)$/.test(line)), stdout };
}

it('whole published runs agree, step by step', () => {
  const { status, verdicts, stdout } = parity(fixture('.'), '--filter', 'e2e/');
  expect(verdicts.filter((line) => !line.endsWith('ok'))).toEqual([]);
  expect(stdout).toContain('all cases within tolerance');
  expect(status).toBe(0);
  for (const check of [
    'a_8f_g3 latents_step_3',
    'a_8f_g3 frames',
    'd_18f_ramp latents_step_1',
    'e_18f_nocfg latents_step_2',
  ]) {
    expect(stdout).toContain(`e2e/${check}`);
  }
});

it('the embedded model makes the frames that PyTorch makes of the same files', () => {
  const model = fileURLToPath(new URL('../../models/embedded', import.meta.url));
  const { status, verdicts, stdout } = parity(fixture('embedded'), '--model', model);
  expect(verdicts.filter((line) => !line.endsWith('ok'))).toEqual([]);
  expect(stdout).toContain('e2e/small latents_step_1');
  expect(stdout).toContain('e2e/small frames');
  expect(status).toBe(0);
});

it('a keypoint off by more than the tolerance fails the run', () => {
  const folder = join(scratch, 'pose');
  mkdirSync(folder);
  const name = 'landscape-to-portrait-short';
  const recorded = JSON.parse(readFileSync(fixture(`pose/${name}.json`), 'utf8'));
  recorded.aligned[0].bodies.candidate[3][0] += 2e-6;
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(recorded));
  cpSync(fixture(`pose/${name}.reference.png`), join(folder, `${name}.reference.png`));
  const { status, verdicts } = parity(scratch);
  expect(status).toBe(1);
  expect(verdicts.map((line) => line.endsWith('FAILED'))).toEqual([true, false]);
});
