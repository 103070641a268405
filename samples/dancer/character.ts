import type { Layer } from './field.js';
import type { Backdrop } from './scene.js';
import type { Proportions, Skeleton } from './skeleton.js';

/** Somebody who can be posed and rendered. */
export type Character = {
  readonly name: string;
  readonly measures: Proportions;
  readonly backdrop: Backdrop;
  readonly layers: (skeleton: Skeleton) => readonly Layer[];
};
