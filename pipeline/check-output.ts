import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PantomimeError } from '../models/errors.js';
import { exists } from './files.js';
import { isUnfinished } from './run-store.js';

/** The results of another, finished run are replaced only when that was asked for. @param result its main file. */
export async function checkOutput(
  runDir: string,
  result: string,
  { overwrite }: { readonly overwrite: boolean },
): Promise<void> {
  const there = await stat(result).catch(() => undefined);
  if (there?.isDirectory()) {
    throw new PantomimeError({
      code: 'output.is-a-folder',
      kind: 'usage',
      what: 'a folder has the name of the result',
      where: result,
      hint: 'choose another name with -o',
    });
  }
  if (!there || overwrite || (await isUnfinished(runDir))) return;
  throw new PantomimeError({
    code: 'output.exists',
    kind: 'usage',
    what: 'the result of another run is there already',
    where: result,
    hint: '--overwrite to replace it, or another place with -o',
  });
}

/** The nearest folder that exists must be writable and have room. */
export async function checkDisk(runDir: string, needed: number): Promise<void> {
  let folder = runDir;
  while (!(await exists(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  if (!(await stat(folder)).isDirectory()) {
    throw new PantomimeError({
      code: 'output.not-a-folder',
      kind: 'input',
      what: 'the output would lie inside a file',
      where: folder,
      hint: 'choose another place with -o FOLDER',
    });
  }
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new PantomimeError({
      code: 'output.not-writable',
      kind: 'input',
      what: 'the output folder cannot be written',
      where: folder,
      hint: 'choose another place with -o FOLDER',
      cause,
    });
  });
  const { bavail, bsize, blocks } = await statfs(folder);
  // File systems that are no disks (procfs, some network ones) say 0 of 0.
  if (blocks === 0 || bavail * bsize >= needed) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;
  throw new PantomimeError({
    code: 'output.no-space',
    kind: 'input',
    what: 'there is not enough free disk space for this run',
    where: folder,
    got: `${megabytes(bavail * bsize)} free`,
    expected: `about ${megabytes(needed)}`,
    hint: 'free some space, choose another disk with -o FOLDER, or use --max-frames',
  });
}
