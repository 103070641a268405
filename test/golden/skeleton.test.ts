import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { drawSkeleton } from '#dist/stages/pose/draw.js';
import { type PublishedCase, posesFromPublished } from '#dist/stages/pose/published-pose.js';
import type { Keypoint, Person } from '#dist/stages/types.js';

const folder = new URL('../fixtures/pose/', import.meta.url);

/** Control pictures drawn by the published code (with OpenCV) from these poses; `frameK` is the K-th aligned frame. */
describe('published control pictures', () => {
  const cases = new Map<string, PublishedCase>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    cases.set(file.slice(0, -5), posesFromPublished(JSON.parse(readFileSync(new URL(file, folder), 'utf8'))));
  }
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.png'))) {
    const [name, picture] = file.split('.') as [string, string];
    it(`${name}, ${picture}: every value equal`, async () => {
      const { reference, aligned } = cases.get(name)!;
      const frame = picture === 'reference' ? reference : aligned[Number(picture.slice('frame'.length))]!;
      const drawn = drawSkeleton(frame.people, reference.width, reference.height);
      const expected = await sharp(new URL(file, folder).pathname).removeAlpha().raw().toBuffer();
      expect(expected.some((value) => value > 0)).toBe(true);
      expect(Buffer.compare(Buffer.from(drawn.data), expected)).toBe(0);
    });
  }
});

/**
 * People by formula: joints in and out of the picture, scores from 0 to 1.2, several persons over each other. The hashes are
 * of the same drawing calls made with OpenCV 4.14 (RGB bytes), in sizes with every kind of reduction: odd, exactly half,
 * none on one side, and an enlargement.
 */
describe('drawing equals OpenCV', () => {
  const drawings: [number, number, number, string][] = [
    [64, 64, 1, '18b8d22664a7d5a31a04cabc2dd51de6673ba4f4041b7f28a1a788356d5d2172'],
    [577, 333, 2, 'aebcc9dc9c183ad2ae15d460ca3edd4da8c33661da492fd57f6d95090c2d4ac7'],
    [320, 512, 1, 'd94c730aa194c73b10f52e65b46064259869b21aba822bf1411a1ed3e6d09f66'],
    [1080, 1080, 2, '3fb13c738a89d87e31d69bf063c764b698e580c45f96cf80cfd71d3d96ed0fb4'],
    [2160, 2200, 1, 'ff7efd2935af6a7ad5f04d7d27a3bec63673130a3fd1da6ca9941d4902c62717'],
    [2200, 2400, 1, 'f38952b84f5edbf081f3284cd72697eff92c5319e57aa0d803dc91f1cea99b76'],
    [576, 1024, 3, 'f24e8c2cca2489bce045277c0ab4850beb20c176bf1505f5ad213d5f11f0a52b'],
  ];
  drawings.forEach(([width, height, people, sha256], index) => {
    it(`${width}x${height}, people: ${people}`, () => {
      const { data } = drawSkeleton(peopleByFormula(people, 1000 * index), width, height);
      expect(createHash('sha256').update(data).digest('hex')).toBe(sha256);
    });
  });
});

function peopleByFormula(count: number, seed: number): Person[] {
  let k = seed;
  const next = () => {
    k++;
    let v = Math.imul(k, 2654435761) >>> 0;
    v = (v ^ (v >>> 15)) >>> 0;
    v = Math.imul(v, 0x2c1b3c6d) >>> 0;
    v = (v ^ (v >>> 13)) >>> 0;
    return v / 2 ** 32;
  };
  const times = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);
  const body = (): Keypoint[] =>
    times(18, () => ({ x: next() * 1.4 - 0.2, y: next() * 1.4 - 0.2, score: next() * 1.2 }));
  const part = (points: number): Keypoint[] => {
    const cx = 0.2 + 0.6 * next();
    const cy = 0.2 + 0.6 * next();
    return times(points, () => ({ x: cx + (next() - 0.5) * 0.3, y: cy + (next() - 0.5) * 0.3, score: next() * 1.2 }));
  };
  const bodies = times(count, body);
  const left = times(count, () => part(21));
  const right = times(count, () => part(21));
  const faces = times(count, () => part(68));
  return bodies.map((points, i) => ({ body: points, leftHand: left[i]!, rightHand: right[i]!, face: faces[i]! }));
}
