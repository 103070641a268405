import { open, stat } from 'node:fs/promises';
import type { RgbImage } from '../stages/types.js';

/** Control pictures in a raw file, uint8 [frames, H, W, 3], read by rows: memory does not grow with the clip. */
export type ControlMaps = {
  readonly file: string;
  readonly dtype: 'uint8';
  readonly dims: readonly [frames: number, height: number, width: number, channels: 3];
};

/** Writes pictures of one size to `file`. */
export async function writeControlMaps(
  file: string,
  pictures: AsyncIterable<RgbImage> | Iterable<RgbImage>,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<ControlMaps> {
  const handle = await open(file, 'w');
  let frames = 0;
  try {
    for await (const picture of pictures) {
      if (picture.width !== width || picture.height !== height) {
        throw new RangeError(`control picture ${frames} is ${picture.width}x${picture.height}, not ${width}x${height}`);
      }
      await handle.writeFile(picture.data);
      frames++;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { file, dtype: 'uint8', dims: [frames, height, width, 3] };
}

/** An earlier file of whole pictures; undefined when it is none. */
export async function findControlMaps(
  file: string,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<ControlMaps | undefined> {
  const bytes = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  );
  const frames = bytes / (width * height * 3);
  return frames >= 1 && Number.isInteger(frames)
    ? { file, dtype: 'uint8', dims: [frames, height, width, 3] }
    : undefined;
}

/** Reads one control picture back. */
export async function readControlMap(maps: ControlMaps, frame: number): Promise<RgbImage> {
  const [, height, width] = maps.dims;
  const size = height * width * 3;
  const handle = await open(maps.file);
  try {
    const data = new Uint8Array(size);
    let read = 0;
    while (read < size) {
      const { bytesRead } = await handle.read(data, read, size - read, frame * size + read);
      if (bytesRead === 0) throw new Error(`${maps.file} ends inside frame ${frame}`);
      read += bytesRead;
    }
    return { width, height, data };
  } finally {
    await handle.close();
  }
}
