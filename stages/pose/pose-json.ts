import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { z } from 'zod';
import { PantomimeError } from '../../models/errors.js';
import type { Keypoint, Person, PoseSequence } from '../types.js';
import { pointsOfPart } from './keypoint.js';

/** What a pose file may hold at most; anything above is refused by name. */
export const poseJsonLimits = {
  maxFileBytes: 512 * 2 ** 20,
  maxFrames: 1_000_000,
  maxPeoplePerFrame: 64,
  maxPictureSide: 65_536,
  /** Farthest a point may lie from its picture, in widths or heights of it. */
  maxCoordinate: 100,
  maxScore: 1000,
} as const;

const limits = poseJsonLimits;
const coordinate = z.number().min(-limits.maxCoordinate).max(limits.maxCoordinate);
const score = z.number().min(-limits.maxScore).max(limits.maxScore);
const point = z.tuple([coordinate, coordinate, score]);
const points = (count: number) => z.array(point).length(count);
const side = z.int().min(1).max(limits.maxPictureSide);
const whole = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** The file: as {@link PoseSequence}, with points written `[x, y, score]`. Described in docs/pose-json.md. */
const poseFile = z.strictObject({
  version: z.literal(1),
  width: side,
  height: side,
  frameRate: z.strictObject({ num: whole, den: whole }),
  detector: z.string().max(200),
  frames: z
    .array(
      z.strictObject({
        people: z
          .array(
            z.strictObject({
              body: points(pointsOfPart.body),
              leftHand: points(pointsOfPart.leftHand).nullable(),
              rightHand: points(pointsOfPart.rightHand).nullable(),
              face: points(pointsOfPart.face).nullable(),
            }),
          )
          .max(limits.maxPeoplePerFrame),
      }),
    )
    .max(limits.maxFrames),
});

/**
 * Reads a pose file. Throws an `input` error that says where in the document something is wrong, when it cannot be read, is
 * not JSON, does not have the documented form, or is over one of {@link poseJsonLimits}.
 */
export async function readPoseJson(path: string): Promise<PoseSequence> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > limits.maxFileBytes)
      throw failure('too-large', path, 'too large for a pose file', {
        got: `${size} bytes`,
        expected: `at most ${limits.maxFileBytes} bytes (maxFileBytes)`,
      });
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof PantomimeError) throw cause;
    const hint = 'Give a file that `pantomime pose` has written';
    throw failure('unreadable', path, 'the pose file cannot be read', { hint, cause });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw failure('not-json', path, `not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = poseFile.safeParse(document);
  if (!parsed.success) {
    const { issues } = parsed.error;
    const [first] = issues;
    const more = issues.length > 1 ? `, and ${issues.length - 1} more` : '';
    const what = `not a pose file: ${z.core.toDotPath(first?.path ?? []) || 'the document'}: ${first?.message}${more}`;
    throw failure('bad-form', path, what, { hint: 'docs/pose-json.md describes the form' });
  }
  const { frames, ...head } = parsed.data;
  return { ...head, frames: frames.map(({ people }) => ({ people: people.map(toPerson) })) };
}

/**
 * Writes a pose file, one frame a line, under a temporary name first, so that `path` never holds half of one. What is read back
 * equals what was written. Throws an `input` error when it cannot be written.
 */
export async function writePoseJson(path: string, sequence: PoseSequence): Promise<void> {
  const { frames, ...head } = sequence;
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await using file = await open(temporary, 'wx');
    const opening = Object.entries(head).map(([key, value]) => ` ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
    await file.write(`{\n${opening.join('')} "frames": [`);
    for (const [index, { people }] of frames.entries())
      await file.write(`${index === 0 ? '' : ','}\n  ${JSON.stringify({ people: people.map(toTriples) })}`);
    await file.write('\n ]\n}\n');
    await file.close();
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw failure('unwritable', path, 'the pose file cannot be written', { cause });
  }
}

type Triple = readonly [x: number, y: number, score: number];
type PersonInFile = Readonly<Record<keyof Person, readonly Triple[] | null>> & { readonly body: readonly Triple[] };

function toPerson({ body, leftHand, rightHand, face }: PersonInFile): Person {
  const keypoints = (triples: readonly Triple[]) => triples.map(([x, y, score]): Keypoint => ({ x, y, score }));
  return {
    body: keypoints(body),
    leftHand: leftHand && keypoints(leftHand),
    rightHand: rightHand && keypoints(rightHand),
    face: face && keypoints(face),
  };
}

function toTriples({ body, leftHand, rightHand, face }: Person): PersonInFile {
  const triples = (keypoints: readonly Keypoint[]) => keypoints.map(({ x, y, score }): Triple => [x, y, score]);
  return {
    body: triples(body),
    leftHand: leftHand && triples(leftHand),
    rightHand: rightHand && triples(rightHand),
    face: face && triples(face),
  };
}

function failure(
  name: string,
  where: string,
  what: string,
  more: { got?: string; expected?: string; hint?: string; cause?: unknown },
): PantomimeError {
  return new PantomimeError({ code: `pose-json.${name}`, kind: 'input', what, where, ...more });
}
