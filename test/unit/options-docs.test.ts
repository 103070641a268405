import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { optionsJsonSchema, optionsMarkdown } from '#dist/pipeline/options/docs.js';
import { optionNames } from '#dist/pipeline/options/schema.js';

const docs = new URL('../../docs/', import.meta.url);

// Out of date? node dist/pipeline/options/write-docs.js
it('docs/options.md is made from the schema', async () => {
  expect(await readFile(new URL('options.md', docs), 'utf8')).toBe(optionsMarkdown());
});

it('docs/options.schema.json is made from the schema', async () => {
  const committed = JSON.parse(await readFile(new URL('options.schema.json', docs), 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(optionsJsonSchema())));
  expect(Object.keys(committed.properties)).toEqual([...optionNames]);
  expect(committed.properties.chunk).toEqual({
    default: 24,
    description: 'Frames the network sees at once',
    type: 'integer',
    minimum: 1,
    maximum: 1024,
  });
  expect(committed.required).toBeUndefined();
  expect(committed.additionalProperties).toBe(false);
});
