import { stat } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { castMember } from '#dist/samples/cast/member.js';
import { castReference } from '#dist/samples/cast/motion.js';
import { castPerson } from '#dist/samples/cast/person.js';
import { clip, clipFrame, clipJoints } from '#dist/samples/dancer/clip.js';
import { referencePicture, referenceSize, references } from '#dist/samples/references.js';
import { decodeFrames, planDecode } from '#dist/stages/decode.js';
import { createPoseDetector, type PoseDetector } from '#dist/stages/pose/detector.js';
import { probe } from '#dist/stages/probe.js';
import type { Person, RgbImage } from '#dist/stages/types.js';
import { collect } from './media-factory.js';
import { carried } from './toolsets.js';

const video = 'samples/driving/dancer.mp4';
const every = 12;

let detector: PoseDetector;
let frames: RgbImage[];

beforeAll(async () => {
  detector = await createPoseDetector({ model: 'full', hands: true, face: false, maxPeople: 3, workers: 1 });
  const info = await probe(video, carried);
  frames = await collect(decodeFrames(info, planDecode(info, { stride: every }), carried).frames);
});
afterAll(() => detector?.[Symbol.asyncDispose]());

/** Distances of the found joints from the real ones, in lengths of the torso (neck to the middle of the hips). */
function jointErrors(
  { body }: Person,
  truth: readonly (readonly [number, number])[],
  picture: { readonly width: number; readonly height: number } = clip,
): number[] {
  const [neck, right, left] = [truth[1]!, truth[8]!, truth[11]!];
  const apart = (dx: number, dy: number) => Math.hypot(dx * picture.width, dy * picture.height);
  const torso = apart(neck[0] - (right[0] + left[0]) / 2, neck[1] - (right[1] + left[1]) / 2);
  return truth.map(([x, y], i) => apart(body[i]!.x - x, body[i]!.y - y) / torso);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

test('the driving clip is what its README says', async () => {
  const info = await probe(video, carried);
  expect(info.video).toMatchObject({
    codec: 'h264',
    width: clip.width,
    height: clip.height,
    frameRate: { num: clip.framesPerSecond, den: 1 },
    variableFrameRate: false,
  });
  expect(info.video.color).toMatchObject({ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'tv' });
  expect(info.audio).toMatchObject({ codec: 'aac', sampleRate: 48000 });
  expect(info.durationSec).toBeCloseTo(clip.frames / clip.framesPerSecond, 1);
  expect((await stat(video)).size).toBeLessThan(400_000);
  expect(frames).toHaveLength(clip.frames / every);
});

test('exactly one person is found in the clip, with joints where the skeleton has them', async () => {
  const errors: number[] = [];
  let hands = 0;
  for (const [i, frame] of frames.entries()) {
    const people = await detector.detect(frame);
    expect(people, `frame ${i * every}`).toHaveLength(1);
    const person = people[0]!;
    for (const joint of person.body) expect(joint.score).toBeGreaterThan(0.3);
    errors.push(...jointErrors(person, clipJoints(i * every)));
    hands += [person.leftHand, person.rightHand].filter(Boolean).length;
  }
  expect(median(errors)).toBeLessThan(0.07);
  expect(Math.max(...errors)).toBeLessThan(0.25);
  expect(hands).toBeGreaterThanOrEqual(frames.length);
});

test('the clip is what the renderer draws', () => {
  const drawn = clipFrame(every).data;
  const shown = frames[1]!.data;
  let difference = 0;
  for (let i = 0; i < drawn.length; i++) difference += Math.abs(drawn[i]! - shown[i]!);
  // Mean of all values, 1.6 from coding; the neighbouring frames are 3 and 4 away.
  expect(difference / drawn.length).toBeLessThan(2.2);
});

test.each(references)('$name is drawn by its seed and found in the reference picture', async ({ name, seed }) => {
  const path = `samples/reference/${name}.png`;
  expect((await stat(path)).size).toBeLessThan(200_000);
  const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const picture = { width: info.width, height: info.height, data };
  expect(picture).toMatchObject(referenceSize);
  expect(data.equals(referencePicture(seed).image.data)).toBe(true);
  const people = await detector.detect(picture);
  expect(people).toHaveLength(1);
  const { body } = castPerson(castMember(seed), castReference(seed), referenceSize);
  const errors = jointErrors(
    people[0]!,
    body.map(({ x, y }) => [x, y] as const),
    referenceSize,
  );
  expect(median(errors)).toBeLessThan(0.08);
  expect(Math.max(...errors)).toBeLessThan(0.25);
});
