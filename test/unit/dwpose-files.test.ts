import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findDwposeFiles } from '#dist/pipeline/dwpose-files.js';
import { optionsFrom } from '#dist/pipeline/options/resolve.js';
import { choosePoseBackend, poseBackendKey, poseBackendText } from '#dist/pipeline/pose-backend.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dwpose-files-'));
  vi.stubEnv('HF_HUB_CACHE', join(dir, 'hub'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const names = { detector: 'yolox_l.onnx', pose: 'dw-ll_ucoco_384.onnx' };
const publishedDetector = '7860ae79de6c89a3c1eb72ae9a2756c0ccfbe04b7791bb5880afabd97855a411';
const nothingNamed = { detector: null, pose: null };

async function put(name: string, text: string): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, text);
  return file;
}

/** A snapshot as programs around the Hub lay it out: links to blobs that are named by their hashes. */
async function snapshot(
  commit: string,
  files: Readonly<Record<string, string>>,
  { hub = join(dir, 'hub'), blob = sha256 }: { readonly hub?: string; readonly blob?: (text: string) => string } = {},
): Promise<string> {
  const repository = join(hub, 'models--yzd-v--DWPose');
  const folder = join(repository, 'snapshots', commit);
  for (const made of [folder, join(repository, 'blobs')]) await mkdir(made, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(repository, 'blobs', blob(text)), text);
    await symlink(join('..', '..', 'blobs', blob(text)), join(folder, name));
  }
  return folder;
}

describe('files of DWPose', () => {
  it('are asked for by the command to type when they are not there, all at once', async () => {
    await expect(findDwposeFiles(nothingNamed)).rejects.toMatchObject({
      code: 'pose.dwpose-missing',
      kind: 'model',
      message: expect.stringContaining('yolox_l.onnx and dw-ll_ucoco_384.onnx'),
      details: {
        where: join(dir, 'hub'),
        hint: 'pantomime models pull dwpose, or --dwpose-detector FILE --dwpose-pose FILE',
      },
    });
    const detector = await put('mine.onnx', 'mine');
    await expect(findDwposeFiles({ detector, pose: null })).rejects.toMatchObject({
      code: 'pose.dwpose-missing',
      details: { hint: 'pantomime models pull dwpose, or --dwpose-pose FILE' },
    });
  });

  it('are whatever somebody names, known by what they hold', async () => {
    const [detector, pose] = [await put('a.onnx', 'one'), await put('b.onnx', 'two')];
    expect(await findDwposeFiles({ detector, pose })).toEqual({
      detector: { file: detector, sha256: sha256('one') },
      pose: { file: pose, sha256: sha256('two') },
    });
    await writeFile(pose, 'three');
    expect((await findDwposeFiles({ detector, pose })).pose.sha256).toBe(sha256('three'));
    await expect(findDwposeFiles({ detector: join(dir, 'none.onnx'), pose })).rejects.toMatchObject({
      code: 'pose.dwpose-file',
      message: expect.stringContaining('the file of --dwpose-detector cannot be read'),
    });
    await expect(findDwposeFiles({ detector, pose: dir })).rejects.toMatchObject({ code: 'pose.dwpose-file' });
  });

  it('in the cache must be the published ones', async () => {
    const folder = await snapshot('b'.repeat(40), { [names.detector]: 'damaged', [names.pose]: 'damaged, too' });
    const [detector, pose] = [join(folder, names.detector), join(folder, names.pose)];
    await expect(findDwposeFiles(nothingNamed)).rejects.toMatchObject({
      code: 'pose.dwpose-changed',
      kind: 'model',
      details: { where: detector, got: `sha256 ${sha256('damaged')}`, expected: publishedDetector },
    });
    // Naming it says that it is meant; the other one is found where it is.
    await expect(findDwposeFiles({ detector, pose: null })).rejects.toMatchObject({
      code: 'pose.dwpose-changed',
      details: { where: pose, hint: expect.stringContaining('--dwpose-pose FILE') },
    });
  });

  it('of several states in the cache are those whose content is called the published one', async () => {
    // What it holds is looked at all the same.
    const blob = (text: string) => (text === 'two' ? publishedDetector : sha256(text));
    for (const text of ['one', 'two', 'three'])
      await snapshot(sha256(text).slice(0, 40), { [names.detector]: text, [names.pose]: text }, { blob });
    await expect(findDwposeFiles(nothingNamed)).rejects.toMatchObject({
      code: 'pose.dwpose-changed',
      details: { where: expect.stringContaining(sha256('two').slice(0, 40)), got: `sha256 ${sha256('two')}` },
    });
  });

  it('are looked for where the environment says', async () => {
    const places = [
      [{ HF_HUB_CACHE: '', HF_HOME: join(dir, 'home') }, join(dir, 'home', 'hub')],
      [{ HF_HUB_CACHE: '', HF_HOME: '', XDG_CACHE_HOME: join(dir, 'cache') }, join(dir, 'cache', 'huggingface', 'hub')],
    ] as const;
    for (const [environment, hub] of places) {
      for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
      await expect(findDwposeFiles(nothingNamed)).rejects.toMatchObject({ details: { where: hub } });
      const folder = await snapshot('c'.repeat(40), { [names.detector]: 'x', [names.pose]: 'y' }, { hub });
      await expect(findDwposeFiles(nothingNamed)).rejects.toMatchObject({
        details: { where: join(folder, names.detector) },
      });
    }
  });
});

describe('the choice of a backend', () => {
  const clip = { image: 'a.png', video: 'b.mp4' };

  it('is MediaPipe unless told otherwise, and its files belong to DWPose', async () => {
    const options = optionsFrom({ ...clip, poseModel: 'heavy' });
    const backend = await choosePoseBackend(options);
    expect(backend).toEqual({ name: 'mediapipe', model: 'heavy' });
    expect(poseBackendText(backend, options)).toBe('mediapipe heavy, hands');
    expect(() => optionsFrom({ ...clip, dwposePose: 'c.onnx' })).toThrow(/has no effect with --pose-backend mediapipe/);
  });

  it('and the content of its files decide what poses may be taken over', async () => {
    const [one, two] = [await put('one.onnx', 'one'), await put('two.onnx', 'two')];
    const key = async (input: object) =>
      JSON.stringify(poseBackendKey(await choosePoseBackend(optionsFrom({ ...clip, ...input }))));
    const dwpose = (dwposeDetector: string, dwposePose: string) =>
      key({ poseBackend: 'dwpose', dwposeDetector, dwposePose });
    const keys = [await key({}), await key({ poseModel: 'lite' }), await dwpose(one, two), await dwpose(two, one)];
    expect(new Set(keys).size).toBe(4);
    const copy = await put('copy.onnx', 'one');
    expect(await dwpose(copy, two)).toBe(keys[2]);
  });
});
