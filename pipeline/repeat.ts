import { resolve } from 'node:path';
import { metaOf } from './options/names.js';
import { type AnimateOptions, type OptionName, optionNames } from './options/schema.js';
import type { Plan } from './plan.js';

/** Options that say where and how to run, not what: left to whoever repeats the run. */
const ofThisRun: ReadonlySet<OptionName> = new Set(['output', 'overwrite', 'resume', 'preset']);

/**
 * The options of a run in the form in which they can be given again: everything decided (seed, size, provider,
 * precision, residency and what else was chosen for the memory), paths absolute. run.json holds them, and `--config run.json` reads them.
 */
export function repeatableOptions(plan: Plan): Readonly<Record<string, unknown>> {
  const { options, seed, size, provider, guidedAt, memory } = plan;
  const { residency, feedForwardParts, attentionParts, windowsTogether } = memory;
  const splitGuidance = memory.splitGuidance ? 'on' : guidedAt.includes(true) ? 'off' : options.splitGuidance;
  const decided = {
    ...{ ...options, ...size, seed, provider, residency },
    precision: plan.precision === 'float16' ? 'fp16' : 'fp32',
    ...{ feedForwardParts, attentionParts, windowsTogether, splitGuidance },
  } as const;
  const entries = optionNames
    .filter((name) => !ofThisRun.has(name))
    .map((name) => [name, repeatableOption(decided, name)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** One option in that form; undefined where it is not decided or has no effect. */
export function repeatableOption(options: AnimateOptions, name: OptionName): unknown {
  const value = options[name];
  // Refused without --time-ids given.
  const idle = options.timeIds !== 'given' && (name === 'fpsId' || name === 'motionBucketId');
  if (value === null || idle) return undefined;
  if (name === 'fps' && options.fps) return `${options.fps.num}/${options.fps.den}`;
  const { path, list } = metaOf(name);
  if (list) return (value as readonly string[]).map((one) => list.mapPath(one, (file) => resolve(file)));
  return path ? absolute(name, String(value)) : value;
}

function absolute(name: OptionName, path: string): string {
  return metaOf(name).keywords?.includes(path) ? path : resolve(path);
}

/** What to type to do a run again, for POSIX shells. */
export function repeatCommand(runFile: string): string {
  const word = /^[\w@%+=:,./-]+$/.test(runFile) ? runFile : `'${runFile.replaceAll("'", "'\\''")}'`;
  return `pantomime animate --config ${word}`;
}
