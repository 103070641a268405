/**
 * Draws the pictures in `samples/reference`:
 *
 *     npm run build && node dist/samples/write-references.js
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import sharp from 'sharp';
import { referencePath, referencePicture, references } from './references.js';

for (const { name, seed } of references) {
  const path = referencePath(name);
  const { width, height, data } = referencePicture(seed).image;
  await mkdir(dirname(path), { recursive: true });
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9, adaptiveFiltering: true })
    .toFile(path);
  process.stderr.write(`${path}\n`);
}
