import { openPictureFile } from './picture-file.js';

/** Size of a picture file as it is looked at (upright), without decoding it. Throws as `openPictureFile`. */
export async function readPictureInfo(
  path: string,
): Promise<{ readonly width: number; readonly height: number; readonly format: string }> {
  const { width, height, format } = await openPictureFile(path);
  return { width, height, format };
}
