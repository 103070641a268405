import type { OptionEntry } from '../options/layer.js';
import type { OptionName } from '../options/schema.js';

/** A file that a run folder is named after. */
export type Source = {
  /** File name with its ending. */
  readonly file: string;
  /** Absolute. */
  readonly path: string;
  /** The same on every machine that shares the disk: the path from the folder or manifest it was found by, with `/`. */
  readonly id: string;
  /** Where it was found or written, for messages. */
  readonly where: string;
};

/** A movement (video, poses or skeleton video) from a folder or a manifest, before it has a picture. */
export type Clip = Source & {
  /** Options of this clip alone; its video, poses or skeleton video is one of them. */
  readonly entries: ReadonlyMap<OptionName, OptionEntry>;
  /** Name that somebody chose for the run folder; safe as one. */
  readonly name?: string | undefined;
  /** The picture that a manifest gives this clip. */
  readonly picture?: Source | undefined;
  /** Why it cannot be animated, if so. It still takes its name, so that no other name changes once it can. */
  readonly why?: string | undefined;
};
