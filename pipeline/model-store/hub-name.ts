import { PantomimeError } from '../../models/errors.js';
import { isRepositoryId, isRevision, isSafePath } from '../../models/hub/cache-layout.js';

/** `hf:owner/name`, `hf:owner/name@revision`, or either with the path of one file behind it. */
export type HubName = {
  readonly repository: string;
  readonly revision: string;
  /** Of one file; undefined for the repository as a model folder. */
  readonly path: string | undefined;
};

/** Whether a word names something on the Hub. */
export function isHubName(word: string): boolean {
  return word.startsWith('hf:');
}

/** Throws PantomimeError `model.name` when the word names nothing that can be there. */
export function parseHubName(word: string): HubName {
  const [repository, revision = 'main', path] =
    /^hf:([^/@]+\/[^/@]+)(?:@([^/]+))?(?:\/(.+))?$/.exec(word)?.slice(1) ?? [];
  const right = repository !== undefined && isRepositoryId(repository) && isRevision(revision);
  if (right && (path === undefined || isSafePath(path))) return { repository, revision, path };
  throw new PantomimeError({
    code: 'model.name',
    kind: 'usage',
    what: 'this names no repository of the Hub',
    got: word.slice(0, 200),
    expected: 'hf:OWNER/NAME, hf:OWNER/NAME@REVISION, or either with /PATH/OF/FILE behind it',
  });
}
