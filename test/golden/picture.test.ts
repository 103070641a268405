import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { readStoredTensor, readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { clipPreprocessing } from '#dist/models/svd/clip-preprocessing.js';
import { clipPixelValues } from '#dist/stages/reference/clip-pixel-values.js';
import { coverPicture } from '#dist/stages/reference/load-picture.js';
import { resizeLanczosPil } from '#dist/stages/reference/resize-lanczos.js';
import { vaeImageTensor } from '#dist/stages/reference/vae-image-tensor.js';
import type { RgbImage } from '#dist/stages/types.js';

let stored: Checkpoint;
beforeAll(async () => {
  stored = await openSafetensors(fileURLToPath(new URL('../fixtures/reference/pixels.safetensors', import.meta.url)));
});
const floats = (name: string) => readTensor(stored.tensors.get(name)!);
const bytes = async (name: string) => (await readStoredTensor(stored.tensors.get(name)!)).data as Uint8Array;

/** The picture by formula of the reference data, with every frequency in it. */
function pictureByFormula(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  let i = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, i++) {
        const slopes =
          Math.floor((x * (c + 1)) / 4) + Math.floor((y * (3 - c)) / 5) + Math.floor((x * y) / (61 + 20 * c));
        data[i] = slopes + ((Math.floor(x / 24) + Math.floor(y / 40)) % 2) * 70 + 31 * c;
      }
    }
  }
  return { width, height, data };
}

const hash = (data: Uint8Array) => createHash('sha256').update(data).digest('hex').slice(0, 32);

describe('resizes of 8-bit pictures', () => {
  /** From, to, hash of Pillow's LANCZOS, hash of PyTorch's bilinear scale-to-cover and centre crop. */
  const cases: [[number, number], [number, number], string, string][] = [
    [[300, 500], [64, 96], 'd253bfdb393472a9c7d43edd39caecc2', '234a07318b7651e4d106e0b68741fc63'],
    [[640, 480], [320, 512], '61c3b82cbe74a8807f2dcd29ebe579c2', 'c15f2d29e8c48dc4d031e77c73f88ed5'],
    [[1000, 700], [576, 1024], '7afcfa5773cdf7ac39845ac235bb32e4', 'e416335c372e23185fd36fde7406a715'],
    [[33, 47], [128, 64], '6c65b33d716ef6461a7e00cb9af3a059', '4dcd1ce32202315c7dd9b15c78939e5a'],
    [[7, 5], [64, 64], '5a0ac4aec06c4b06f085af287ef565c3', 'f458d0ac6d26ed013a2098f1035884ad'],
    [[512, 320], [512, 640], '16a0de0793da6c3087206878887eb760', '50fc1052f6ee7062692aea1504b8bcd1'],
    [[1023, 511], [320, 160], 'ef413eafe6fb21ee73361dd06ee27e65', '6f682aaeb47ab13ded34b9b7bd41399e'],
  ];
  for (const [from, to, lanczos, bilinear] of cases) {
    it(`${from.join('x')} to ${to.join('x')}: Lanczos as Pillow, bilinear cover as torchvision, every byte`, () => {
      const picture = pictureByFormula(...from);
      const [width, height] = to;
      expect(hash(resizeLanczosPil(picture, width, height).data)).toBe(lanczos);
      expect(hash(coverPicture(picture, { width, height, resample: 'reference' }).data)).toBe(bilinear);
    });
  }

  it('antialiased cover is the crop of the whole Lanczos resize', () => {
    const picture = pictureByFormula(200, 90);
    const whole = resizeLanczosPil(picture, 143, 64);
    const { data } = coverPicture(picture, { width: 48, height: 64 });
    const left = 48; // (143 - 48) / 2 = 47.5, to even
    for (let y = 0; y < 64; y++) {
      const row = whole.data.subarray((y * 143 + left) * 3, (y * 143 + left + 48) * 3);
      expect(Buffer.compare(data.subarray(y * 48 * 3, (y + 1) * 48 * 3), row)).toBe(0);
    }
  });
});

describe('inputs of the encoders', () => {
  const clipCases = [
    ['clip_a.rows32', 32, async () => pictureByFormula(576, 1024)],
    ['clip_b.rows16', 16, async () => ({ width: 128, height: 64, data: await bytes('clip_b.image_u8') })],
    ['clip_c.rows16', 16, async () => pictureByFormula(512, 320)],
  ] as const;
  for (const [name, step, picture] of clipCases) {
    it(`${name}: pixel values within 1e-4 of the published resize`, async () => {
      const expected = await floats(name);
      const { data, dims } = clipPixelValues(await picture(), clipPreprocessing({}));
      expect(dims).toEqual([1, 3, 224, 224]);
      const rows = 224 / step;
      let worst = 0;
      for (let i = 0; i < expected.data.length; i++) {
        const [plane, row, x] = [Math.floor(i / 224 / rows), Math.floor(i / 224) % rows, i % 224];
        const got = data[(plane * 224 + row * step) * 224 + x]!;
        worst = Math.max(worst, Math.abs(got - expected.data[i]!));
      }
      expect(expected.data.length).toBe(3 * rows * 224);
      expect(worst).toBeLessThan(1e-4);
    });
  }

  it('vae image: bit for bit, with augmentation noise', async () => {
    const image = { width: 128, height: 8, data: await bytes('vae.image_u8') };
    const expected = await floats('vae.pixels');
    const got = vaeImageTensor(image, await floats('vae.noise'), 0.02);
    expect(got.dims).toEqual([1, 3, 8, 128]);
    expect(Buffer.compare(Buffer.from(got.data.buffer), Buffer.from(expected.data.buffer))).toBe(0);
  });

  it('vae image: -1 to 1 without noise; refuses noise of another size', () => {
    const image = { width: 1, height: 2, data: new Uint8Array([0, 128, 255, 255, 0, 1]) };
    const { data } = vaeImageTensor(image);
    expect([...data.subarray(0, 4)]).toEqual([-1, 1, Math.fround(2 * Math.fround(128 / 255) - 1), -1]);
    const noise = { dtype: 'float32', dims: [1], data: new Float32Array(1) } as const;
    expect(() => vaeImageTensor(image, noise, 0.02)).toThrow(RangeError);
  });
});
