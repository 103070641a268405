import { type Command, Option } from 'commander';
import { PantomimeError } from '../../../models/errors.js';
import type { ModelEvent } from '../../model-store/types.js';
import { askYes, canAsk } from '../ask-yes.js';
import { controlFlags } from '../controls.js';
import { makeModelsReporter } from '../models-reporter.js';
import { jsonlVersion } from '../report-jsonl.js';
import { isInteractive } from '../reporter.js';
import { type Listening, perform, verbosityOf } from '../run-command.js';
import { commandLine } from './command-line.js';

/** What a subcommand has done: words for stdout, and with --json one object, or none where events have told. */
type Done = {
  readonly text: string;
  readonly json?: { readonly type: string; readonly [key: string]: unknown };
  /** To be told after the text. */
  readonly failure?: PantomimeError | undefined;
};
type Work = (context: Listening<ModelEvent>, flags: Readonly<Record<string, unknown>>) => Promise<Done>;

/** `pantomime models`: what there is, how it is got, what it costs and under which terms. */
export function addModelsCommand(program: Command, exit: (code: number) => void): void {
  const models = program
    .command('models')
    .summary('list, download, check and name models; their licences')
    .description(
      'Models that pantomime is made for, and your own: what is here, how large they are, under which licence. Files lie in the cache of the Hugging Face Hub (HF_HOME), shared with other programs. HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE are honoured.',
    );
  const add = (words: string, summary: string, isDefault = false): Command => {
    const command = models
      .command(words, { isDefault })
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
    for (const name of ['json', 'quiet', 'verbose'] as const) {
      const { flags, description } = controlFlags[name] as (typeof controlFlags)[string];
      command.addOption(new Option(flags, description));
    }
    return command;
  };
  const run = async (command: Command, work: Work) => exit(await performModels(command, work));

  const list = add('list', 'list models: what is here, sizes, licences', true).action(() => run(list, listModels));
  const pull = add('pull', 'download a model, checked; what is there already is not downloaded again')
    .argument('<NAME>', 'name from the list, or hf:OWNER/NAME@REVISION, also with /PATH/OF/FILE behind it')
    .addOption(new Option('--accept-licence', 'The licences were read and are accepted'))
    .addOption(new Option('--accept-license', 'The same').hideHelp())
    .addOption(new Option('--check', 'Read what is there too, and download again what is damaged'))
    .action((name: string) => run(pull, (context, flags) => pullModel(name, context, flags)));
  const verify = add('verify', 'read the files of models and compare them with their hashes')
    .argument('[NAMES...]', 'models; without any, all that are here')
    .action((names: string[]) => run(verify, (context) => verifyModels(names, context)));
  const register = add('add', 'give a file or folder of your own a name; nothing is copied')
    .argument('<NAME>', 'name for --model, --controlnext or --overlay')
    .argument('<PATH>', 'model folder in diffusers layout, or a weights file')
    .addOption(new Option('--licence <TEXT>', 'Its licence, for the list'))
    .addOption(new Option('-y, --overwrite', 'Replace another model of that name'))
    .action((name: string, path: string) => run(register, (context, flags) => addOne(name, path, context, flags)));
  const inspect = add('inspect', "count a model's parameters and compare its tensors with what is built from it")
    .argument('<MODEL>', 'name of a model that is here, a model folder or file, or embedded')
    .addOption(new Option('--overlay <FILE|NAME>', 'Fine-tuned UNet tensors laid over it; none: without any'))
    .addOption(new Option('--controlnext <FILE|NAME>', 'Pose control network; none: without one'))
    .addOption(new Option('--variant <NAME>', 'Which files of a model folder').choices(['auto', 'fp16', 'fp32']))
    .action((model: string) => run(inspect, (_context, flags) => inspectOne(model, flags)));
  const path = add('path', 'print where a model is, for scripts')
    .argument('<NAME>', 'name of a model that is here')
    .action((name: string) => run(path, () => printPath(name)));
  const licence = add('licence', 'say in plain words what the licence of a model means')
    .alias('license')
    .argument('[NAME]', 'name from the list; without one, all')
    .action((name: string | undefined) => run(licence, () => printLicences(name)));
}

async function performModels(command: Command, work: Work): Promise<number> {
  const { flags, controls } = commandLine(command);
  const json = controls.json === true;
  const reporter = makeModelsReporter(
    { json, verbosity: verbosityOf(controls) },
    { stdout: process.stdout, stderr: process.stderr, env: process.env },
  );
  return perform<ModelEvent>(controls, reporter, async (context) => {
    const done = await work(context, { ...flags, json });
    const { failure } = done;
    if (json && done.json) return { text: JSON.stringify({ v: jsonlVersion, t: Date.now(), ...done.json }), failure };
    return { text: done.text, result: json ? done : undefined, failure };
  });
}

