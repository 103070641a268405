// Runs a TypeScript file of this folder on any Node that the project supports: node test/bench/run.mjs NAME [options]
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const [name, ...words] = process.argv.slice(2);
if (!name || !/^[\w-]+$/.test(name)) {
  console.error('usage: node test/bench/run.mjs NAME [options]');
  process.exit(2);
}
process.argv = [process.argv[0], name, ...words];
await runnerImport(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), {
  configFile: false,
  logLevel: 'error',
  esbuild: { target: 'node20' },
});
