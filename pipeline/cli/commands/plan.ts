import type { Command } from 'commander';
import { addOptionFlags } from '../flags.js';
import { type Action, runCommand } from '../run-command.js';
import { commandLine } from './command-line.js';

/** `pantomime plan PICTURE CLIP`: what `animate` would do, before anything runs. */
export function addPlanCommand(program: Command, exit: (code: number) => void): void {
  const command = program
    .command('plan')
    .summary('print sizes, windows, cost and memory of a run, and run nothing')
    .description('Print what `animate` would do with the same words: sizes, frames, windows, cost and memory.')
    .argument('[PICTURE]', 'picture of the character')
    .argument('[CLIP]', 'driving video')
    .action(async (image: string | undefined, video: string | undefined) => {
      const line = commandLine(command, { image, video });
      exit(await runCommand(line, planAction(line.controls.json === true)));
    });
  addOptionFlags(command);
}

/** Also what `animate --dry-run` does. */
export function planAction(json: boolean): Action {
  return {
    purpose: 'animate',
    run: async (options, context) => {
      const [{ makePlan }, { renderPlan }, { planJson }] = await Promise.all([
        import('../../plan.js'),
        import('../render-plan.js'),
        import('../plan-json.js'),
      ]);
      const plan = await makePlan(options, context);
      return { text: json ? planJson(plan) : renderPlan(plan) };
    },
  };
}
