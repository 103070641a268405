import sharp from 'sharp';
import { castRecord, picture, type RecordKind, recordKinds } from './record.js';

/** Writes a PNG to look at: for each record a row of its frames (the reference first) and a row of their control pictures. */
export async function writeSheet(path: string, kind: RecordKind, first: number, count: number): Promise<void> {
  const { width, height } = picture;
  const columns = recordKinds[kind].frames;
  const sheet = { width: columns * width, height: count * 2 * height };
  const data = Buffer.alloc(sheet.width * sheet.height * 3);
  for (let record = 0; record < count; record++)
    castRecord(kind, first + record).frames.forEach(({ image, pose }, column) => {
      [image, pose].forEach((shown, half) => {
        for (let row = 0; row < height; row++)
          data.set(
            shown.data.subarray(row * width * 3, (row + 1) * width * 3),
            (((record * 2 + half) * height + row) * sheet.width + column * width) * 3,
          );
      });
    });
  await sharp(data, { raw: { ...sheet, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toFile(path);
}
