// Everything between a bare clone and a runnable package, in plain Node: install, then build. Does only what is missing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`pantomime needs Node 20.19 or newer; this is ${process.version}. Get it from https://nodejs.org`);
  process.exit(1);
}

/** Run npm or a Node program in the project root; end this process with its status if it fails. */
function run(command, args, env = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const stamp = `${root}node_modules/.pantomime-setup`;
const lock = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('pantomime: installing packages (registry only; no CUDA download) ...');
  // npm itself is a Node program: run it with this Node where its path is known, so that no shell is needed.
  const npm = process.env.npm_execpath;
  const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const env = { ONNXRUNTIME_NODE_INSTALL: process.env.ONNXRUNTIME_NODE_INSTALL ?? 'skip' };
  if (npm?.endsWith('.js')) run(process.execPath, [npm, ...install], env);
  else run('npm', install, env);
  writeFileSync(stamp, lock);
}

console.error('pantomime: building ...');
run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.json']);
