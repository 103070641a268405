import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { handTask, poseTask } from '#dist/stages/pose/mediapipe-assets.js';
import { readPinned } from '#dist/stages/pose/pinned-file.js';
import { storedZip } from '#dist/stages/pose/stored-zip.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A reader of its own: names, positions and contents by the central directory. */
function filesOf(zip: Uint8Array): { name: string; start: number; data: Uint8Array }[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.length - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  const files = [];
  for (let at = view.getUint32(end + 16, true), i = 0; i < view.getUint16(end + 10, true); i++) {
    expect(view.getUint32(at, true)).toBe(0x02014b50);
    const size = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    expect(view.getUint32(local, true)).toBe(0x04034b50);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const name = Buffer.from(zip.subarray(at + 46, at + 46 + nameLength)).toString();
    files.push({ name, start, data: zip.subarray(start, start + size) });
    at += 46 + nameLength;
  }
  return files;
}

/** The TFLite model table of a file, read without the code under test. */
function modelOf(model: Uint8Array) {
  const view = new DataView(model.buffer, model.byteOffset, model.byteLength);
  const root = view.getUint32(0, true);
  const vtable = root - view.getInt32(root, true);
  const vector = (field: number) => {
    const at = root + view.getUint16(vtable + 4 + 2 * field, true);
    const start = at + view.getUint32(at, true);
    return { start, length: view.getUint32(start, true) };
  };
  return {
    identifier: Buffer.from(model.subarray(4, 8)).toString(),
    buffers: vector(4).length,
    metadata: vector(6).length,
  };
}

describe('MediaPipe task files', () => {
  test('both networks of each, aligned, with one metadata entry, the pinned bytes unchanged at the end', async () => {
    const pose = filesOf(await poseTask('lite'));
    const hand = filesOf(await handTask());
    expect([...pose, ...hand].map(({ name }) => name)).toEqual([
      ...['pose_detector.tflite', 'pose_landmarks_detector.tflite'],
      ...['hand_detector.tflite', 'hand_landmarks_detector.tflite'],
    ]);
    for (const { start, data } of [...pose, ...hand]) {
      expect(start % 4).toBe(0);
      expect(modelOf(data)).toMatchObject({ identifier: 'TFL3', metadata: 1 });
    }
    const lite = pose[1]?.data.slice(-2819824) as Uint8Array;
    expect(sha256(lite)).toBe('f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61');
    expect(modelOf(pose[1]?.data as Uint8Array).buffers).toBe(modelOf(lite).buffers + 1);
  });

  test('equal files give equal bytes', () => {
    const files = { a: new Uint8Array([1, 2, 3]), bcd: new Uint8Array(0) };
    expect(storedZip(files)).toEqual(storedZip(files));
    expect(filesOf(storedZip(files)).map(({ name, data }) => [name, [...data]])).toEqual([
      ['a', [1, 2, 3]],
      ['bcd', []],
    ]);
  });
});

describe('readPinned', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pinned-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

  test('a range or the whole of a file, and an error for anything else', async () => {
    const path = join(folder, 'model');
    await writeFile(path, bytes);
    const range = [10, 20] as const;
    expect(await readPinned({ path, sha256: sha256(bytes) }, '')).toEqual(bytes);
    expect(await readPinned({ path, range, sha256: sha256(bytes.subarray(10, 20)) }, '')).toEqual(bytes.slice(10, 20));

    const changed = bytes.with(15, 14);
    await writeFile(path, changed);
    const pinned = { path, range, sha256: sha256(bytes.subarray(10, 20)) };
    await expect(readPinned(pinned, 'again')).rejects.toMatchObject({
      code: 'pose.asset-changed',
      kind: 'model',
      details: { where: path, hint: 'again' },
    });
    await writeFile(path, bytes.subarray(0, 15));
    await expect(readPinned(pinned, '')).rejects.toMatchObject({ code: 'pose.asset-changed' });
    await rm(path);
    await expect(readPinned(pinned, '')).rejects.toMatchObject({ code: 'pose.asset-missing', kind: 'model' });
  });
});
