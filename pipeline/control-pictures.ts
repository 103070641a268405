import { PantomimeError } from '../models/errors.js';
import type { FfmpegTools } from '../stages/ffmpeg/locate.js';
import type { RgbImage } from '../stages/types.js';
import { type ControlMaps, writeControlMaps } from './control-maps.js';
import { hashFile, keyOf } from './hashes.js';
import { type ControlSource, type Movement, openControlPictures, openControlSource } from './movement.js';
import { parsePictures } from './options/pictures-value.js';
import type { AnimateOptions } from './options/schema.js';
import type { Plan } from './plan.js';
import type { Run } from './run.js';

/** What a control that does not see the skeletons looks at. */
export type PlannedPictures = { readonly name: string; readonly source: ControlSource };

/** Pictures of a control as they are used. */
export type PictureMaps = {
  /** uint8 [1 + frames, H, W, 3], as those of the poses; row 0 is the first picture again. */
  readonly maps: ControlMaps;
  readonly path: string;
  /** Hash of the video; undefined for a folder. */
  readonly contentHash: string | undefined;
};

/**
 * Opens the control pictures that the options name. Throws PantomimeError `control.frame-rate` or `control.start` where they cannot
 * go frame by frame with the movement.
 */
export async function planPictures(
  options: AnimateOptions,
  movement: Movement,
  tools: FfmpegTools,
  signal: AbortSignal | undefined,
): Promise<readonly PlannedPictures[]> {
  const opened = options.controlPictures.map(async (value): Promise<PlannedPictures[]> => {
    const choice = parsePictures(value);
    if (!choice) return [];
    const source = await openControlSource(choice.path, options, tools, signal);
    requireStep(options, movement, source);
    return [{ name: choice.name, source }];
  });
  return (await Promise.all(opened)).flat();
}

function requireStep(
  { start, duration }: AnimateOptions,
  movement: Movement,
  { kind, path, frameRate }: ControlSource,
): void {
  if (kind === 'control-folder') {
    if (movement.kind === 'control-folder' || (start === 0 && duration === null)) return;
    throw new PantomimeError({
      code: 'control.start',
      kind: 'usage',
      what: 'a folder of pictures has no times, so --start and --duration cannot be found in it',
      where: path,
      hint: 'a video of the control pictures, or a clip that was cut before',
    });
  }
  if (movement.kind === 'control-folder') return;
  const rateOf = ({ num, den }: ControlSource['frameRate']) => num / den;
  const [own, other] = [rateOf(frameRate), rateOf(movement.frameRate)];
  if (Math.abs(own / other - 1) < 1e-4) return;
  throw new PantomimeError({
    code: 'control.frame-rate',
    kind: 'input',
    what: 'the control pictures do not go frame by frame with the movement',
    where: path,
    got: `${own.toFixed(3)} frames a second`,
    expected: `${other.toFixed(3)}, as ${movement.path}`,
    hint:
      movement.kind === 'pose'
        ? 'a video of the frames that the poses were found in'
        : '--fps RATE, which reads both at one rate',
  });
}

/** Reads the pictures of every control that works, as many as there are frames. Throws PantomimeError `control.too-few`. */
export async function readPictures(run: Run, plan: Plan, frames: number): Promise<ReadonlyMap<string, PictureMaps>> {
  const { pictures, controls, options, tools, size } = plan;
  const read = new Map<string, PictureMaps>();
  for (const { name, source } of pictures.filter((one) => controls.some((control) => control.name === one.name))) {
    const { path } = source;
    const contentHash = source.kind === 'control-video' ? await hashFile(path, run.signal) : undefined;
    const maps = await run.stage('control', `reading ${name} pictures`, async (progress) => {
      const stream = await openControlPictures(source, options, tools, size, run.signal);
      const file = run.store.work(`control-${name}`, keyOf([contentHash ?? path, size, frames]), 'u8');
      const taken = firstTwice(stream.frames, frames, path, (done) => progress(done, frames, 'frames'));
      return { ...(await run.store.put(file, (part) => writeControlMaps(part, taken, size))), file };
    });
    read.set(name, { maps, path, contentHash });
  }
  return read;
}

async function* firstTwice(
  pictures: AsyncIterable<RgbImage>,
  frames: number,
  path: string,
  onFrame: (done: number) => void,
): AsyncGenerator<RgbImage> {
  let done = 0;
  for await (const picture of pictures) {
    if (done === 0) yield picture;
    yield picture;
    onFrame(++done);
    if (done === frames) return;
  }
  throw new PantomimeError({
    code: 'control.too-few',
    kind: 'input',
    what: 'there are fewer control pictures than frames of the movement',
    where: path,
    got: String(done),
    expected: String(frames),
    hint: `--max-frames ${done}`,
  });
}
