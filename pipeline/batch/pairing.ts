import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import type { OptionProblem } from '../options/problem.js';
import type { Clip } from './clip.js';
import { endingOf, pictureEndings, scanFolder, videoEndings } from './clip-folder.js';
import { fileState } from './file-state.js';
import { isManifest, type Manifest, manifestError, readManifest } from './manifest.js';
import { matchByName } from './match-by-name.js';
import { type Draft, nameDrafts } from './name-pairs.js';
import { findPictures, type Pictures } from './pictures.js';
import type { Pairing } from './types.js';

/** Which picture goes with which clip: one with all, the one of the same name, or every one with every clip. */
export type PairMode = 'auto' | 'one' | 'name' | 'all';

export type PairingRequest = {
  /** A folder of videos, or a manifest (.csv, .json, .yaml, .yml). */
  readonly clips: string;
  /** A picture, a folder of pictures, or null when a manifest names them. */
  readonly image: string | null;
  /** `auto` is `one` for a picture and `name` for a folder of pictures. */
  readonly pair: PairMode;
};

/** Bounds the work of planning, with every picture for every clip. */
const maxPairs = 100_000;

/**
 * Decides which clips are animated with which picture, under which names, and what is left out and why. Files are looked at by
 * name and size; none but a manifest is opened. Clips of a folder come in natural order, those of a manifest in its order.
 * That nothing is left to animate is no error here.
 * @throws PantomimeError of kind `usage` or `input`, `batch.*`; for a manifest also `options.*`.
 */
export async function pairClips({ clips, image, pair }: PairingRequest): Promise<Pairing> {
  const manifest = await checkClips(clips);
  if (image === null && !manifest)
    throw usage('batch.no-image', 'no picture of the character was given', '--image FILE');
  if (image === null && (pair === 'name' || pair === 'all')) {
    throw usage('batch.pair', `there are no pictures to pair by --pair ${pair}`, '--image FOLDER');
  }
  const together = image !== null && !manifest && (await sameFolder(clips, image));
  const pictures = image === null ? undefined : await findPictures(image, together);
  const mode = pair === 'auto' ? (pictures?.folder ? 'name' : 'one') : pair;
  if (pictures) checkMode(mode, pictures);

  const found = manifest ? await readManifest(clips) : await clipsOfFolder(clips, image, together);
  const { drafts, unused } = draft(found.clips, pictures, mode);
  const { named, problems } = nameDrafts(drafts);
  if (problems.length > 0) throw manifestError(problems);

  const pairs = named.flatMap(({ name, clip, picture, why }) => {
    if (why !== undefined || !picture) return [];
    const entries = new Map(clip.entries).set('image', { value: picture.path, where: picture.where });
    return [{ name, layer: { entries, problems: [] } }];
  });
  const left = named.flatMap(({ clip, why }) => (why === undefined ? [] : [{ name: clip.name ?? clip.id, why }]));
  const without = unused.map(({ file }) => ({ name: file, why: 'a picture without a clip of its name' }));
  return { pairs, skipped: [...left, ...found.skipped, ...(pictures?.skipped ?? []), ...without] };
}

/** Gives every clip its picture or pictures. */
function draft(clips: readonly Clip[], pictures: Pictures | undefined, mode: PairMode) {
  const byName = mode === 'name' && pictures ? matchByName(pictures.files, pictures.path) : undefined;
  const all = pictures?.files ?? [];
  const drafts: Draft[] = [];
  const problems: OptionProblem[] = [];
  for (const clip of clips) {
    const { picture, why } = clip;
    // Also for those with a reason, so that their pictures count as used.
    const match = picture ? undefined : byName?.match(clip);
    if (why !== undefined) drafts.push({ clip, picture, perPicture: false, why });
    else if (picture) drafts.push({ clip, picture, perPicture: mode === 'all' && clip.name === undefined });
    else if (match) drafts.push({ clip, perPicture: false, ...match });
    else if (all.length > 0) for (const one of all) drafts.push({ clip, picture: one, perPicture: mode === 'all' });
    else
      problems.push({
        code: 'batch.no-image',
        where: clip.where,
        what: 'this clip has no picture',
        hint: '--image FILE',
      });
    if (drafts.length > maxPairs) throw tooManyPairs(clips.length, all.length);
  }
  if (problems.length > 0) throw manifestError(problems);
  return { drafts, unused: byName?.unused() ?? [] };
}

async function clipsOfFolder(dir: string, image: string | null, together: boolean): Promise<Manifest> {
  const picture = image === null ? undefined : resolve(image);
  const { files, skipped } = await scanFolder({
    dir,
    endings: videoEndings,
    otherwise: 'not a video, by its ending',
    ignore: (file) =>
      resolve(dir, file) === picture ||
      (together && pictureEndings.has(endingOf(file)) && !videoEndings.has(endingOf(file))),
  });
  const clips = files.map((file): Clip => {
    return { ...file, entries: new Map([['video', { value: file.path, where: file.where }]]) };
  });
  return { clips, skipped };
}

/** Whether the clips are in a manifest; otherwise they are in a folder. */
async function checkClips(path: string): Promise<boolean> {
  const state = await fileState(path);
  if (state === 'folder') return false;
  if (isManifest(path)) return true;
  const expected = 'a folder of videos, or a manifest (.csv, .json, .yaml, .yml)';
  const video = videoEndings.has(endingOf(path));
  throw new PantomimeError({
    code: 'batch.clips',
    kind: state === 'missing' ? 'input' : 'usage',
    what: state === 'missing' ? 'there is no such folder' : 'these are not the clips of a batch',
    where: path,
    got: state === 'missing' ? undefined : video ? 'a single video' : 'a file',
    expected,
    hint: video && state !== 'missing' ? 'pantomime animate PICTURE CLIP' : undefined,
  });
}

function checkMode(mode: PairMode, { folder, files, path }: Pictures): void {
  if (mode === 'name' && !folder) {
    throw usage('batch.pair', 'pairing by name needs a folder of pictures', '--pair one', path, 'a single picture');
  }
  if (mode === 'one' && files.length > 1) {
    const hint = `--pair name, --pair all, or --image ${files[0]?.where}`;
    throw usage('batch.pair', 'one picture for all clips was asked for', hint, path, `${files.length} pictures`);
  }
}

async function sameFolder(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => realpath(path).catch(() => resolve(path))));
  return first === second;
}

function usage(code: string, what: string, hint: string, where?: string, got?: string): PantomimeError {
  return new PantomimeError({ code, kind: 'usage', what, hint, where, got });
}

function tooManyPairs(clips: number, pictures: number): PantomimeError {
  const got = `${clips} clips, ${pictures} pictures`;
  const hint = 'Spread them over several batches.';
  const expected = `at most ${maxPairs} videos`;
  return new PantomimeError({ code: 'batch.too-many', kind: 'usage', what: 'too many videos', got, expected, hint });
}
