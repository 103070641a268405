import { nearestName } from './nearest.js';
import { type OptionMeta, optionMeta } from './option-meta.js';
import { type OptionName, optionNames, optionsSchema } from './schema.js';

/** `--batch_frames`, `batch-frames` and `batchFrames` are one name. */
export function normaliseName(name: string): string {
  return name.replace(/^-+/, '').replace(/[-_]/g, '').toLowerCase();
}

/** `guidanceScale` as a flag without its dashes: `guidance-scale`. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The description of an option; every option has one. */
export function metaOf(name: OptionName): OptionMeta {
  const meta = optionMeta.get(optionsSchema.shape[name]);
  if (!meta) throw new TypeError(`option ${name} has no description`);
  return meta;
}

/** Every accepted spelling, normalised, and the option it means. */
const spellings: ReadonlyMap<string, OptionName> = new Map(
  optionNames.flatMap((name) =>
    [name, ...(metaOf(name).aliases ?? [])].map((spelling) => [normaliseName(spelling), name]),
  ),
);

/** The option that a name in any spelling means. */
export function findOption(name: string): OptionName | undefined {
  return spellings.get(normaliseName(name));
}

/** Whether a name in any spelling means an option that takes several values. */
export function takesList(name: string): boolean {
  const found = findOption(name);
  return found !== undefined && metaOf(found).list !== undefined;
}

/** The option most likely meant by an unknown name, as a flag without dashes. */
export function suggestOption(name: string, others: readonly string[] = []): string | undefined {
  const known = optionNames.flatMap((option) => [option, ...(metaOf(option).aliases ?? [])]);
  const near = nearestName(kebabCase(name.replace(/^-+/, '').replace(/_/g, '-')), [
    ...known.map((spelling) => kebabCase(spelling).replace(/_/g, '-')),
    ...others,
  ]);
  return near;
}
