import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AnimateInput } from '#dist/pipeline/index.js';
import { type Event, sample, small, words } from './program.js';

/** Four steps of one window: long enough to be hit between the first and the last. */
export const clipOptions: AnimateInput = { ...small, steps: 4 };

/** Clips of one video that begin at different times: nothing is shared between them but the picture. */
export async function writeManifest(folder: string, names: readonly string[], video = sample.video): Promise<string> {
  const clips = names.map((name, i) => ({ name, video: resolve(video), start: i / 2 }));
  const path = join(folder, 'clips.json');
  await writeFile(path, JSON.stringify(clips));
  return path;
}

export function batchWords(clips: string, out: string, changes: AnimateInput = {}, ...more: string[]): string[] {
  return ['batch', clips, ...words({ ...clipOptions, ...changes }), '-o', out, '--json', ...more];
}

/** The event of a clip's own run that fits. */
export const ofClip =
  (clip: string, fits: (event: Event) => boolean) =>
  (event: Event): boolean =>
    event.type === 'clip.event' && event.clip === clip && fits(event.event as Event);

export const isStage =
  (stage: string, type = 'stage.start') =>
  (event: Event): boolean =>
    event.type === type && event.stage === stage;
