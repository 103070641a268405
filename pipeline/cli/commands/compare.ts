import { type Command, Option } from 'commander';
import type { TuneEvent } from '../../tune/types.js';
import { controlFlags } from '../controls.js';
import { perform, verbosityOf } from '../run-command.js';
import { makeTuneReporter } from '../tune-reporter.js';
import { commandLine } from './command-line.js';
import { tableOf } from './tune.js';

const controlsTaken = ['json', 'quiet', 'verbose'] as const;

/** `pantomime compare A B`: two finished runs beside each other. */
export function addCompareCommand(program: Command, exit: (code: number) => void): void {
  const command = program
    .command('compare')
    .summary('measure two finished runs beside each other')
    .description(
      'Measure the videos of two finished runs as pantomime tune does (seams, flicker, drift, sharpness, poses) and show them beside each other: report.html, results.json.',
    )
    .argument('<A>', 'run folder, or its .mp4 file')
    .argument('<B>', 'run folder, or its .mp4 file')
    .addOption(new Option('-o, --output <FOLDER>', 'Where to write (default: outputs/compare-A-B)'))
    .addOption(new Option('-y, --overwrite', 'Replace another comparison in the same place'))
    .addOption(new Option('--ffmpeg <FILE>', 'The ffmpeg program'))
    .action(async (a: string, b: string) => {
      const { flags, controls } = commandLine(command);
      const reporter = makeTuneReporter(
        { json: controls.json === true, verbosity: verbosityOf(controls) },
        { stdout: process.stdout, stderr: process.stderr, env: process.env },
      );
      exit(
        await perform<TuneEvent>(controls, reporter, async (context) => {
          const { compare } = await import('../../tune/compare.js');
          const result = await compare(a, b, flags, context);
          return { result, text: await tableOf(result) };
        }),
      );
    });
  for (const name of controlsTaken) {
    const { flags, description } = controlFlags[name] as (typeof controlFlags)[string];
    command.addOption(new Option(flags, description));
  }
}
