import { resolve } from 'node:path';
import { metaOf } from './options/names.js';
import { type OptionName, optionNames } from './options/schema.js';
import type { Plan } from './plan.js';

/** Options that say where and how to run, not what: left to whoever repeats the run. */
const ofThisRun: ReadonlySet<OptionName> = new Set(['output', 'overwrite', 'resume', 'preset']);

/**
 * The options of a run in the form in which they can be given again: everything decided (seed, size, provider, residency),
 * paths absolute. run.json holds them, and `--config run.json` reads them.
 */
export function repeatableOptions(plan: Plan): Readonly<Record<string, unknown>> {
  const { options, seed, size, provider, residency } = plan;
  const decided: Record<OptionName, unknown> = { ...options, ...size, seed, provider, residency };
  if (options.fps) decided.fps = `${options.fps.num}/${options.fps.den}`;
  const entries = optionNames
    .filter((name) => !ofThisRun.has(name) && decided[name] !== null)
    // Refused without --time-ids given, because they would have no effect.
    .filter((name) => options.timeIds === 'given' || (name !== 'fpsId' && name !== 'motionBucketId'))
    .map((name) => [name, metaOf(name).path ? absolute(name, String(decided[name])) : decided[name]]);
  return Object.fromEntries(entries);
}

function absolute(name: OptionName, path: string): string {
  return metaOf(name).keywords?.includes(path) ? path : resolve(path);
}

/** What to type to do a run again, for POSIX shells. */
export function repeatCommand(runFile: string): string {
  const word = /^[\w@%+=:,./-]+$/.test(runFile) ? runFile : `'${runFile.replaceAll("'", "'\\''")}'`;
  return `pantomime animate --config ${word}`;
}
