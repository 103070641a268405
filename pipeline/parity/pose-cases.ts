import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readJsonFile } from '../../models/checkpoint/json-file.js';
import { decodeFrames, planDecode } from '../../stages/decode.js';
import { locateFfmpeg } from '../../stages/ffmpeg/locate.js';
import { alignPoses } from '../../stages/pose/align.js';
import { createPoseDetector } from '../../stages/pose/detector.js';
import { drawSkeleton } from '../../stages/pose/draw.js';
import { posesFromPublished } from '../../stages/pose/published-pose.js';
import { probe } from '../../stages/probe.js';
import { openPictureFile } from '../../stages/reference/picture-file.js';
import type { PoseFrame } from '../../stages/types.js';
import { exists } from '../files.js';
import { type Check, compareBytes, compareFloats, type ParityCase, type SkippedCase } from './check.js';
import type { ParityContext } from './recording.js';

/** Drawn skeletons: within 2 levels on 99.9 % of the values. */
const drawingLimits = { levels: 2, beyond: 0.001, differing: 1 };

/** The cases of `pose/`: alignment and drawing on recorded keypoints. */
export async function poseCases({ dir }: Pick<ParityContext, 'dir'>): Promise<ParityCase[]> {
  const folder = join(dir, 'pose');
  const files = await readdir(folder).catch(() => []);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ name: `pose/${file.slice(0, -5)}`, run: () => poseCase(folder, file.slice(0, -5), files) }));
}

async function poseCase(folder: string, name: string, files: readonly string[]): Promise<Check[]> {
  const path = join(folder, `${name}.json`);
  const { reference, driving, aligned } = posesFromPublished(await readJsonFile(path), path);
  const { sequence } = alignPoses({ mode: 'reference', reference, driving });
  const ours = sequence.frames.flatMap(coordinates);
  const checks = [compareFloats('aligned keypoints', ours, aligned.flatMap(coordinates), { absolute: 1e-6 })];
  for (const file of files) {
    const part = file.startsWith(`${name}.`) && /\.(reference|frame(\d+))\.png$/.exec(file);
    if (!part) continue;
    const frame = part[2] === undefined ? reference : sequence.frames[Number(part[2])];
    const drawn = drawSkeleton(frame?.people ?? [], reference.width, reference.height);
    const expected = await (await openPictureFile(join(folder, file))).decode();
    checks.push(compareBytes(`drawing ${part[1]}`, drawn.data, expected.data, drawingLimits));
  }
  return checks;
}

function coordinates({ people }: PoseFrame): number[] {
  const parts = people.flatMap((person) => [person.body, person.leftHand, person.rightHand, person.face]);
  return parts.flatMap((part) => (part ?? []).flatMap(({ x, y }) => [x, y]));
}

type Landmarks = {
  readonly video: string;
  readonly frames: readonly { readonly frame: number; readonly landmarks: readonly Landmark[] }[];
};
type Landmark = Readonly<Record<'x' | 'y' | 'z' | 'visibility' | 'presence', number>>;

/** The cases of `mediapipe/`: landmarks of the same package in a browser, on a driving clip. */
export async function mediapipeCases(
  context: Pick<ParityContext, 'dir' | 'samples' | 'signal'>,
): Promise<(ParityCase | SkippedCase)[]> {
  const folder = join(context.dir, 'mediapipe');
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.json'));
  return Promise.all(
    files.map(async (file) => {
      const name = `mediapipe/${file.slice(0, -5)}`;
      const recorded = (await readJsonFile(join(folder, file))) as Landmarks;
      const video = join(context.samples, recorded.video);
      if (!(await exists(video))) return { name, skipped: `the clip is not at ${video} (--samples FOLDER)` };
      return { name, run: () => mediapipeCase(context, recorded, video, file) };
    }),
  );
}

async function mediapipeCase(
  context: Pick<ParityContext, 'signal'>,
  recorded: Landmarks,
  video: string,
  file: string,
): Promise<Check[]> {
  const { signal } = context;
  const model = (['heavy', 'full', 'lite'] as const).find((kind) => file.includes(kind)) ?? 'lite';
  const tools = await locateFfmpeg({ signal });
  const info = await probe(video, tools, { signal });
  const wanted = new Map(recorded.frames.map(({ frame, landmarks }) => [frame, landmarks]));
  const plan = planDecode(info, { maxFrames: Math.max(...wanted.keys()) + 1 });
  await using detector = await createPoseDetector({ model, hands: false, face: false, maxPeople: 1, workers: 1 });
  const [ours, theirs]: [number[], number[]] = [[], []];
  let frame = 0;
  for await (const image of decodeFrames(info, plan, tools, { signal }).frames) {
    const landmarks = wanted.get(frame++);
    if (!landmarks) continue;
    const [person] = await detector.detectRaw(image);
    ours.push(...(person?.pose ?? []).flatMap(numbers));
    theirs.push(...landmarks.flatMap(numbers));
  }
  return [compareFloats(`landmarks of ${wanted.size} frames`, ours, theirs, { absolute: 0 })];
}

function numbers({ x, y, z, visibility, presence }: Landmark): number[] {
  return [x, y, z, visibility, presence];
}
