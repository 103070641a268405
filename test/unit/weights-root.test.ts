import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commonFolder, externalLocation } from '#dist/models/onnx/weights-root.js';

const path = (...parts: string[]) => join(resolve('/'), ...parts);

test('the deepest folder that holds all files', () => {
  expect(commonFolder([path('m', 'unet', 'a.safetensors')])).toBe(path('m', 'unet'));
  expect(commonFolder([path('m', 'unet', 'a'), path('m', 'unet2', 'b')])).toBe(path('m'));
  expect(commonFolder([path('m', 'a'), path('m', 'deep', 'er', 'b')])).toBe(path('m'));
  expect(commonFolder([path('x', 'a'), path('y', 'b')])).toBe(path());
});

test('locations are relative, with forward slashes, and never outside', () => {
  expect(externalLocation(path('m'), path('m', 'unet', 'a'))).toBe('unet/a');
  expect(externalLocation(path('m'), path('m', '..a'))).toBe('..a');
  expect(externalLocation(path('m'), path('mm', 'a'))).toBeUndefined();
  expect(externalLocation(path('m', 'unet'), path('m', 'a'))).toBeUndefined();
  expect(externalLocation(path('m'), path('m'))).toBeUndefined();
});
