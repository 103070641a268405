import type { Command } from 'commander';
import { metaOf } from '../../options/names.js';
import { addOptionFlags } from '../flags.js';
import { type Action, runCommand } from '../run-command.js';
import { commandLine } from './command-line.js';

/** `pantomime pose CLIP`: stops after the poses. */
export function addPoseCommand(program: Command, exit: (code: number) => void): void {
  const command = program
    .command('pose')
    .summary('find the poses in a driving video and stop')
    .description('Write pose.json, which `animate --pose` takes, and pose.mp4, which shows the skeletons.')
    .argument('[CLIP]', 'driving video')
    .action(async (video: string | undefined) => {
      exit(await runCommand(commandLine(command, { video }), poseAction));
    });
  addOptionFlags(command, (name) => metaOf(name).pose === true);
}

const poseAction: Action = {
  purpose: 'pose',
  run: async (options, context) => {
    const { extractPoses } = await import('../../pose-only.js');
    const result = await extractPoses(options, context);
    return { result, text: result.outputs.pose ?? result.runDir };
  },
};