async function listModels(): Promise<Done> {
  const { modelStates } = await import('../../model-store/model-states.js');
  const { modelStore } = await import('../../model-store/types.js');
  const { modelsTable } = await import('../models-text.js');
  const models = await modelStates(modelStore());
  const color = isInteractive(process.stdout, process.env);
  return { text: modelsTable(models, { color }), json: { type: 'models.list', models } };
}

async function pullModel(
  name: string,
  { signal, onEvent }: Listening<ModelEvent>,
  { acceptLicence, acceptLicense, check, json }: Readonly<Record<string, unknown>>,
): Promise<Done> {
  const { pull } = await import('../../model-store/pull.js');
  const { modelStore } = await import('../../model-store/types.js');
  const { path } = await pull(name, modelStore(), {
    ...{ signal, onEvent, check: check === true },
    accept: async (licences) =>
      acceptLicence === true ||
      acceptLicense === true ||
      !licences.some(({ ask }) => ask) ||
      (!json && canAsk() && (await askYes('Do you accept these terms?', signal))),
  });
  return { text: path };
}

async function verifyModels(names: readonly string[], { signal, onEvent }: Listening<ModelEvent>): Promise<Done> {
  const { presentModels, verifyModel } = await import('../../model-store/verify.js');
  const { modelStore } = await import('../../model-store/types.js');
  const store = modelStore();
  const wrong: string[] = [];
  const counts = { right: 0, unknown: 0, damaged: 0, missing: 0 };
  const models = names.length > 0 ? names : await presentModels(store);
  for (const name of models) {
    for await (const file of verifyModel(name, store, signal)) {
      onEvent({ type: 'verify.file', ...file });
      counts[file.state]++;
      if (file.state === 'damaged' || file.state === 'missing') wrong.push(`${name}: ${file.file} is ${file.state}`);
    }
  }
  if (wrong.length === 0) {
    const unknown = counts.unknown > 0 ? `, ${counts.unknown} without a known hash` : '';
    return { text: `${counts.right} files are right${unknown}`, json: { type: 'verify.done', models, ...counts } };
  }
  throw new PantomimeError({
    code: 'model.damaged',
    kind: 'model',
    what: `${wrong.length} files are not what they should be`,
    got: wrong.slice(0, 8).join('\n'),
    hint: 'pantomime models pull NAME --check downloads them again; a model of your own is noted anew by models add --overwrite',
  });
}

async function addOne(
  name: string,
  path: string,
  { signal }: Listening<ModelEvent>,
  { licence, overwrite }: Readonly<Record<string, unknown>>,
): Promise<Done> {
  const { addModel } = await import('../../model-store/added-models.js');
  const { modelStore } = await import('../../model-store/types.js');
  const added = await addModel(name, path, modelStore(), {
    ...{ signal, overwrite: overwrite === true },
    licence: typeof licence === 'string' ? licence : undefined,
  });
  return { text: added.path, json: { type: 'models.added', name, ...added } };
}

async function inspectOne(model: string, flags: Readonly<Record<string, unknown>>): Promise<Done> {
  const { inspectModel } = await import('../../inspect-model.js');
  const { modelReportText } = await import('../model-report-text.js');
  const report = await inspectModel(model, flags);
  return {
    text: modelReportText(report),
    json: { type: 'models.inspect', ...report },
    failure: report.fits
      ? undefined
      : new PantomimeError({
          code: 'model.mismatch',
          kind: 'model',
          what: 'tensors of this model are not those that are built from its configs',
          where: report.dir,
          hint: 'Check that the weights and their config.json belong to the same model.',
        }),
  };
}

async function printPath(name: string): Promise<Done> {
  const { locate } = await import('../../model-store/locate.js');
  const { modelStore } = await import('../../model-store/types.js');
  const path = await locate(name, modelStore());
  return { text: path, json: { type: 'models.path', name, path } };
}

async function printLicences(name: string | undefined): Promise<Done> {
  const { licencesOf } = await import('../../model-store/licences-of.js');
  const { modelStore } = await import('../../model-store/types.js');
  const { licenceLines } = await import('../models-text.js');
  const notices = await licencesOf(name, modelStore());
  const text = notices.map((notice) => licenceLines(notice).join('\n')).join('\n');
  return { text, json: { type: 'models.licence', licences: notices } };
}
