import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { carriedBinary } from './carried.js';
import { isRunnable } from './is-runnable.js';
import { runTool } from './run-tool.js';

export type FfmpegOrigin = 'option' | 'environment' | 'path' | 'carried';

/** A pair of working programs and what they can do. */
export type FfmpegTools = {
  readonly ffmpeg: string;
  readonly ffprobe: string;
  /** As ffmpeg says it, e.g. `5.1.9-0+deb12u1`. */
  readonly version: string;
  /** How ffmpeg was found. */
  readonly origin: FfmpegOrigin;
  readonly ffprobeOrigin: FfmpegOrigin;
  readonly encoders: ReadonlySet<string>;
  readonly decoders: ReadonlySet<string>;
  readonly filters: ReadonlySet<string>;
  /** Sentences for the user. */
  readonly warnings: readonly string[];
};

export type LocateOptions = {
  /** Path of ffmpeg (the `--ffmpeg` flag). */
  readonly ffmpeg?: string | undefined;
  readonly ffprobe?: string | undefined;
  /** Where FFMPEG_PATH, FFPROBE_PATH and PATH are read; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly signal?: AbortSignal | undefined;
};

type Tool = 'ffmpeg' | 'ffprobe';
type Found = { readonly path: string; readonly origin: FfmpegOrigin };

const installHint =
  'install ffmpeg (Debian and Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg; Windows: winget install ffmpeg), or name one with --ffmpeg';

/**
 * Find ffmpeg and ffprobe: `--ffmpeg`, FFMPEG_PATH, PATH, then the binaries carried by the registry packages
 * (ffprobe also beside the ffmpeg that was named). A named program that does not work is an error, never skipped.
 * Throws PantomimeError of kind `ffmpeg`.
 */
export async function locateFfmpeg(options: LocateOptions = {}): Promise<FfmpegTools> {
  const { env = process.env, signal } = options;
  const ffmpeg = await find('ffmpeg', options.ffmpeg, env, undefined);
  const version = await readVersion('ffmpeg', ffmpeg, signal);
  const ffprobe = await find('ffprobe', options.ffprobe, env, ffmpeg);
  await readVersion('ffprobe', ffprobe, signal);

  const [encoders, decoders, filters] = await Promise.all(
    ['-encoders', '-decoders', '-filters'].map((list) => readNames(ffmpeg.path, list, signal)),
  );
  if (!encoders?.has('libx264')) {
    const carried = ffmpeg.origin === 'carried' ? undefined : await carriedBinary('ffmpeg', env);
    throw new PantomimeError({
      code: 'ffmpeg.no-libx264',
      kind: 'ffmpeg',
      what: 'this ffmpeg cannot write H.264 video',
      where: ffmpeg.path,
      got: `version ${version} without the encoder libx264`,
      expected: 'a build with libx264',
      hint: carried ? `${installHint}; the old one carried with this package is --ffmpeg ${carried}` : installHint,
    });
  }

  const warnings: string[] = [];
  if (ffmpeg.origin === 'carried') {
    warnings.push(
      `no ffmpeg was found on PATH; using the carried one (${version}, from 2018): ` +
        'fine for your own clips, not for untrusted video. Installing ffmpeg or naming one with --ffmpeg replaces it',
    );
  }
  if (ffprobe.origin !== ffmpeg.origin) {
    warnings.push(`ffmpeg comes from ${ffmpeg.path}, but ffprobe from ${ffprobe.path}`);
  }
  return {
    ffmpeg: ffmpeg.path,
    ffprobe: ffprobe.path,
    version,
    origin: ffmpeg.origin,
    ffprobeOrigin: ffprobe.origin,
    encoders,
    decoders: decoders ?? new Set(),
    filters: filters ?? new Set(),
    warnings,
  };
}

async function find(
  tool: Tool,
  named: string | undefined,
  env: NodeJS.ProcessEnv,
  ffmpeg: Found | undefined,
): Promise<Found> {
  if (named) return { path: await namedTool(tool, named, `--${tool}`, env), origin: 'option' };
  const variable = tool === 'ffmpeg' ? 'FFMPEG_PATH' : 'FFPROBE_PATH';
  const fromEnv = env[variable];
  if (fromEnv) return { path: await namedTool(tool, fromEnv, variable, env), origin: 'environment' };
  // A named ffmpeg usually has its own ffprobe beside it; prefer that to a stranger on PATH.
  if (ffmpeg && ffmpeg.origin !== 'carried') {
    const beside = join(dirname(ffmpeg.path), executableName(tool));
    if (await isRunnable(beside)) return { path: beside, origin: ffmpeg.origin };
  }
  const onPath = await searchPath(tool, env);
  if (onPath) return { path: onPath, origin: 'path' };
  const carried = await carriedBinary(tool, env);
  if (carried) return { path: carried, origin: 'carried' };
  throw new PantomimeError({
    code: `ffmpeg.${tool}-missing`,
    kind: 'ffmpeg',
    what: `${tool} was not found on PATH, and no carried one is installed for ${process.platform}-${process.arch}`,
    hint: installHint,
  });
}

/** A program the user named: a path, or a bare name that is looked up on PATH. */
async function namedTool(tool: Tool, named: string, where: string, env: NodeJS.ProcessEnv): Promise<string> {
  const bare = !/[\\/]/.test(named) && !(await isRunnable(resolve(named)));
  const path = bare ? await searchPath(named, env) : resolve(named);
  if (path && (await isRunnable(path))) return path;
  throw new PantomimeError({
    code: `ffmpeg.${tool}-not-runnable`,
    kind: 'ffmpeg',
    what: `${tool} cannot be run from there`,
    where,
    got: named,
    expected: 'the path of a program file',
    hint: `check that ${named} exists and may be executed`,
  });
}

async function searchPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  // Empty and relative entries mean the working folder: never run a program that merely lies beside the input.
  for (const folder of (env.PATH ?? env.Path ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, executableName(name));
    if (await isRunnable(path)) return path;
  }
  return undefined;
}

function executableName(name: string): string {
  return process.platform === 'win32' && !/\.exe$/i.test(name) ? `${name}.exe` : name;
}

async function readVersion(tool: Tool, found: Found, signal: AbortSignal | undefined): Promise<string> {
  const { stdout, stderr, failure, exitCode } = await runTool(found.path, ['-hide_banner', '-version'], signal);
  const version = new RegExp(`^${tool} version (\\S+)`, 'm').exec(stdout)?.[1];
  if (version && exitCode === 0) return version;
  throw new PantomimeError({
    code: `ffmpeg.not-${tool}`,
    kind: 'ffmpeg',
    what: `this program is not a working ${tool}`,
    where: found.path,
    got: (failure ?? (stdout || stderr).trim().slice(0, 200)) || `exit code ${exitCode} and no output`,
    expected: `"${tool} version ..."`,
    hint: installHint,
  });
}

/** Names listed by `-encoders`, `-decoders` or `-filters`: the second column of lines that start with flags. */
async function readNames(path: string, list: string, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  const { stdout } = await runTool(path, ['-hide_banner', list], signal);
  const names = stdout.split(/\r?\n/).map((line) => /^ [A-Z.|]{2,8} +([\w-]+) +\S/.exec(line)?.[1]);
  return new Set(names.filter((name) => name !== undefined));
}
