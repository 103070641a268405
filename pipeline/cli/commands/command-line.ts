import type { Command } from 'commander';
import { PantomimeError } from '../../../models/errors.js';
import { kebabCase } from '../../options/names.js';
import type { OptionName } from '../../options/schema.js';
import { type Controls, controlFlags } from '../controls.js';
import type { CommandLine } from '../run-command.js';

/** What commander read, split into options and control flags; positional words count as the flags of those names. */
export function commandLine(
  command: Command,
  positional: Partial<Record<OptionName, string | undefined>> = {},
): CommandLine {
  const values: Record<string, unknown> = command.opts();
  const isControl = (name: string) => Object.hasOwn(controlFlags, name);
  const flags = Object.fromEntries(Object.entries(values).filter(([name]) => !isControl(name)));
  const controls = Object.fromEntries(Object.entries(values).filter(([name]) => isControl(name))) as Controls;
  for (const [name, word] of Object.entries(positional)) {
    if (word === undefined) continue;
    if (flags[name] !== undefined) {
      throw new PantomimeError({
        code: 'options.repeated',
        kind: 'usage',
        what: `${name} is given twice: as an argument and as a flag`,
        where: `--${kebabCase(name)}`,
        got: `${word} and ${String(flags[name])}`,
      });
    }
    flags[name] = word;
  }
  return { flags, controls };
}
