import { chmod, copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isRunnable } from './is-runnable.js';

/**
 * The binary that a registry package carries, made runnable; undefined when there is none for this platform.
 * The packages' own index files are not asked: they throw strings, and miss nested installs.
 */
export async function carriedBinary(name: 'ffmpeg' | 'ffprobe', env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const scope = `@${name}-installer`;
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  let path: string;
  try {
    const wrapper = createRequire(import.meta.url).resolve(`${scope}/${name}/package.json`);
    const manifest = createRequire(wrapper).resolve(`${scope}/${process.platform}-${process.arch}/package.json`);
    path = join(dirname(manifest), file);
    if (!(await stat(path)).isFile()) return undefined;
  } catch {
    return undefined;
  }
  return await makeRunnable(path, env);
}

/**
 * Installed without package scripts, a carried binary lacks its run bit: set it, or where the install is read-only (or
 * belongs to somebody else), run a copy in the user's cache folder. Exported, with `setMode`, for its test.
 */
export async function makeRunnable(path: string, env: NodeJS.ProcessEnv, setMode = chmod): Promise<string> {
  if (await isRunnable(path)) return path;
  try {
    await setMode(path, 0o755);
    return path;
  } catch {
    const { size, mtimeMs } = await stat(path);
    const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
    const copy = join(
      cache,
      'pantomime',
      'bin',
      `${size}-${Math.round(mtimeMs)}`,
      path.split(/[\\/]/).at(-1) ?? 'tool',
    );
    if (await isRunnable(copy)) return copy;
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    const part = `${copy}.${process.pid}.part`;
    try {
      await copyFile(path, part);
      await chmod(part, 0o755);
      await rename(part, copy);
    } finally {
      await rm(part, { force: true });
    }
    return copy;
  }
}
