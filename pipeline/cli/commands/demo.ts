import type { Command } from 'commander';
import { addOptionFlags } from '../flags.js';
import { runCommand } from '../run-command.js';
import { animateAction } from './animate.js';
import { commandLine } from './command-line.js';
import { planAction } from './plan.js';

/** `pantomime demo`: the whole pipeline on what comes with the package; any flag of `animate` may be added. */
export function addDemoCommand(program: Command, exit: (code: number) => void): void {
  const command = program
    .command('demo')
    .summary('animate the sample that comes with the package')
    .description(
      'Animate a sample character by the sample clip, with the small model that comes with pantomime: a minute on two CPU cores.',
    )
    .action(async () => {
      const line = commandLine(command);
      const action = line.controls.dryRun ? planAction(line.controls.json === true) : animateAction;
      exit(await runCommand(line, { ...action, defaults: demoDefaults }));
    });
  addOptionFlags(command);
}

async function demoDefaults() {
  const { demoInputs } = await import('../../demo.js');
  return demoInputs();
}
