import { basename, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import type { Source } from './clip.js';
import { endingOf, pictureEndings, scanFolder, videoEndings } from './clip-folder.js';
import { fileState, whyNoFile } from './file-state.js';
import type { Skipped } from './types.js';

/** The pictures that a batch may use. */
export type Pictures = {
  readonly path: string;
  readonly folder: boolean;
  readonly files: readonly Source[];
  readonly skipped: readonly Skipped[];
};

/**
 * A picture, or the pictures of a folder. A single one may have any ending: whoever opens it will see.
 * @param withClips the clips lie in the same folder, where nobody needs to be told of them.
 * @throws PantomimeError `batch.image` when there is nothing there.
 */
export async function findPictures(path: string, withClips: boolean): Promise<Pictures> {
  const state = await fileState(path);
  if (state === 'folder') {
    const endings = withClips
      ? new Set([...pictureEndings].filter((ending) => !videoEndings.has(ending)))
      : pictureEndings;
    const ignore = (file: string) => withClips && videoEndings.has(endingOf(file));
    const scan = await scanFolder({ dir: path, endings, otherwise: 'not a picture, by its ending', ignore });
    const unfit = scan.files.flatMap(({ file, why }) => (why === undefined ? [] : [{ name: file, why }]));
    const files = scan.files.filter(({ why }) => why === undefined);
    if (files.length === 0) throw unusable(path, 'there is no picture in this folder');
    return { path, folder: true, files, skipped: [...unfit, ...scan.skipped] };
  }
  const why = whyNoFile(state);
  if (why !== undefined) throw unusable(path, state === 'missing' ? why : 'this is not a picture', why);
  const file = basename(path);
  return { path, folder: false, files: [{ file, path: resolve(path), id: file, where: path }], skipped: [] };
}

function unusable(where: string, what: string, got?: string): PantomimeError {
  const expected = 'a picture of the character, or a folder of pictures';
  return new PantomimeError({
    code: 'batch.image',
    kind: 'input',
    what,
    where,
    got: got === what ? undefined : got,
    expected,
  });
}
