import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPoseJson } from '#dist/stages/pose/pose-json.js';
import { makeClip } from '../media/media-factory.js';
import { carried } from '../media/toolsets.js';
import { type DottedPerson, drawDots, truthOf, writePeopleFinder, writePointFinder } from '../support/dotted-people.js';
import { isThere, makeFolder, pantomime, readJson, removeFolder, small, start, words } from './program.js';

const size = { width: 288, height: 216 };
const radius = 5;
const personIn = (frame: number): DottedPerson => ({ x: 40 + 6 * frame, y: 50 + 4 * frame, spacing: 30 });

let folder: string;
let files: string[];
const at = (...names: string[]) => join(folder, ...names);
const clip = () => at('clips', 'clip.mp4');

beforeAll(async () => {
  folder = await makeFolder();
  await mkdir(at('clips'));
  await mkdir(at('hub'));
  await makeClip(carried.ffmpeg, clip(), {
    ...{ ...size, frames: 5, rate: '10' },
    draw: (frame) => drawDots(size.width, size.height, [personIn(frame)], radius).data,
  });
  const image = drawDots(size.width, size.height, [personIn(0)], radius);
  await sharp(image.data, { raw: { ...size, channels: 3 } })
    .png()
    .toFile(at('picture.png'));
  const detector = await writePeopleFinder(at('people.onnx'));
  const pose = await writePointFinder(at('points.onnx'));
  files = ['--pose-backend', 'dwpose', '--dwpose-detector', detector, '--dwpose-pose', pose];
});
afterAll(() => removeFolder(folder));

/** Farthest that a joint of the poses lies from where it was drawn, in pixels. */
async function farthest(file: string): Promise<number> {
  const { frames, ...head } = await readPoseJson(file);
  expect(head).toMatchObject({ ...size, detector: 'dwpose' });
  let worst = 0;
  frames.forEach(({ people }, frame) => {
    expect(people.length).toBe(1);
    truthOf(personIn(frame)).body.forEach(({ x, y }, joint) => {
      const found = people[0]!.body[joint]!;
      worst = Math.max(worst, Math.abs(found.x * size.width - x), Math.abs(found.y * size.height - y));
    });
  });
  return worst;
}

describe('DWPose on the command line', () => {
  it('says what to type where its files are missing, before anything is written', async () => {
    const { code, stderr } = await withoutFiles('pose', clip(), '--pose-backend', 'dwpose', '-o', at('none'));
    expect(code).toBe(4);
    expect(stderr).toContain('pantomime models pull dwpose');
    expect(await isThere(at('none'))).toBe(false);
    const batch = await withoutFiles(
      ...['batch', at('clips'), '-i', at('picture.png'), '--pose-backend', 'dwpose', '-o', at('none')],
    );
    expect(batch.code).toBe(4);
    expect(await isThere(at('none'))).toBe(false);
  });

  it('finds the poses of a clip to the pixel', async () => {
    const flags = [...files, '--smooth', '0', '--stride', '1', '-o', at('poses')];
    const { code, stderr } = await pantomime('pose', clip(), ...flags);
    expect(code, stderr).toBe(0);
    expect(await farthest(at('poses', 'pose.json'))).toBeLessThan(1);
  });

  it('animates, and says in plan and run.json what found the poses', async () => {
    const { image, poseModel, maxFrames, ...rest } = small;
    const flags = [...words({ ...rest, smooth: 0, stride: 1 }), ...files];
    const plan = await pantomime('plan', at('picture.png'), clip(), ...flags);
    expect(plan.stdout).toMatch(/^poses +dwpose$/m);
    const { code, stderr } = await pantomime('animate', at('picture.png'), clip(), ...flags, '-o', at('run'));
    expect(code, stderr).toBe(0);
    expect(await farthest(at('run', 'pose.json'))).toBeLessThan(1);
    const record = await readJson(at('run', 'run.json'));
    expect(record.poseBackend).toMatchObject({
      name: 'dwpose',
      detector: { file: at('people.onnx'), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      pose: { file: at('points.onnx') },
    });
    expect(record.options).toMatchObject({ poseBackend: 'dwpose', dwposePose: at('points.onnx') });
  });
});

/** The program on a machine whose cache of the Hub is empty. */
function withoutFiles(...line: string[]) {
  return start(line, { HF_HUB_CACHE: at('hub') }).ended;
}
