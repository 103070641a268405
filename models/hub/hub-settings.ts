import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { PantomimeError } from '../errors.js';

/** Where files come from and go to, by the variables that all programs around the Hugging Face Hub know. */
export type HubSettings = {
  /** Without a final slash. */
  readonly endpoint: string;
  /** Sent to `endpoint` and nowhere else. */
  readonly token: string | undefined;
  /** No network at all. */
  readonly offline: boolean;
  readonly cacheDir: string;
};

/**
 * `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`, `HF_HUB_CACHE`, `HF_HOME`. Throws PantomimeError `hub.settings` when one of them
 * cannot be meant.
 */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const endpoint = endpointOf(env.HF_ENDPOINT || 'https://huggingface.co');
  const token = env.HF_TOKEN?.trim() || undefined;
  if (token && !/^[\x21-\x7e]{1,500}$/.test(token)) throw wrong('HF_TOKEN', 'it is no token', 'one word');
  if (token && endpoint.protocol === 'http:' && !isThisMachine(endpoint.hostname)) {
    throw wrong('HF_ENDPOINT', 'a token would be sent unencrypted', 'an https:// address, or no HF_TOKEN');
  }
  return {
    endpoint: endpoint.href.replace(/\/+$/, ''),
    token,
    offline: /^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    cacheDir: hubCacheDir(env),
  };
}

/** The cache of the Hub, shared with other programs: `HF_HUB_CACHE`, or a folder in `HF_HOME`. */
export function hubCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  const dir = env.HF_HUB_CACHE || join(home, 'hub');
  return resolve(dir.replace(/^~(?=\/|$)/, homedir()));
}

function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url && !url.username && !url.password && !url.search && !url.hash;
  if (plain && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw wrong('HF_ENDPOINT', 'it is no address of a hub', 'such as https://huggingface.co');
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function wrong(where: string, what: string, expected: string): PantomimeError {
  return new PantomimeError({ code: 'hub.settings', kind: 'usage', what, where, expected });
}
