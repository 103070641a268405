import { type Command, Option } from 'commander';
import { controlFlags } from '../controls.js';
import { makeModelsReporter } from '../models-reporter.js';
import { jsonlVersion } from '../report-jsonl.js';
import { perform, verbosityOf } from '../run-command.js';
import { commandLine } from './command-line.js';

/** `pantomime report RUN`: where the time of a run went. */
export function addReportCommand(program: Command, exit: (code: number) => void): void {
  const command = program
    .command('report')
    .summary('show where the time of a finished run went')
    .description(
      'Draw the time line of a finished run: what the engine, the pose workers, ffmpeg and the main process did when, how long the engine was idle, seconds a stage, step and window, memory. Writes report.html, which opens from disk.',
    )
    .argument('<RUN>', 'run folder, or its .mp4 file')
    .addOption(
      new Option('-o, --output <FILE>', 'Where to write; also --out (default: report.html in the run folder)'),
    );
  for (const name of ['json', 'quiet', 'verbose'] as const) {
    const { flags, description } = controlFlags[name] as (typeof controlFlags)[string];
    command.addOption(new Option(flags, description));
  }
  command.action(async (run: string) => {
    const { flags, controls } = commandLine(command);
    const style = { json: controls.json === true, verbosity: verbosityOf(controls) };
    const reporter = makeModelsReporter(style, { stdout: process.stdout, stderr: process.stderr, env: process.env });
    exit(
      await perform(controls, reporter, async () => {
        const { writeRunReport } = await import('../../run-report/write-run-report.js');
        const { file, figures } = await writeRunReport(run, flags.output as string | undefined);
        const told = { v: jsonlVersion, t: Date.now(), type: 'report', file, ...figures };
        return { text: style.json ? JSON.stringify(told) : file };
      }),
    );
  });
}
