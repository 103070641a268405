import { extname } from 'node:path';
import { parseControl, poseName, seesPoses } from './control-value.js';
import { kebabCase } from './names.js';
import { parsePictures } from './pictures-value.js';
import type { OptionProblem } from './problem.js';
import type { AnimateOptions, OptionName } from './schema.js';

/** What is going to be done with the options: `pose` stops after the poses and needs less. */
export type OptionsFor = 'animate' | 'pose';

/** Options that give the movement; exactly one of them is needed. */
export const movementOptions = ['video', 'pose', 'controlVideo'] as const satisfies readonly OptionName[];

/** Files that people might ask for but that are not written. */
const otherFormats = new Set(['.webm', '.gif', '.avi', '.mkv', '.mov', '.png', '.jpg', '.jpeg', '.webp', '.apng']);

/** What one option alone cannot tell. `given` says where an option was written, or undefined if it was not. */
export function crossChecks(
  options: AnimateOptions,
  purpose: OptionsFor,
  given: (name: OptionName) => string | undefined,
): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const where = (...names: OptionName[]) => names.map(given).find((place) => place !== undefined);
  const shown = (name: OptionName) => `${kebabCase(name)} ${options[name]}${given(name) ? '' : ' (the default)'}`;

  const movements = movementOptions.filter((name) => options[name] !== null);
  if (purpose === 'pose' && options.video === null) {
    problems.push({ code: 'options.no-video', what: 'no driving video was given', hint: 'pantomime pose CLIP' });
  } else if (purpose === 'pose' && movements.length > 1) {
    problems.push({
      code: 'options.movement',
      where: where('pose', 'controlVideo'),
      what: 'poses are found in a video; --pose and --control-video have them already',
    });
  } else if (movements.length !== 1) {
    problems.push({
      code: 'options.movement',
      where: where(...movements),
      what: movements.length === 0 ? 'nothing says how to move' : 'more than one thing says how to move',
      got: movements.length === 0 ? undefined : movements.map((name) => `--${kebabCase(name)}`).join(' and '),
      expected: 'one of --video, --pose, --control-video',
      hint: movements.length === 0 ? 'pantomime animate PICTURE CLIP' : undefined,
    });
  }

  const extension = extname(options.output ?? '').toLowerCase();
  if (otherFormats.has(extension)) {
    problems.push({
      code: 'options.output-format',
      where: where('output'),
      what: 'the output is an .mp4 file or a folder',
      got: extension,
      hint: 'a name that ends in .mp4',
    });
  }
  for (const name of ['dwposeDetector', 'dwposePose'] as const) {
    if (options.poseBackend === 'dwpose' || !given(name)) continue;
    problems.push({
      code: 'options.no-effect',
      where: where(name),
      what: `--${kebabCase(name)} has no effect with --pose-backend ${options.poseBackend}`,
      hint: '--pose-backend dwpose',
    });
  }
  if (purpose === 'pose') return problems;

  if (options.image === null) {
    problems.push({
      code: 'options.no-image',
      what: 'no picture of the character was given',
      hint: 'pantomime animate PICTURE CLIP',
    });
  }
  if (options.quantize === 'linear' && options.residency === 'low-memory') {
    problems.push({
      code: 'options.quantize',
      where: where('quantize', 'residency'),
      what: 'weights that are read in place cannot be quantized',
      got: `${shown('quantize')}, ${shown('residency')}`,
      hint: '--quantize off, or --residency fast',
    });
  }
  if (options.overlap >= options.chunk) {
    problems.push({
      code: 'options.overlap',
      where: where('overlap', 'chunk'),
      what: 'the overlap must be less than the chunk',
      got: `${shown('overlap')}, ${shown('chunk')}`,
      expected: `0 to ${options.chunk - 1}`,
      hint: `--overlap ${Math.floor(options.chunk / 4)}`,
    });
  }
  if (options.decodeMode === 'overlapped' && options.decodeOverlap >= options.decodeChunk) {
    problems.push({
      code: 'options.decode-overlap',
      where: where('decodeOverlap', 'decodeChunk'),
      what: 'the decode overlap must be less than the decode chunk',
      got: `${shown('decodeOverlap')}, ${shown('decodeChunk')}`,
      expected: `0 to ${options.decodeChunk - 1}`,
    });
  }
  for (const name of ['fpsId', 'motionBucketId'] as const) {
    if (options.timeIds === 'given' || !given(name)) continue;
    problems.push({
      code: 'options.no-effect',
      where: where(name),
      what: `--${kebabCase(name)} has no effect: the published pipeline always tells the network 6, 128 and 0.02`,
      hint: '--time-ids given',
    });
  }
  problems.push(...controlChecks(options, given));
  return problems;
}

/** Names of controls and of their pictures belong together. */
function controlChecks(
  { control, controlPictures }: AnimateOptions,
  given: (name: OptionName) => string | undefined,
): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const names = control.flatMap((value) => parseControl(value)?.name ?? []);
  const pictures = controlPictures.flatMap((value) => parsePictures(value)?.name ?? []);
  const [where, picturesWhere] = [given('control'), given('controlPictures')];
  for (const [list, at] of [
    [names, where],
    [pictures, picturesWhere],
  ] as const) {
    const twice = list.find((name, i) => list.indexOf(name) !== i);
    if (twice === undefined) continue;
    problems.push({
      code: 'options.repeated',
      where: at,
      what: `${twice} is given twice`,
      hint: 'two names, e.g. pose and pose-2',
    });
  }
  for (const name of names) {
    if (seesPoses(name) || pictures.includes(name)) continue;
    const what = `the control ${name} has nothing to look at`;
    problems.push({ code: 'options.control-pictures', where, what, hint: `--control-pictures ${name}=FILE` });
  }
  for (const name of pictures) {
    if (names.includes(name) && !seesPoses(name)) continue;
    const what = seesPoses(name) ? `${name} looks at the drawn skeletons` : `no control is called ${name}`;
    const hint = seesPoses(name) ? '--control-video FILE' : `--control ${name}=FILE`;
    problems.push({ code: 'options.control-pictures', where: picturesWhere, what, hint });
  }
  if (names.includes(poseName) && given('controlScale')) {
    problems.push({
      code: 'options.control-scale',
      where: given('controlScale'),
      what: 'the strength of the pose control is said twice',
      hint: `--control ${poseName}=FILE:SCALE alone`,
    });
  }
  return problems;
}
