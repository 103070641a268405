import { z } from 'zod';
import { metaOf } from './names.js';
import { type OptionName, optionsSchema } from './schema.js';

/** The part of JSON Schema that our options use. */
type FieldSchema = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly anyOf?: readonly FieldSchema[];
};

/** One option as the help text, the docs and the error messages see it. */
export type Field = {
  readonly name: OptionName;
  /** On or off: a flag without a value. */
  readonly boolean: boolean;
  /** Numbers are accepted, so text that is one becomes one. */
  readonly numeric: boolean;
  readonly nullable: boolean;
  readonly choices: readonly string[];
  /** What is accepted, e.g. `a whole number from 1 to 1024`. */
  readonly expected: string;
  /** The default as people read it. */
  readonly defaultText: string;
};

const fields = new Map<OptionName, Field>();

/** What the schema says about one option. */
export function fieldOf(name: OptionName): Field {
  const known = fields.get(name);
  if (known) return known;
  const json = z.toJSONSchema(optionsSchema.shape[name], { io: 'input' }) as FieldSchema;
  const branches = flatten(json);
  const values = branches.filter((branch) => branch.type !== 'null');
  const meta = metaOf(name);
  const choices = values.flatMap((branch) => (branch.enum ?? []).map(String));
  const field: Field = {
    name,
    boolean: values.some((branch) => branch.type === 'boolean'),
    numeric: values.some((branch) => branch.type === 'number' || branch.type === 'integer'),
    nullable: branches.some((branch) => branch.type === 'null'),
    choices,
    expected: meta.valuesText ?? values.map(describe).join(' or '),
    defaultText: meta.defaultText ?? defaultText(optionsSchema.shape[name].safeParse(undefined).data),
  };
  fields.set(name, field);
  return field;
}

function flatten(schema: FieldSchema): FieldSchema[] {
  return schema.anyOf ? schema.anyOf.flatMap(flatten) : [schema];
}

function describe(schema: FieldSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.type === 'boolean') return '`true` or `false`';
  if (schema.type === 'string') return 'text';
  const noun = schema.multipleOf
    ? `a multiple of ${schema.multipleOf}`
    : schema.type === 'integer'
      ? 'a whole number'
      : 'a number';
  const { minimum, maximum } = schema;
  const open = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER;
  return minimum === undefined ? noun : open ? `${noun} from ${minimum}` : `${noun} from ${minimum} to ${maximum}`;
}

function defaultText(value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}
