import { dirname, join, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { writeAtomic } from '../files.js';
import { openRecordedRun } from './recorded-run.js';
import { reportPage } from './report-page.js';
import { type RunFigures, runFigures } from './run-figures.js';

export type RunReport = { readonly file: string; readonly figures: RunFigures };

/**
 * Writes the page that shows where the time of a finished run went: `report.html` in its folder, or `out`.
 * @throws PantomimeError as `openRecordedRun` does, `output.not-writable`
 */
export async function writeRunReport(path: string, out?: string): Promise<RunReport> {
  const run = await openRecordedRun(path);
  const file = out === undefined ? join(run.dir, 'report.html') : resolve(out);
  const figures = runFigures(run);
  try {
    await writeAtomic(file, reportPage({ run, figures, file, now: new Date() }));
  } catch (cause) {
    throw new PantomimeError({
      code: 'output.not-writable',
      kind: 'input',
      what: 'the report cannot be written',
      where: dirname(file),
      got: cause instanceof Error ? cause.message : String(cause),
      hint: 'another place with --out FILE.html',
      cause,
    });
  }
  return { file, figures };
}
