import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** An ONNX file as it lies on disk, e.g. one that somebody else has exported. */
export type OnnxFile = {
  readonly file: string;
  /** What its content must hash to, hex. */
  readonly sha256: string;
};

/** Protocol buffers end at 2 GiB, and so does one read of a file. */
export const maxOnnxFileBytes = 2 ** 31 - 1;

/** The bytes of an ONNX file, and what they hash to. Throws an Error when it is no file, is empty or too large. */
export function readOnnxFile(file: string): { readonly bytes: Uint8Array; readonly sha256: string } {
  // A pipe would be waited for.
  if (!statSync(file).isFile()) throw new Error(`${file} is not a file`);
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size === 0) throw new Error(`${file} is empty`);
    if (size > maxOnnxFileBytes) {
      throw new Error(`${file} has ${size} bytes, which is over the limit of ${maxOnnxFileBytes} (maxOnnxFileBytes)`);
    }
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const read = readSync(fd, bytes, done, size - done, done);
      if (read === 0) throw new Error(`${file} became shorter while it was read`);
      done += read;
    }
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  } finally {
    closeSync(fd);
  }
}
