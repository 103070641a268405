#!/usr/bin/env node
import { toPantomimeError } from '../explain-error.js';
import { buildProgram, usageError } from './program.js';
import { printError } from './run-command.js';

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const words = process.argv.slice(2);
try {
  process.exitCode = await buildProgram().run(words);
} catch (thrown) {
  const error = usageError(thrown) ?? toPantomimeError(thrown);
  printError(error, words.includes('--verbose') || words.includes('-v'));
  process.exitCode = error.exitCode;
}
