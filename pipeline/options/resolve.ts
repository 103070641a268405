import { crossChecks, movementOptions, type OptionsFor } from './checks.js';
import { fieldOf } from './field.js';
import { layerFromObject, type OptionEntry, type OptionLayer } from './layer.js';
import { isPresetName, presets } from './presets.js';
import { type OptionProblem, optionsError, showValue } from './problem.js';
import { type AnimateInput, type AnimateOptions, type OptionName, optionNames, optionsSchema } from './schema.js';

/** Where options come from; a source wins over those after it, and the schema's defaults come last. */
export type OptionSources = {
  /** What a batch says of one of its clips. */
  readonly clip?: OptionLayer | undefined;
  readonly flags?: OptionLayer | undefined;
  readonly settings?: OptionLayer | undefined;
  readonly config?: OptionLayer | undefined;
  readonly preset?: OptionLayer | undefined;
  /** What a command such as `demo` puts in place of the schema's defaults. */
  readonly defaults?: OptionLayer | undefined;
  /** What suits the chosen model, by its card. */
  readonly card?: OptionLayer | undefined;
};

/** Strongest first. */
function layersOf({ clip, flags, settings, config, preset, defaults, card }: OptionSources): readonly OptionLayer[] {
  return [clip, flags, settings, config, preset, defaults, card].filter((layer) => layer !== undefined);
}

/** What the sources say of one option, before anything else is checked; undefined when it does not fit. */
export function chosen<Name extends OptionName>(sources: OptionSources, name: Name): DecidedOptions[Name] | undefined {
  const entry = layersOf(sources)
    .map(({ entries }) => entries.get(name))
    .find((found) => found !== undefined);
  const parsed = optionsSchema.shape[name].safeParse(entry?.value);
  return parsed.success ? (parsed.data as DecidedOptions[Name]) : undefined;
}

/**
 * Merge, check and complete options: a batch's clip > flags > `--set` > config file > preset > defaults > the model's card. Pure.
 * @throws PantomimeError of kind `usage` that lists everything that is wrong, with the place it was written at.
 */
export function resolveOptions(sources: OptionSources, purpose: OptionsFor): AnimateOptions {
  const { clip, flags, settings, config, preset } = sources;
  const layers = layersOf(sources);
  const merged = merge(layers);
  const problems: OptionProblem[] = layers.flatMap((layer) => layer.problems);

  const values: Record<string, unknown> = {};
  const wrong: OptionProblem[] = [];
  for (const name of optionNames) {
    const entry = merged.get(name);
    const parsed = optionsSchema.shape[name].safeParse(entry?.value);
    if (parsed.success) values[name] = parsed.data;
    else wrong.push(wrongValue(name, entry));
  }
  // Conflicts can only be told between values that are each right.
  if (wrong.length > 0) throw optionsError([...problems, ...wrong]);

  const writtenIn = [clip, flags, settings, config].filter((layer) => layer !== undefined);
  const written = (name: OptionName) => writtenIn.find((layer) => layer.entries.has(name))?.entries.get(name)?.where;
  const named = (name: OptionName) => written(name) !== undefined || preset?.entries.has(name) === true;
  const options = complete(values as DecidedOptions, { chunk: named('chunk'), overlap: named('overlap') });
  problems.push(...crossChecks(options, purpose, written));
  if (problems.length > 0) throw optionsError(problems);
  return options;
}

/** The sources of a library call: one plain object, and the preset it names. */
export function sourcesFrom(input: AnimateInput): OptionSources {
  const flags = layerFromObject(input);
  const name = input.preset ?? 'balanced';
  if (!isPresetName(name)) {
    throw optionsError([
      {
        code: 'options.preset',
        where: 'options.preset',
        what: 'there is no such preset',
        got: showValue(name),
        expected: Object.keys(presets).join(', '),
      },
    ]);
  }
  return { flags, preset: layerFromObject(presets[name], `preset ${name}`) };
}

/** Options of a library call, complete but for the model's card: the same checks and presets as on the command line. */
export function optionsFrom(input: AnimateInput, purpose: OptionsFor = 'animate'): AnimateOptions {
  return resolveOptions(sourcesFrom(input), purpose);
}

/** Strongest first. A source that says how to move replaces what weaker ones say about it, in whatever form. */
function merge(layers: readonly OptionLayer[]): Map<OptionName, OptionEntry> {
  const merged = new Map<OptionName, OptionEntry>();
  let movementFrom: OptionLayer | undefined;
  for (const layer of layers) {
    const moves = movementOptions.some((name) => (layer.entries.get(name)?.value ?? null) !== null);
    if (moves) movementFrom ??= layer;
    for (const [name, entry] of layer.entries) {
      const replaced = movementFrom !== undefined && movementFrom !== layer && isMovement(name);
      if (!merged.has(name) && !replaced) merged.set(name, entry);
    }
  }
  return merged;
}

function isMovement(name: OptionName): boolean {
  return (movementOptions as readonly OptionName[]).includes(name);
}

type DecidedOptions = {
  -readonly [K in OptionName]: ReturnType<(typeof optionsSchema.shape)[K]['parse']>;
};

/** Defaults that depend on other options. */
function complete(values: DecidedOptions, named: AnimateOptions['named']): AnimateOptions {
  return {
    ...values,
    named,
    // A pose file or skeleton video is usually the output of an earlier run, which has taken its stride already.
    stride: values.stride ?? (values.pose === null && values.controlVideo === null ? 2 : 1),
    steps: values.steps ?? (values.scheduler === 'ays' ? 10 : 25),
    guidanceScaleMin: values.guidanceScaleMin ?? values.guidanceScale,
    decodeOverlap: values.decodeOverlap ?? Math.min(2, values.decodeChunk - 1),
  };
}

function wrongValue(name: OptionName, entry: OptionEntry | undefined): OptionProblem {
  const { expected } = fieldOf(name);
  return {
    code: 'options.value',
    where: entry?.where,
    what: `${name} does not fit`,
    got: showValue(entry?.value),
    expected: expected.replaceAll('`', ''),
  };
}
