import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type HubLimits, hubLimits } from '../../models/hub/hub-limits.js';
import { type HubSettings, hubSettings } from '../../models/hub/hub-settings.js';
import { cacheFolder } from '../cache-folder.js';
import type { Note, RunError } from '../events.js';
import { exists } from '../files.js';

/** Where models come from and where they lie. */
export type ModelStore = {
  readonly hub: HubSettings;
  readonly limits: HubLimits;
  /** Folders of links, one a model, and the list of models that were added. */
  readonly dir: string;
  /** Bytes that may be written into a folder, which need not exist yet. */
  readonly freeBytes: (folder: string) => Promise<number>;
};

/** As the environment says it: the variables of the Hub, and PANTOMIME_CACHE. */
export function modelStore(env: NodeJS.ProcessEnv = process.env): ModelStore {
  return { hub: hubSettings(env), limits: hubLimits, dir: modelsFolder(), freeBytes };
}

/** Where models that were pulled or added are known by name. */
export function modelsFolder(): string {
  return join(cacheFolder(), 'models');
}

/** Bytes that may be written into a folder, which need not exist yet. */
export async function freeBytes(folder: string): Promise<number> {
  let at = folder;
  while (!(await exists(at)) && dirname(at) !== at) at = dirname(at);
  const { bavail, bsize, blocks } = await statfs(at);
  // File systems that are no disks say 0 of 0.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

/** A licence as it is shown before anything is downloaded. */
export type LicenceNotice = {
  /** `owner/name`. */
  readonly repository: string;
  readonly title: string;
  readonly url: string;
  readonly meaning: readonly string[];
  /** Has to be accepted in so many words. */
  readonly ask: boolean;
  /** Has to be accepted on the page too, by an account. */
  readonly gated: boolean;
};

/** A file of a model that is wanted. */
export type WantedFile = {
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  readonly path: string;
  /** Its path in the model's folder. */
  readonly as: string;
  readonly sizeBytes?: number | undefined;
  readonly aboutBytes?: number | undefined;
  readonly sha256?: string | undefined;
};

export type PullStart = {
  readonly type: 'pull.start';
  /** That are not there, or only in part. */
  readonly files: number;
  /** Still to come. */
  readonly missingBytes: number;
};

export type PullFile = {
  readonly type: 'pull.file';
  readonly path: string;
  readonly sizeBytes: number;
  readonly state: 'begun' | 'waiting' | 'done';
};

export type PullProgress = {
  readonly type: 'pull.progress';
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly etaSec?: number | undefined;
};

export type PullResult = {
  readonly name: string;
  /** What to give to `--model` and its like, as a path. */
  readonly path: string;
  readonly downloadedBytes: number;
};

/** Shown before anything of the model is downloaded. */
export type PullLicences = { readonly type: 'pull.licences'; readonly licences: readonly LicenceNotice[] };

export type PullEvent =
  | PullLicences
  | PullStart
  | PullFile
  | PullProgress
  | ({ readonly type: 'pull.done' } & PullResult)
  | Note;

/** What is told of one file of a model that is read again. */
export type VerifiedFile = {
  readonly model: string;
  readonly file: string;
  /** `unknown`: nobody has said what its hash should be. */
  readonly state: 'right' | 'damaged' | 'unknown' | 'missing';
  readonly expected?: string | undefined;
  readonly got?: string | undefined;
};

/** What `pantomime models` tells its listeners. */
export type ModelEvent = PullEvent | ({ readonly type: 'verify.file' } & VerifiedFile) | RunError;
