import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { PantomimeError } from '../../models/errors.js';
import type { Residency } from '../../models/onnx/built-graph.js';
import { createEngine, type Provider } from '../../models/runtime/engine.js';
import { cacheFolder } from '../cache-folder.js';
import { exists } from '../files.js';
import type { Check, ParityCase, SkippedCase } from './check.js';
import { fullSizeCases } from './full-size-cases.js';
import { moduleCases } from './module-cases.js';
import { pipelineCases } from './pipeline-cases.js';
import { mediapipeCases, poseCases } from './pose-cases.js';
import { openRecordedModel } from './recording.js';

type Settings = {
  readonly filter?: string;
  readonly samples?: string;
  readonly model?: string;
  readonly provider: Provider;
  readonly residency?: Residency;
  readonly weights?: string;
  readonly salt?: string;
};

/** Checks every recorded case under a folder and prints it; sets the exit code to 1 when any fails. */
async function main(dir: string, settings: Settings): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'pantomime-parity-'));
  try {
    await using engine = await createEngine({ provider: settings.provider });
    const samples = resolve(settings.samples ?? join(dir, '..', 'samples', 'driving'));
    // Gigabytes are read in place; small models are quicker folded.
    const fullSize = await exists(join(dir, 'cases'));
    const residency = settings.residency ?? (fullSize ? 'low-memory' : 'fast');
    const weights = resolve(settings.weights ?? join(cacheFolder(), 'formula-weights'));
    const report = (message: string) => process.stderr.write(`${message}\n`);
    const folder = settings.model ?? join(dir, 'model');
    const model = settings.model || (await exists(folder)) ? await openRecordedModel(folder) : undefined;
    const context = { dir, engine, residency, scratch, samples, signal: undefined };
    const withModel = model && { ...context, ...model };
    const cases = [
      ...(withModel ? [...(await moduleCases(withModel)), ...(await pipelineCases(withModel))] : []),
      ...(await poseCases(context)),
      ...(await mediapipeCases(context)),
      ...(await fullSizeCases({ ...context, weights, salt: settings.salt, report })),
    ].filter(({ name }) => name.includes(settings.filter ?? ''));
    if (cases.length === 0) throw nothingFound(dir, settings.filter);
    const failures = await runAll(cases);
    process.stdout.write(failures === 0 ? 'all cases within tolerance\n' : `${failures} checks failed\n`);
    process.exitCode = failures === 0 ? 0 : 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runAll(cases: readonly (ParityCase | SkippedCase)[]): Promise<number> {
  const header = ['case', 'max abs', 'relative', 'allowed', 'verdict'];
  process.stdout.write(`${row(header)}\n`);
  let failures = 0;
  for (const one of cases) {
    if ('skipped' in one) {
      process.stdout.write(`${one.name}: skipped, ${one.skipped}\n`);
      continue;
    }
    for (const check of await checksOf(one)) {
      if (!check.passed) failures++;
      const figures = [check.maxAbs.toExponential(2), check.relative.toExponential(2), check.allowed];
      process.stdout.write(`${row([`${one.name} ${check.name}`, ...figures, check.passed ? 'ok' : 'FAILED'])}\n`);
    }
  }
  return failures;
}

/** A case that throws has failed, and the others go on. */
async function checksOf({ run }: ParityCase): Promise<readonly Check[]> {
  try {
    return await run();
  } catch (error) {
    const allowed = error instanceof Error ? error.message : String(error);
    return [{ name: 'threw', maxAbs: Number.NaN, relative: Number.NaN, allowed, passed: false }];
  }
}

function row([name = '', maxAbs = '', relative = '', allowed = '', verdict = '']: readonly string[]): string {
  return `${name.padEnd(52)} ${maxAbs.padStart(9)} ${relative.padStart(9)}  ${allowed.padEnd(34)} ${verdict}`;
}

function nothingFound(dir: string, filter: string | undefined): PantomimeError {
  return new PantomimeError({
    code: 'parity.nothing',
    kind: 'usage',
    what: filter ? `no case has ${filter} in its name` : 'there is no recorded case here',
    where: dir,
    expected: 'a folder with model/ and modules/, e2e/, pose/ or mediapipe/, or one with full-size cases/',
  });
}

const program = new Command('parity')
  .description('Compare with recorded results of the published implementation')
  .argument('<dir>', 'folder with model/, modules/, e2e/, pose/, mediapipe/')
  .option('--filter <text>', 'only cases with this in their name')
  .option('--samples <folder>', 'where driving clips lie (default: ../samples/driving beside the folder)')
  .option('--model <folder>', 'the model that was recorded (default: model/ in the folder)')
  .addOption(new Option('--provider <name>').choices(['cpu', 'cuda', 'webgpu']).default('cpu'))
  .addOption(new Option('--residency <name>').choices(['fast', 'low-memory']))
  .option('--weights <folder>', 'where full-size weights are written (default: the cache folder)')
  .option('--salt <text>', 'salt of the full-size weights (default: that of the folder)')
  .action(main);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof PantomimeError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
