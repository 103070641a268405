import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { modelDirOf } from '../embedded-model.js';
import { readModelCard } from '../model-card.js';
import { locateModel } from '../model-store/locate.js';
import type { OptionsFor } from './checks.js';
import { layerFromFlags, layerFromObject, layerFromSettings, type OptionLayer } from './layer.js';
import { isPresetName, presets } from './presets.js';
import { chosen, type OptionSources, resolveOptions, sourcesFrom } from './resolve.js';
import type { AnimateInput, AnimateOptions } from './schema.js';
import { layerFromYaml, maxConfigBytes } from './yaml-layer.js';

/** What a command line says about options. */
export type CommandLineOptions = {
  /** Flags by canonical option name, as text; on-off flags as booleans. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** `NAME=VALUE` of every `--set`. */
  readonly settings: readonly string[];
  /** Path of a YAML file. */
  readonly config: string | undefined;
};

/**
 * Read the files a command line names (config, preset) and resolve everything.
 * @param defaults win over the model's card and the schema's defaults only.
 */
export async function loadOptions(
  line: CommandLineOptions,
  purpose: OptionsFor,
  defaults?: AnimateInput,
): Promise<AnimateOptions> {
  return resolveForModel(await loadSources(line, defaults), purpose);
}

/** Read the files a command line names (config, preset). */
export async function loadSources(line: CommandLineOptions, defaults?: AnimateInput): Promise<OptionSources> {
  const flags = layerFromFlags(line.flags);
  const settings = layerFromSettings(line.settings);
  const config = line.config === undefined ? undefined : await layerFromFile(line.config, 'config');
  const named = [flags, settings, config].map((layer) => layer?.entries.get('preset')).find((entry) => entry);
  const preset = await presetLayer(typeof named?.value === 'string' ? named.value : 'balanced');
  return { flags, settings, config, preset, defaults: defaults && layerFromObject(defaults) };
}

/** Options of a library call, complete: the same checks, presets and model card as on the command line. */
export async function optionsOfCall(input: AnimateInput, purpose: OptionsFor = 'animate'): Promise<AnimateOptions> {
  return resolveForModel(sourcesFrom(input), purpose);
}

/** Options whose values may be names of models. */
const named = ['model', 'controlnext', 'overlay'] as const;

/** Resolves with names of models as paths, and with what suits the chosen model, where a model is needed. */
export async function resolveForModel(sources: OptionSources, purpose: OptionsFor): Promise<AnimateOptions> {
  if (purpose !== 'animate') return resolveOptions(sources, purpose);
  const located: { [name in (typeof named)[number]]?: string } = {};
  for (const name of named) {
    const word = chosen(sources, name);
    if (word !== undefined) located[name] = await locateModel(word, `--${name}`);
  }
  const card = located.model === undefined ? undefined : await readModelCard(modelDirOf(located.model));
  return { ...resolveOptions({ ...sources, card: card?.defaults }, purpose), ...located };
}

async function presetLayer(name: string): Promise<OptionLayer> {
  if (isPresetName(name)) return layerFromObject(presets[name], `preset ${name}`);
  const layer = await layerFromFile(name, 'preset');
  const nested = layer.entries.get('preset');
  if (!nested) return layer;
  const problem = { code: 'preset.nested', where: nested.where, what: 'a preset cannot name another preset' };
  return { entries: layer.entries, problems: [...layer.problems, problem] };
}

async function layerFromFile(path: string, what: 'config' | 'preset'): Promise<OptionLayer> {
  return layerFromYaml(await readSmallFile(path, what), path, dirname(resolve(path)));
}

async function readSmallFile(path: string, what: 'config' | 'preset'): Promise<string> {
  const hint =
    what === 'preset' ? `--preset ${Object.keys(presets).join(', or --preset ')}, or a YAML file` : undefined;
  try {
    // Before opening: a pipe would be waited for, and a device has no end.
    const info = await stat(path);
    if (!info.isFile() || info.size > maxConfigBytes) {
      throw new PantomimeError({
        code: `${what}.unreadable`,
        kind: 'usage',
        what: info.isFile() ? `the ${what} file is too large` : `the ${what} is not a file`,
        where: path,
        got: info.isFile() ? `${info.size} bytes` : undefined,
        expected: `a YAML file of at most ${maxConfigBytes} bytes`,
        hint,
      });
    }
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof PantomimeError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw new PantomimeError({
      code: `${what}.unreadable`,
      kind: 'usage',
      what: code === 'ENOENT' ? `there is no such ${what}` : `the ${what} file cannot be read`,
      where: path,
      got: code,
      hint,
      cause,
    });
  }
}
