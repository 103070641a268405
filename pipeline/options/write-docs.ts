import { mkdir, writeFile } from 'node:fs/promises';
import { optionsJsonSchema, optionsMarkdown } from './docs.js';

// Writes docs/options.md and docs/options.schema.json; run from anywhere after a build.
const docs = new URL('../../../docs/', import.meta.url);
await mkdir(docs, { recursive: true });
await writeFile(new URL('options.md', docs), optionsMarkdown());
await writeFile(new URL('options.schema.json', docs), `${JSON.stringify(optionsJsonSchema(), null, 2)}\n`);
