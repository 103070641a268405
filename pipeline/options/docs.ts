import { z } from 'zod';
import { fieldOf } from './field.js';
import { kebabCase, metaOf } from './names.js';
import { optionGroups, optionMeta } from './option-meta.js';
import { presets } from './presets.js';
import { optionNames, optionsSchema } from './schema.js';

const intro = `# Options

Made from \`pipeline/options/schema.ts\` by \`node dist/pipeline/options/write-docs.js\`; do not edit by hand.

Every option can be given as a flag (\`--guidance-scale 2.5\`), by \`--set guidanceScale=2.5\`, in a YAML file read with
\`--config FILE\` (\`guidanceScale: 2.5\`) and in a library call (\`{ guidanceScale: 2.5 }\`). A flag wins over \`--set\`, that over
the config file, that over the preset, that over what suits the model by its own \`pantomime.json\`, that over the defaults
below. Dashes, underscores and capitals in names do not matter, and the other spellings listed are accepted everywhere. Relative paths in a YAML file are meant from its folder.
\`options.schema.json\` describes the same for editors: begin a YAML file with
\`# yaml-language-server: $schema=PATH/options.schema.json\`.
`;

/** The whole of docs/options.md. */
export function optionsMarkdown(): string {
  const sections = optionGroups.map((group) => {
    const rows = optionNames.filter((name) => metaOf(name).group === group).map(row);
    return `## ${group}\n\n| Option | Values | Default | Meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${[intro, ...sections, presetsMarkdown()].join('\n')}`;
}

function row(name: (typeof optionNames)[number]): string {
  const meta = metaOf(name);
  const field = fieldOf(name);
  const flag = kebabCase(name);
  const flags = [meta.short, field.boolean ? `--${flag}\`, \`--no-${flag}` : `--${flag}`]
    .filter(Boolean)
    .map((text) => `\`${text}\``);
  const others = (meta.aliases ?? []).map((alias) => `\`${alias}\``);
  const meaning = others.length > 0 ? `${meta.description}. Also: ${others.join(', ')}` : meta.description;
  const values = meta.path && !meta.valuesText ? 'path' : field.boolean ? 'on, off' : field.expected;
  const words = Object.entries(meta.valueAliases ?? {}).map(([word, value]) => `\`${word}\` means \`${value}\``);
  return `| ${[flags.join(', '), [values, ...words].join('; '), field.defaultText, meaning].map(cell).join(' | ')} |`;
}

function presetsMarkdown(): string {
  const lines = Object.entries(presets).map(([name, values]) => {
    const set = Object.entries(values).map(([option, value]) => `\`${option}: ${value}\``);
    return `- \`${name}\`: ${set.length > 0 ? set.join(', ') : 'the defaults above'}`;
  });
  return `## Presets\n\n${lines.join('\n')}\n`;
}

/** A cell of a table: a bar would end it. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** JSON Schema of a config file, for editors and other programs. */
export function optionsJsonSchema(): object {
  const schema = z.toJSONSchema(optionsSchema, {
    io: 'input',
    metadata: optionMeta,
    override: ({ jsonSchema }) => {
      for (const key of Object.keys(jsonSchema)) if (!jsonSchemaKeys.has(key)) delete jsonSchema[key];
    },
  });
  return { ...schema, title: 'pantomime options' };
}

/** What of a description is JSON Schema's own; the rest (flags, groups, ...) concerns the command line. */
const jsonSchemaKeys = new Set([
  '$schema',
  'type',
  'properties',
  'additionalProperties',
  'required',
  'description',
  'default',
  'anyOf',
  'enum',
  'const',
  'minimum',
  'maximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'items',
  'maxItems',
]);
