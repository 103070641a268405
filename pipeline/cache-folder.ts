import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where things that can be made again are kept: PANTOMIME_CACHE, or the user's cache folder. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return process.env.PANTOMIME_CACHE ?? join(base, 'pantomime');
}
