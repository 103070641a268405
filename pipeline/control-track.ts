import { PantomimeError } from '../models/errors.js';
import { alignPoses } from '../stages/pose/align.js';
import type { PoseDetector } from '../stages/pose/detector.js';
import { drawSkeleton } from '../stages/pose/draw.js';
import type { Person, PoseSequence, RgbImage } from '../stages/types.js';
import { type ControlMaps, findControlMaps, writeControlMaps } from './control-maps.js';
import { type PictureMaps, readPictures } from './control-pictures.js';
import { findDrivingPoses, requireSomebody } from './driving-poses.js';
import { hashFile, keyOf } from './hashes.js';
import { openControlPictures } from './movement.js';
import { seesPoses } from './options/control-value.js';
import type { Plan } from './plan.js';
import type { Run } from './run.js';

/** The control pictures of a run, and where they come from. */
export type ControlTrack = {
  /** uint8 [1 + frames, H, W, 3]; row 0 belongs to the reference picture. */
  readonly maps: ControlMaps;
  /** Poses in the driving picture, before alignment; undefined for ready-made control pictures. */
  readonly driving: PoseSequence | undefined;
  /** The same poses on the character, in the video's own coordinates: what the control pictures show. */
  readonly aligned: PoseSequence | undefined;
  /** Hash of the file that says how to move, as it was when its poses were found; undefined for a folder. */
  readonly contentHash: string | undefined;
  /** What controls of other names look at. */
  readonly pictures: ReadonlyMap<string, PictureMaps>;
  /** How the poses were brought onto the character; for run.json. */
  readonly alignment: unknown;
};

/** Control pictures of the poses, and those of controls that look at something else. */
export async function makeControlTrack(
  run: Run,
  plan: Plan,
  picture: RgbImage,
  detector: () => Promise<PoseDetector>,
): Promise<ControlTrack> {
  const track = await makePoseTrack(run, plan, picture, detector);
  return { ...track, pictures: await readPictures(run, plan, track.maps.dims[0] - 1) };
}

/**
 * From movement to control pictures: poses found, the character's own pose found, aligned, drawn (or ready-made pictures
 * read). Finished parts are kept in the work folder.
 */
async function makePoseTrack(
  run: Run,
  plan: Plan,
  picture: RgbImage,
  detector: () => Promise<PoseDetector>,
): Promise<Omit<ControlTrack, 'pictures'>> {
  const { options, movement, tools, size } = plan;
  const contentHash = movement.kind === 'control-folder' ? undefined : await hashFile(movement.path, run.signal);
  const findOwnPose = async () => {
    const people = await run.stage('reference', "finding the character's own pose", async () =>
      (await detector()).detect(picture),
    );
    if (people.length === 0) warnNobody(run, plan);
    return people;
  };

  if (movement.kind === 'control-video' || movement.kind === 'control-folder') {
    const reference = await findOwnPose();
    const maps = await run.stage('control', 'reading control pictures', async (progress) => {
      const stream = await openControlPictures(movement, options, tools, size, run.signal);
      const file = run.store.work('control', keyOf([contentHash ?? movement.path, size, options.skeletonStyle]), 'u8');
      const pictures = withOwnPose(stream.frames, reference, plan, progress);
      return { ...(await run.store.put(file, (part) => writeControlMaps(part, pictures, size))), file };
    });
    return { maps, driving: undefined, aligned: undefined, contentHash, alignment: undefined };
  }
  const driving =
    movement.kind === 'video'
      ? await findDrivingPoses(run, movement, contentHash as string, options, tools, detector)
      : movement.poses;
  requireSomebody(driving, movement.path, 'another pose file');
  const reference = await findOwnPose();

  const aligned = await run.stage('align', `aligning poses (${options.align})`, async () => {
    const mode = reference.length === 0 && options.align === 'robust' ? 'none' : options.align;
    return alignPoses({ mode, reference: { ...size, people: reference }, driving });
  });
  for (const note of aligned.notes) run.note(note);
  const frames = aligned.sequence.frames;
  // A character whose pose is not found stands as the first driving frame does.
  const people = [reference.length > 0 ? reference : (frames[0]?.people ?? []), ...frames.map((frame) => frame.people)];
  const file = run.store.work('control', keyOf([people, size, options.skeletonStyle]), 'u8');
  const earlier = (await run.reuses(file)) ? await findControlMaps(file, size) : undefined;
  const maps = await run.stage(
    'control',
    'drawing control pictures',
    async (progress) => {
      if (earlier) return earlier;
      const pictures = drawAll(run, people, plan, progress);
      return { ...(await run.store.put(file, (part) => writeControlMaps(part, pictures, size))), file };
    },
    earlier !== undefined,
  );
  const alignment = { mode: options.align, ...aligned.transform, notes: aligned.notes };
  return { maps, driving, aligned: aligned.sequence, contentHash, alignment };
}

/** What a control looks at. */
export function mapsOf({ maps, pictures }: Pick<ControlTrack, 'maps' | 'pictures'>, control: string): ControlMaps {
  if (seesPoses(control)) return maps;
  const own = pictures.get(control);
  if (!own) throw new Error(`the pictures of ${control} were not read`);
  return own.maps;
}

type Report = (done: number, total: number | undefined, unit: string) => void;

function* drawAll(
  { timeline }: Run,
  people: readonly (readonly Person[])[],
  plan: Plan,
  progress: Report,
): Generator<RgbImage> {
  for (const [frame, inFrame] of people.entries()) {
    yield timeline.measure('draw', 'skeletons', () => drawnFor(plan, inFrame));
    progress(frame + 1, people.length, 'frames');
  }
}

/** The character's own pose, or the first control picture again where it is not found, then the control pictures. */
async function* withOwnPose(
  pictures: AsyncIterable<RgbImage>,
  reference: readonly Person[],
  plan: Plan,
  progress: Report,
): AsyncGenerator<RgbImage> {
  let done = 0;
  for await (const picture of pictures) {
    if (done === 0) yield reference.length > 0 ? drawnFor(plan, reference) : picture;
    yield picture;
    progress(++done, undefined, 'frames');
  }
}

function drawnFor({ size, options }: Plan, people: readonly Person[]): RgbImage {
  return drawSkeleton(people, size.width, size.height, { style: options.skeletonStyle });
}

function warnNobody(run: Run, { options, movement }: Plan): void {
  const where = options.image as string;
  if (options.align === 'reference') {
    throw new PantomimeError({
      code: 'reference.nobody',
      kind: 'input',
      what: 'nobody was found in the picture of the character, and the published alignment needs its pose',
      where,
      hint: '--align robust or --align none',
    });
  }
  if (movement.kind === 'control-folder' || movement.kind === 'control-video') return;
  run.warn(
    'reference.nobody',
    `${where}: no person was found in the picture, so the poses are laid over it without being fitted`,
    'a picture in which the character stands upright and is seen from head to foot',
  );
}
