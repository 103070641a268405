import { join } from 'node:path';
import { writeAtomic } from '../files.js';
import { reportPage } from './report/report-page.js';
import type { TuneResult } from './types.js';

/** Where a sweep or a comparison is written down, for programs and for people. */
export type ResultFiles = { readonly results: string; readonly report: string };

/** Writes results.json, report.html and, where something is recommended, the preset. */
export async function writeResults(result: TuneResult): Promise<ResultFiles> {
  const files = { results: join(result.dir, 'results.json'), report: join(result.dir, 'report.html') };
  const { recommendation, cells } = result;
  const settings = cells.find(({ id }) => id === recommendation?.cell)?.settings;
  if (recommendation && settings) {
    const reasons = recommendation.reasons.map((reason) => `# ${reason.replaceAll('\n', ' ')}\n`).join('');
    const options = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`);
    const text = `# For pantomime animate --preset ${recommendation.preset}\n${reasons}${options.join('')}`;
    await writeAtomic(join(result.dir, recommendation.preset), text);
  }
  await writeAtomic(files.results, `${JSON.stringify(result)}\n`);
  await writeAtomic(files.report, reportPage({ result, now: new Date() }));
  return files;
}
