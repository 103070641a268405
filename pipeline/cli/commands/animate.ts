import type { Command } from 'commander';
import { addOptionFlags } from '../flags.js';
import type { Action } from '../run-command.js';
import { runCommand } from '../run-command.js';
import { commandLine } from './command-line.js';
import { planAction } from './plan.js';

/** `pantomime animate PICTURE CLIP`: the whole pipeline. */
export function addAnimateCommand(program: Command, exit: (code: number) => void): void {
  const command = program
    .command('animate')
    .summary('animate a picture by a driving video')
    .description('Make a video of the character in PICTURE doing the movements of CLIP.')
    .argument('[PICTURE]', 'picture of the character')
    .argument('[CLIP]', 'driving video')
    .action(async (image: string | undefined, video: string | undefined) => {
      const line = commandLine(command, { image, video });
      exit(await runCommand(line, line.controls.dryRun ? planAction(line.controls.json === true) : animateAction));
    });
  addOptionFlags(command);
}

/** Loaded only when it runs: `--help` must not wait for the inference library. */
export const animateAction: Action = {
  purpose: 'animate',
  run: async (options, context) => {
    const { animate } = await import('../../animate.js');
    const result = await animate(options, context);
    return { result, text: result.outputs.video ?? result.runDir };
  },
};
