import { open } from 'node:fs/promises';

/** Most boxes at the top of a file; ours have four. */
const maxBoxes = 64;

/** Whether the top-level boxes of an mp4 file fill it exactly and hold both the index (`moov`) and the media (`mdat`). */
export async function isWholeMp4(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const header = Buffer.alloc(16);
    const names = new Set<string>();
    let at = 0;
    for (let count = 0; at < size && count < maxBoxes; count += 1) {
      const { bytesRead } = await file.read(header, 0, 16, at);
      if (bytesRead < 8) return false;
      const short = header.readUInt32BE(0);
      // 1 means that a 64-bit size follows.
      const length = short === 1 && bytesRead === 16 ? Number(header.readBigUInt64BE(8)) : short;
      if (length < 8) return false;
      names.add(header.toString('latin1', 4, 8));
      at += length;
    }
    return at === size && names.has('moov') && names.has('mdat');
  } finally {
    await file.close();
  }
}
