import { type Command, Option } from 'commander';
import { hubLimits } from '../../../models/hub/hub-limits.js';
import type { ModelEvent } from '../../model-store/types.js';
import { askYes, canAsk } from '../ask-yes.js';
import { controlFlags } from '../controls.js';
import { makeModelsReporter } from '../models-reporter.js';
import { jsonlVersion } from '../report-jsonl.js';
import { perform, verbosityOf } from '../run-command.js';
import { commandLine } from './command-line.js';

/** `pantomime setup cuda`: the only thing that is installed beside the packages. */
export function addSetupCommand(program: Command, exit: (code: number) => void): void {
  const setup = program.command('setup').summary('install what a device needs beside the packages');
  const cuda = setup
    .command('cuda')
    .summary("install onnxruntime's files for CUDA")
    .description(
      "Installs onnxruntime's files for CUDA (Linux x64), as its own installer would, but checked and resumable. Says first what, from where, how large and under which licence. HTTPS_PROXY, NO_PROXY and HF_HUB_OFFLINE are honoured. The driver, CUDA and cuDNN are not installed: docs/gpu.md.",
    )
    .addOption(new Option('--yes', 'Do not ask'))
    .addOption(new Option('--from <FILE>', 'Use this package (.nupkg), without any network'))
    .addOption(new Option('--sha512 <HASH>', 'SHA-512 that the package must have, hex or base64'))
    .addOption(new Option('--feed <URL>', 'Another NuGet feed, e.g. a mirror: address of its index.json'));
  for (const name of ['json', 'quiet', 'verbose'] as const) {
    const { flags, description } = controlFlags[name] as (typeof controlFlags)[string];
    cuda.addOption(new Option(flags, description));
  }
  cuda.action(async () => exit(await performSetup(cuda)));
}

async function performSetup(command: Command): Promise<number> {
  const { flags, controls } = commandLine(command);
  const json = controls.json === true;
  const streams = { stdout: process.stdout, stderr: process.stderr, env: process.env };
  const reporter = makeModelsReporter({ json, verbosity: verbosityOf(controls) }, streams);
  const text = (name: string) => (typeof flags[name] === 'string' ? (flags[name] as string) : undefined);
  return perform<ModelEvent>(controls, reporter, async ({ signal, onEvent }) => {
    const { setupCuda } = await import('../../setup/cuda.js');
    const { freeBytes } = await import('../../model-store/types.js');
    const { requireCudaPlatform } = await import('../../../models/runtime/providers.js');
    const { hubSettings } = await import('../../../models/hub/hub-settings.js');
    requireCudaPlatform();
    const done = await setupCuda({
      ...{ signal, onEvent, freeBytes, from: text('from'), sha512: text('sha512'), feed: text('feed') },
      access: { offline: hubSettings().offline, limits: hubLimits },
      accept: async () => flags.yes === true || (!json && canAsk() && (await askYes('Install it?', signal))),
    });
    if (json) return { text: JSON.stringify({ v: jsonlVersion, t: Date.now(), type: 'setup.done', ...done }) };
    if (!done.installed) onEvent({ type: 'note', level: 'info', message: 'everything is there already' });
    else
      onEvent({
        type: 'note',
        level: 'info',
        message: 'installed; pantomime doctor lets the device compute something',
      });
    return { text: done.folder };
  });
}
