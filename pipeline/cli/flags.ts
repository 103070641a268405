import { type Command, Option } from 'commander';
import { fieldOf } from '../options/field.js';
import { findOption, kebabCase, metaOf, normaliseName } from '../options/names.js';
import { optionGroups } from '../options/option-meta.js';
import { type OptionName, optionNames } from '../options/schema.js';
import { controlFlags } from './controls.js';

/** Declare every option of the schema on a command, grouped; those that `relevant` rejects work but are not listed. */
export function addOptionFlags(command: Command, relevant: (name: OptionName) => boolean = () => true): void {
  for (const group of optionGroups) {
    for (const name of optionNames.filter((candidate) => metaOf(candidate).group === group)) {
      for (const flag of flagsOf(name)) command.addOption(relevant(name) ? flag : flag.hideHelp());
    }
  }
  for (const control of Object.values(controlFlags)) {
    const flag = new Option(control.flags, control.description).helpGroup('Command line:');
    if (control.repeatable) flag.argParser(collect);
    command.addOption(flag);
  }
}

/** One flag, or for what is on or off the pair `--x`, `--no-x`, of which the help shows the one that changes something. */
function flagsOf(name: OptionName): Option[] {
  const meta = metaOf(name);
  const field = fieldOf(name);
  const short = meta.short ? `${meta.short}, ` : '';
  const long = kebabCase(name);
  const group = `${meta.group}:`;
  if (field.boolean) {
    const on = field.defaultText === 'on';
    const description = `${on ? (meta.negative ?? meta.description) : meta.description} (default: ${field.defaultText})`;
    // The positive one first: commander would otherwise make it true where neither is given.
    return [
      new Option(`${short}--${long}`, description).hideHelp(on).helpGroup(group),
      new Option(`--no-${long}`, description).hideHelp(!on).helpGroup(group),
    ];
  }
  const value = field.choices.length > 0 && !meta.placeholder ? field.choices.join('|') : (meta.placeholder ?? 'VALUE');
  const values = meta.valuesText && !meta.path ? `; ${meta.valuesText.replaceAll('`', '')}` : '';
  const description = `${meta.description}${values} (default: ${field.defaultText})`;
  const flag = new Option(`${short}--${long} <${value}>`, description).helpGroup(group);
  return [meta.list ? flag.argParser(collect) : flag];
}

/** Every value of a flag that may be repeated. */
function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/**
 * Command-line words with every accepted spelling of a flag replaced by ours: `--batch_frames=16` becomes `--chunk=16`,
 * `--no_audio` `--no-audio`. Anything unknown is left as it is; words after `--` are not flags.
 */
export function canonicalArguments(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  return words.map((word, i) => (word.startsWith('--') && (end < 0 || i < end) ? canonicalFlag(word) : word));
}

function canonicalFlag(word: string): string {
  const at = word.indexOf('=');
  const name = at < 0 ? word : word.slice(0, at);
  const rest = at < 0 ? '' : word.slice(at);
  const control = Object.keys(controlFlags).find((key) => normaliseName(key) === normaliseName(name));
  if (control) return `--${kebabCase(control)}${rest}`;
  const found = findOption(name);
  if (found) return `--${kebabCase(found)}${rest}`;
  const negated = /^--no[-_](.+)$/.exec(name)?.[1];
  const off = negated === undefined ? undefined : findOption(negated);
  return off && fieldOf(off).boolean ? `--no-${kebabCase(off)}` : word;
}
