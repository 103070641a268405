import type { ErrorKind } from '../../models/errors.js';

export type FindingState = 'ok' | 'missing' | 'failed' | 'not needed';

/** One line of `pantomime doctor`. */
export type Finding = {
  readonly area: 'machine' | 'video' | 'poses' | 'models' | 'devices' | 'cuda';
  readonly name: string;
  readonly state: FindingState;
  /** What was found, or what is wrong. */
  readonly found: string;
  /** One command to type; there whenever the state is `missing` or `failed`. */
  readonly fix?: string | undefined;
  /** Set where every run needs it: what kind of failure a run without it ends with. */
  readonly needed?: ErrorKind | undefined;
};

/** A part of the examination. Rejects only when it is interrupted; whatever else is wrong is a finding. */
export type Check = { readonly name: string; readonly run: (signal?: AbortSignal) => Promise<readonly Finding[]> };

/** The message of anything thrown, on one line. */
export function reason(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\s+/g, ' ').trim();
}
