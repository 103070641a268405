import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { PantomimeError } from '../models/errors.js';
import { cachedRepository } from '../models/hub/cache-layout.js';
import { catalogModel, repositories } from '../models/hub/catalog.js';
import { hubCacheDir } from '../models/hub/hub-settings.js';
import { maxOnnxFileBytes, type OnnxFile } from '../models/runtime/onnx-file.js';
import { hashFile } from './hashes.js';

/** The two networks of DWPose. */
export type DwposeFiles = {
  /** Where people are. */
  readonly detector: OnnxFile;
  /** Their points. */
  readonly pose: OnnxFile;
};

type Part = keyof DwposeFiles;

const { id: repository } = repositories.dwpose;
const published = { detector: publishedFile('yolox_l.onnx'), pose: publishedFile('dw-ll_ucoco_384.onnx') };

type Published = { readonly file: string; readonly sha256: string };

/** A file of DWPose as the catalog has it. */
function publishedFile(file: string): Published {
  const { sha256 } = catalogModel('dwpose')?.files.find(({ as }) => as === file) ?? {};
  if (!sha256) throw new Error(`the catalog does not know ${file}`);
  return { file, sha256 };
}

const pull = 'pantomime models pull dwpose';

/**
 * The files to use: those that are named, whatever they hold, else those in the cache of the Hugging Face Hub, which must be the
 * published ones. Reads them once to know them by their hash. Throws PantomimeError of kind `model`: `pose.dwpose-missing`,
 * `pose.dwpose-changed`, `pose.dwpose-file`.
 * @param named paths, or null where none is named
 */
export async function findDwposeFiles(
  named: Readonly<Record<Part, string | null>>,
  signal?: AbortSignal,
): Promise<DwposeFiles> {
  const paths = {
    detector: named.detector ?? (await cached(published.detector)),
    pose: named.pose ?? (await cached(published.pose)),
  };
  // Both are looked for before one is read: a message shall name all that is missing.
  const missing = (['detector', 'pose'] as const).filter((part) => !paths[part]);
  if (missing.length > 0) throw notThere(missing);
  const identified = async (part: Part): Promise<OnnxFile> => {
    const file = resolve(paths[part] as string);
    const sha256 = await identify(file, named[part] === null ? undefined : `--dwpose-${part}`, signal);
    if (named[part] === null && sha256 !== published[part].sha256) throw changed(part, file, sha256);
    return { file, sha256 };
  };
  return { detector: await identified('detector'), pose: await identified('pose') };
}

/** A file of the repository in the cache: the published one among several states of it, else any. */
async function cached({ file, sha256 }: Published): Promise<string | undefined> {
  const snapshots = join(cachedRepository(hubCacheDir(), repository).dir, 'snapshots');
  let other: string | undefined;
  for (const commit of await readdir(snapshots).catch(() => [])) {
    const path = join(snapshots, commit, file);
    const content = await realpath(path).catch(() => undefined);
    // A snapshot links to content that is named by its hash.
    if (content && basename(content) === sha256) return path;
    if (content) other = path;
  }
  return other;
}

/** Hashes of files that have not changed since they were read: a batch asks for each clip. */
const known = new Map<string, string>();

async function identify(file: string, option: string | undefined, signal: AbortSignal | undefined): Promise<string> {
  const info = await stat(file).catch((cause: unknown) => {
    const what = `${option ? `the file of ${option}` : 'the file'} cannot be read`;
    throw new PantomimeError({ code: 'pose.dwpose-file', kind: 'model', what, where: file, hint: pull, cause });
  });
  if (!info.isFile() || info.size > maxOnnxFileBytes) {
    throw new PantomimeError({
      code: 'pose.dwpose-file',
      kind: 'model',
      what: 'this is no ONNX file of DWPose',
      where: file,
      got: info.isFile() ? `${info.size} bytes` : 'no regular file',
      expected: `an ONNX file of at most ${maxOnnxFileBytes} bytes`,
      hint: pull,
    });
  }
  const key = [file, info.size, info.mtimeMs, info.ino].join();
  const sha256 = known.get(key) ?? (await hashFile(file, signal));
  known.set(key, sha256);
  return sha256;
}

function notThere(missing: readonly Part[]): PantomimeError {
  const files = missing.map((part) => published[part].file).join(' and ');
  return new PantomimeError({
    code: 'pose.dwpose-missing',
    kind: 'model',
    what: `the networks of DWPose are not on this machine: ${files}`,
    where: hubCacheDir(),
    expected: `${repository} in the cache of the Hugging Face Hub`,
    hint: `${pull}, or ${missing.map((part) => `--dwpose-${part} FILE`).join(' ')}`,
  });
}

function changed(part: Part, where: string, got: string): PantomimeError {
  return new PantomimeError({
    code: 'pose.dwpose-changed',
    kind: 'model',
    what: `this is not the published ${published[part].file}`,
    where,
    got: `sha256 ${got}`,
    expected: published[part].sha256,
    hint: `remove it and ${pull}, or name the one you want: --dwpose-${part} FILE`,
  });
}
