import { type Command, Option } from 'commander';
import { PantomimeError } from '../../../models/errors.js';
import { loadSources } from '../../options/load.js';
import type { TuneEvent, TuneResult } from '../../tune/types.js';
import { addOptionFlags } from '../flags.js';
import { isInteractive } from '../reporter.js';
import { flagsWithPreset, perform, verbosityOf } from '../run-command.js';
import { toNumber } from '../to-number.js';
import { makeTuneReporter } from '../tune-reporter.js';
import { commandLine } from './command-line.js';

/** Options that the sweep decides for each of its runs. */
const decided: ReadonlySet<string> = new Set(['keepReferenceFrame', 'keepIntermediate', 'audio', 'maxFrames']);

/** `pantomime tune PICTURE CLIP`: which chunk and overlap to use, by measurement. */
export function addTuneCommand(program: Command, exit: (code: number) => void): void {
  const group = 'Sweep:';
  const list = (flags: string, description: string) =>
    new Option(flags, description).argParser(toNumbers).helpGroup(group);
  const command = program
    .command('tune')
    .summary('find out which chunk and overlap to use, by measurement')
    .description(
      'Animate an excerpt of CLIP with every chunk and overlap of a grid, measure seams, flicker, drift, sharpness, poses and time, and say which settings to use and why: report.html, results.json and a preset for animate. Killed at any moment, the same command goes on. --steps takes a list, too: --steps 8,25.',
    )
    .argument('[PICTURE]', 'picture of the character')
    .argument('[CLIP]', 'driving video')
    .addOption(list('--chunks <LIST>', 'Chunks to try (default: 8,12,16,24, or --chunk)'))
    .addOption(list('--overlaps <LIST>', 'Overlaps to try (default: 0,2,4,6, or --overlap)'))
    .addOption(
      new Option('--fusions <LIST>', 'Fusions to try, e.g. flat,triangular,overlap-linear (default: --fusion)')
        .argParser((text) => text.split(','))
        .helpGroup(group),
    )
    .addOption(
      new Option('--frames <N>', 'Length of the excerpt (default: enough for three windows of the largest chunk)')
        .argParser((word) => toNumber(word.trim()))
        .helpGroup(group),
    )
    .addOption(
      new Option('--seeds <N>', 'Runs of each cell, with seeds from --seed on, to know what is chance')
        .argParser((word) => toNumber(word.trim()))
        .default(1)
        .helpGroup(group),
    )
    .addOption(
      new Option('--self', 'The picture is a frame of the clip: compare with the clip itself').helpGroup(group),
    )
    .addOption(new Option('--no-self', 'The picture is no frame of the clip').hideHelp())
    .addOption(new Option('--all', 'Leave nothing out: also cells that cost more for less').helpGroup(group))
    .action(async (image: string | undefined, video: string | undefined) => {
      const line = commandLine(command, { image, video });
      const { controls } = line;
      const reporter = makeTuneReporter(
        { json: controls.json === true, verbosity: verbosityOf(controls) },
        { stdout: process.stdout, stderr: process.stderr, env: process.env },
      );
      exit(
        await perform<TuneEvent>(controls, reporter, async (context) => {
          const flags = flagsWithPreset(line);
          const several = typeof flags.steps === 'string' && flags.steps.includes(',');
          const { parseTuneSettings } = await import('../../tune/settings.js');
          const given = command.opts<Record<string, unknown>>();
          const { chunks, overlaps, fusions, frames, seeds, all } = given;
          const self = command.getOptionValueSource('self') === 'cli' ? given.self : null;
          const sweepSteps = several ? toNumbers(flags.steps as string) : null;
          const settings = parseTuneSettings({ chunks, overlaps, fusions, frames, seeds, all, self, sweepSteps });
          const sources = await loadSources({
            flags: several ? { ...flags, steps: undefined } : flags,
            settings: controls.set ?? [],
            config: controls.config,
          });
          if (controls.dryRun) {
            const { previewTune, previewText } = await import('../../tune/preview.js');
            const plan = await previewTune(settings, sources, context);
            return { text: controls.json ? JSON.stringify({ type: 'tune.plan', ...plan }) : previewText(plan) };
          }
          const { tune } = await import('../../tune/tune.js');
          const result = await tune(settings, sources, context);
          return { result, text: await tableOf(result), failure: someFailed(result) };
        }),
      );
    });
  addOptionFlags(command, (name) => !decided.has(name));
}

function someFailed({ cells, dir }: TuneResult): PantomimeError | undefined {
  const failed = cells.filter(({ state }) => state === 'failed');
  if (failed.length === 0) return undefined;
  return new PantomimeError({
    code: 'tune.cells-failed',
    kind: 'partial',
    what: `${failed.length} of ${cells.length} cells failed`,
    where: dir,
    got: `${failed[0]?.id}: ${failed[0]?.why}`,
    hint: 'the others are in the report; the same command again tries those that failed, and only those',
  });
}

export async function tableOf(result: TuneResult): Promise<string> {
  const { tuneTable } = await import('../tune-table.js');
  return tuneTable(result, { color: isInteractive(process.stdout, process.env) });
}

function toNumbers(words: string): number[] {
  return words.split(',').map((word) => toNumber(word.trim()));
}
