import { z } from 'zod';

/** Headings of the help text and of docs/options.md, in this order. */
export const optionGroups = [
  'Inputs',
  'Model',
  'Clip',
  'Pose',
  'Size and sampling',
  'Windows',
  'Conditioning',
  'Decoding',
  'Output',
  'Machine',
  'Run',
] as const;

export type OptionGroup = (typeof optionGroups)[number];

/** What the command line, the docs and the error messages need to know of an option beyond its zod schema. */
export type OptionMeta = {
  readonly group: OptionGroup;
  /** One sentence without a final full stop; says units. */
  readonly description: string;
  /** What turning it off means, for something that is on unless told otherwise. */
  readonly negative?: string;
  /** One-letter flag, with its dash. */
  readonly short?: string;
  /**
   * Other spellings that mean the same, as published programs spell them. Dashes, underscores and capitals do not matter:
   * `batch_frames` also covers `--batch-frames`.
   */
  readonly aliases?: readonly string[];
  /** Stands for the value in the help text, e.g. `FOLDER`. */
  readonly placeholder?: string;
  /** How the default reads when it depends on other things. */
  readonly defaultText?: string;
  /** How the accepted values read, where the schema alone would not say it well. */
  readonly valuesText?: string;
  /** Other words for a value, e.g. `pyramid` for `triangular`. */
  readonly valueAliases?: Readonly<Record<string, string>>;
  /** The value is a file or folder; words in `keywords` are not. */
  readonly path?: boolean;
  readonly keywords?: readonly string[];
  /** Names of models are no paths either; the value stands for the model that is meant by it for this option. */
  readonly modelUse?: '--model' | '--controlnext' | '--overlay';
  /** Takes several values: a flag that may be repeated, a list in a YAML file. Gives a value with its path changed. */
  readonly list?: { readonly mapPath: (value: string, change: (path: string) => string) => string };
  /** Matters to `pantomime pose` too. */
  readonly pose?: boolean;
};

/** Descriptions of the option schemas, kept apart so that they do not leak into the JSON Schema. */
export const optionMeta = z.registry<OptionMeta>();

/** A zod schema with what people need to know of it. */
export function option<T extends z.ZodType>(schema: T, meta: OptionMeta): T {
  // A copy of its own, since descriptions belong to instances and schemas such as `text` are shared.
  const own = schema.clone();
  optionMeta.add(own, meta);
  return own;
}

/** Path, name or other text from a user: bounded, and without the NUL that would cut it short in system calls. */
export const text = z
  .string()
  .min(1)
  .max(4096)
  .refine((value) => !value.includes('\0'), 'a NUL character');
