/**
 * Everything that is measured, part by part, as a table and as JSON.
 *
 *     npm run bench -- [--only PART,PART] [--quick] [--json FILE] [--threads N] [--python PATH [--allocator LIBRARY]]
 *
 * The table goes to stdout, or to stderr where the JSON goes to stdout (`--json -`); progress goes to stderr. Every figure
 * has its spread over repeats; ratios are taken between runs of one round. `--python` times PyTorch beside it, see
 * test/bench/peer/peer.py. docs/performance.md tells what the parts are and how to read them.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, notebook, type Results } from './suite/bench.js';
import { parts } from './suite/parts.js';
import { figuresText, tableText } from './suite/text.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string' },
    allocator: { type: 'string' },
  },
});
const { quick, python, allocator } = values;
const wanted = values.only.split(',').filter((name) => name !== '');
const unknown = wanted.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(', ')}; there are ${parts.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const chosen = parts.filter(({ name }) => (wanted.length > 0 ? wanted.includes(name) : name !== 'peer' || python));
const expected = chosen.map(({ seconds: [short, long] }) => (quick ? short : long));

const results: Results = { figures: [], tables: [] };
const folder = await mkdtemp(join(tmpdir(), 'pantomime-bench-'));
const begun = performance.now();
const show = values.json === '-' ? console.error : console.log;
try {
  for (const [i, part] of chosen.entries()) {
    const sum = (seconds: readonly number[]) => seconds.reduce((a, b) => a + b, 0);
    const pace = i === 0 ? 1 : (performance.now() - begun) / 1000 / sum(expected.slice(0, i));
    const left = Math.ceil((sum(expected.slice(i)) * pace) / 60);
    console.error(`${i + 1} of ${chosen.length}: ${part.name} (about ${left} min left)`);
    const bench: Bench = {
      ...{ quick, folder, python, allocator, threads: Number(values.threads), rounds: quick ? 2 : 5 },
      ...notebook(results, part.name),
    };
    await part.run(bench);
    const of = <T extends { readonly part: string }>(all: readonly T[]) => all.filter((one) => one.part === part.name);
    show(figuresText(of(results.figures)));
    for (const table of of(results.tables)) show(`\n${tableText(table)}`);
    show('');
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (values.json) {
  const [cpu] = cpus();
  const machine = {
    ...{ cpu: cpu?.model, cores: availableParallelism(), memoryBytes: totalmem() },
    ...{ node: process.version, platform: `${process.platform}-${process.arch}` },
  };
  const settings = { quick, threads: Number(values.threads), parts: chosen.map(({ name }) => name) };
  const seconds = (performance.now() - begun) / 1000;
  const text = `${JSON.stringify({ machine, settings, seconds, ...results }, null, 2)}\n`;
  if (values.json === '-') process.stdout.write(text);
  else await writeFile(values.json, text);
}
