import { type Command, Option } from 'commander';
import { controlFlags } from '../controls.js';
import { makeModelsReporter } from '../models-reporter.js';
import { jsonlVersion } from '../report-jsonl.js';
import { isInteractive } from '../reporter.js';
import { perform, verbosityOf } from '../run-command.js';
import { commandLine } from './command-line.js';

/** `pantomime doctor`: what is there, what is missing, what to type. */
export function addDoctorCommand(program: Command, exit: (code: number) => void): void {
  const command = program
    .command('doctor')
    .summary('say what is here and what is missing')
    .description(
      'Looks at everything that pantomime needs or could use, and lets each device compute something. No network. Ends with 0 when a run on the CPU would work.',
    );
  for (const name of ['json', 'quiet', 'verbose'] as const) {
    const { flags, description } = controlFlags[name] as (typeof controlFlags)[string];
    command.addOption(new Option(flags, description));
  }
  command.action(async () => exit(await doctor(command)));
}

async function doctor(command: Command): Promise<number> {
  const { controls } = commandLine(command);
  const style = { json: controls.json === true, verbosity: verbosityOf(controls) };
  const reporter = makeModelsReporter(style, { stdout: process.stdout, stderr: process.stderr, env: process.env });
  return perform(controls, reporter, async ({ signal, onEvent }) => {
    const { examine } = await import('../../doctor/examine.js');
    const { doctorTable } = await import('../doctor-text.js');
    const { findings, failure } = await examine(signal, (names) =>
      onEvent({ type: 'note', level: 'info', message: `still looking at: ${names.join(', ')}` }),
    );
    const ok = failure === undefined;
    const json = { v: jsonlVersion, t: Date.now(), type: 'doctor', ok, findings };
    const table = doctorTable(findings, { color: isInteractive(process.stdout, process.env) });
    const verdict = ok ? 'A run on the CPU works here.' : 'A run does not work here.';
    return { text: style.json ? JSON.stringify(json) : `${table}\n${verdict}`, failure };
  });
}
