import { type Command, Option } from 'commander';
import type { BatchSettings } from '../../batch/settings.js';
import type { BatchEvent, BatchResult } from '../../batch/types.js';
import { loadSources } from '../../options/load.js';
import { makeBatchReporter } from '../batch-reporter.js';
import { addOptionFlags } from '../flags.js';
import { isInteractive } from '../reporter.js';
import { flagsWithPreset, perform, verbosityOf } from '../run-command.js';
import { toNumber } from '../to-number.js';
import { commandLine } from './command-line.js';

/** Options that say what one clip is; a batch finds them in its folder or manifest. */
const perClip: ReadonlySet<string> = new Set(['video', 'pose', 'controlVideo', 'controlPictures']);

/** `pantomime batch CLIPS`: a folder of clips. */
export function addBatchCommand(program: Command, exit: (code: number) => void): void {
  const group = 'Batch:';
  const whole = (flags: string, description: string) =>
    new Option(flags, description).argParser((word) => toNumber(word)).helpGroup(group);
  const command = program
    .command('batch')
    .summary('animate every clip of a folder; goes on where it was stopped')
    .description(
      'Animate every video in CLIPS (a folder, or a manifest: .csv, .json, .yaml) by --image, a picture or a folder of pictures, into a run folder each. Killed at any moment, the same command goes on.',
    )
    .argument('<CLIPS>', 'folder of videos, or a manifest')
    .addOption(
      new Option('--pair <HOW>', 'Which picture for which clip: by name, every one with every clip, or one for all')
        .choices(['auto', 'one', 'name', 'all'])
        .default('auto')
        .helpGroup(group),
    )
    .addOption(whole('--jobs <N>', 'Clips whose poses are found at the same time').default(1))
    .addOption(whole('--retries <N>', 'Further attempts after a fault that can pass').default(2))
    .addOption(new Option('--shard <I/N>', 'Do only part I of N; for machines that share the folders').helpGroup(group))
    .action(async (clips: string) => {
      const { pair, jobs, retries, shard } = command.opts<Record<string, unknown>>();
      const line = commandLine(command);
      const reporter = makeBatchReporter(
        { json: line.controls.json === true, verbosity: verbosityOf(line.controls) },
        { stdout: process.stdout, stderr: process.stderr, env: process.env },
      );
      exit(
        await perform<BatchEvent>(line.controls, reporter, async (context) => {
          const { controls } = line;
          const lines = { flags: flagsWithPreset(line), settings: controls.set ?? [], config: controls.config };
          const [{ parseSettings }, { parseShard }] = await Promise.all([
            import('../../batch/settings.js'),
            import('../../batch/shard.js'),
          ]);
          const parsed = parseSettings({
            ...{ clips, pair, jobs, retries },
            shard: typeof shard === 'string' ? parseShard(shard) : null,
          });
          const sources = await loadSources(lines);
          return controls.dryRun
            ? preview(parsed, sources, context, controls.json === true)
            : run(parsed, sources, context);
        }),
      );
    });
  addOptionFlags(command, (name) => !perClip.has(name));
}

type Sources = Awaited<ReturnType<typeof loadSources>>;
type Context = { readonly signal: AbortSignal; readonly onEvent: (event: BatchEvent) => void };

async function preview(
  settings: BatchSettings,
  sources: Sources,
  context: Context,
  json: boolean,
): Promise<{ text: string }> {
  const [{ planFolder }, { previewFolder }, { folderPlanJson, renderFolderPlan }] = await Promise.all([
    import('../../batch/folder-plan.js'),
    import('../../batch/preview.js'),
    import('../render-folder-plan.js'),
  ]);
  const previewed = await previewFolder(await planFolder(settings, sources), context);
  return { text: json ? folderPlanJson(previewed) : renderFolderPlan(previewed) };
}

/** The table is printed also where some clips have failed. */
async function run(
  settings: BatchSettings,
  sources: Sources,
  { signal, onEvent }: Context,
): Promise<{ text: string; result: BatchResult; failure?: unknown }> {
  const [{ animateFolder }, { batchTable }] = await Promise.all([
    import('../../batch/animate-folder.js'),
    import('../batch-table.js'),
  ]);
  const table = (result: BatchResult) => batchTable(result, { color: isInteractive(process.stdout, process.env) });
  let done: BatchResult | undefined;
  const listen = (event: BatchEvent) => {
    if (event.type === 'batch.done') done = event;
    onEvent(event);
  };
  try {
    const result = await animateFolder(settings, sources, { signal, onEvent: listen });
    return { result, text: table(result) };
  } catch (error) {
    if (!done) throw error;
    return { result: done, text: table(done), failure: error };
  }
}
