import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { PantomimeError } from '../../models/errors.js';
import { kebabCase, suggestOption } from '../options/names.js';
import { nearestName } from '../options/nearest.js';
import { addAnimateCommand } from './commands/animate.js';
import { addBatchCommand } from './commands/batch.js';
import { addCharacterCommand } from './commands/character.js';
import { addCompareCommand } from './commands/compare.js';
import { addDemoCommand } from './commands/demo.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addModelsCommand } from './commands/models.js';
import { addPlanCommand } from './commands/plan.js';
import { addPoseCommand } from './commands/pose.js';
import { addReportCommand } from './commands/report.js';
import { addSetupCommand } from './commands/setup.js';
import { addTuneCommand } from './commands/tune.js';
import { controlFlags } from './controls.js';
import { canonicalArguments } from './flags.js';

const examples = `
Examples:
  pantomime character --seed 7 --out me.png
  pantomime animate me.png dance.mp4 -o dance-of-me.mp4
  pantomime animate character.png dance.mp4 --model svd
  pantomime batch clips --image character.png --out animated
  pantomime tune character.png dance.mp4 --model svd --chunks 8,16,24 --overlaps 2,4,6 --out tuned
  pantomime compare run-a run-b
  pantomime report outputs/dance-of-me
  pantomime plan character.png dance.mp4 --model svd
  pantomime pose dance.mp4 -o poses
  pantomime models pull svd-xt-1.1-controlnext-v2
  pantomime doctor
  pantomime demo

Exit codes: 0 done, 1 fault of pantomime, 2 usage, 3 input, 4 model, 5 device, 6 ffmpeg, 7 some clips of a batch failed,
130 interrupted, 143 terminated`;

const commandNames = [
  'animate',
  'batch',
  'tune',
  'compare',
  'report',
  'pose',
  'plan',
  'character',
  'models',
  'doctor',
  'setup',
  'demo',
  'help',
];

/** The command line as a whole. `run` takes the words after the program's name and gives the exit code. */
export function buildProgram(): { run: (words: readonly string[]) => Promise<number> } {
  let exitCode = 0;
  const exit = (code: number) => {
    exitCode = code;
  };
  const program = new Command('pantomime')
    .description(
      'A picture of a character and a driving video in; a video of that character doing those movements out.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', examples)
    .showSuggestionAfterError(false)
    // Errors are thrown, and printed in one form together with all others.
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ helpWidth: Math.min(process.stdout.columns ?? 100, 120) })
    .exitOverride();
  addAnimateCommand(program, exit);
  addBatchCommand(program, exit);
  addTuneCommand(program, exit);
  addCompareCommand(program, exit);
  addReportCommand(program, exit);
  addPoseCommand(program, exit);
  addPlanCommand(program, exit);
  addCharacterCommand(program, exit);
  addModelsCommand(program, exit);
  addDoctorCommand(program, exit);
  addSetupCommand(program, exit);
  addDemoCommand(program, exit);
  return {
    run: async (words) => {
      if (words.length === 0) {
        process.stderr.write(program.helpInformation());
        return 2;
      }
      try {
        await program.parseAsync(canonicalArguments(words), { from: 'user' });
      } catch (thrown) {
        if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
        throw thrown;
      }
      return exitCode;
    },
  };
}

/** What commander complains about, as an error of ours; undefined for anything else. */
export function usageError(thrown: unknown): PantomimeError | undefined {
  if (!(thrown instanceof CommanderError)) return undefined;
  const message = thrown.message.replace(/^error: /, '').split('\n', 1)[0] ?? '';
  const word = /'([^']*)'/.exec(message)?.[1] ?? '';
  const usage = (code: string, what: string, hint?: string) => new PantomimeError({ code, kind: 'usage', what, hint });
  switch (thrown.code) {
    case 'commander.unknownOption': {
      const near = suggestOption(word, [...Object.keys(controlFlags).map(kebabCase), 'help', 'version']);
      return usage(
        'options.unknown',
        `there is no flag ${word}`,
        near ? `--${near}` : 'pantomime animate --help lists all flags',
      );
    }
    case 'commander.unknownCommand': {
      const near = nearestName(word, commandNames);
      return usage('command.unknown', `there is no command ${word}`, near ? `pantomime ${near}` : 'pantomime --help');
    }
    case 'commander.optionMissingArgument':
      return usage(
        'options.no-value',
        `a value is missing after ${word.split(/[ ,]+/).find((part) => part.startsWith('--')) ?? word}`,
      );
    case 'commander.excessArguments':
      return usage('command.arguments', 'there are more arguments than expected', 'quotes around names with spaces');
    default:
      return usage('command.usage', message, 'pantomime --help');
  }
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('pantomime/package.json') as { version: string };
  return version;
}
