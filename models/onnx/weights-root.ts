import { dirname, isAbsolute, parse, relative, sep } from 'node:path';
import { PantomimeError } from '../errors.js';

/**
 * The deepest folder that holds all `files` (real, absolute paths): the only folder the runtime is allowed to read
 * weights from. The working directory when there are no files.
 */
export function commonFolder(files: readonly string[]): string {
  const first = files[0];
  if (first === undefined) return process.cwd();
  let folder = dirname(first);
  for (const file of files) {
    if (parse(file).root.toLowerCase() !== parse(folder).root.toLowerCase()) {
      throw new PantomimeError({
        code: 'model.several-drives',
        kind: 'model',
        what: 'the weights of one graph lie on several drives',
        where: file,
        expected: `a file below ${parse(folder).root}`,
        hint: 'Copy the weights to one drive.',
      });
    }
    while (externalLocation(folder, file) === undefined) folder = dirname(folder);
  }
  return folder;
}

/** Path of `file` below `root` as ONNX external data wants it: relative, forward slashes; undefined when outside. */
export function externalLocation(root: string, file: string): string | undefined {
  const path = relative(root, file);
  if (path === '' || isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`)) return undefined;
  return path.split(sep).join('/');
}
