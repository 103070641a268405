import { setTimeout as wait } from 'node:timers/promises';
import { PantomimeError } from '../errors.js';
import type { HubLimits } from './hub-limits.js';
import type { HubSettings } from './hub-settings.js';
import { proxiedFetch } from './proxied-fetch.js';

/** How to ask a hub. */
export type HubAccess = Omit<HubSettings, 'cacheDir'> & {
  readonly limits: HubLimits;
  readonly signal?: AbortSignal | undefined;
  /** Told before an attempt is repeated. */
  readonly onRetry?: (retry: Retry) => void;
};

export type Retry = { readonly what: string; readonly attempt: number; readonly waitMs: number };

export type Ask = {
  readonly method: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Follow redirects to other servers too; without it, an answer that points there is given as it is. */
  readonly elsewhere?: boolean;
};

/** Something that may be over in a moment. */
export class PassingFault extends Error {
  /** When the server wants to be asked again. */
  readonly waitMs: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly waitMs?: number | undefined } = {}) {
    super(message, options);
    this.name = 'PassingFault';
    this.waitMs = options.waitMs;
  }
}

/**
 * One question to a hub and its answer, redirects followed by hand, so that the token goes to the hub itself and never to
 * another server, not even by a way back. Throws PassingFault for what may be tried again, PantomimeError for everything else.
 * @param signal ends the reading of the answer's body too.
 */
export async function ask(url: string, question: Ask, hub: HubAccess, signal?: AbortSignal): Promise<Response> {
  if (hub.offline) throw offline(url);
  const home = new URL(hub.endpoint).origin;
  let [at, atHome] = [new URL(url), true];
  for (let hops = 0; hops <= hub.limits.redirects; hops++) {
    atHome &&= at.origin === home;
    const response = await fetchOnce(at, question, atHome ? hub.token : undefined, hub, signal);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || !location) {
      await refuse(response, url, hub, at.origin === home);
      return response;
    }
    const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
    const safe = next && (next.protocol === 'https:' || (next.protocol === 'http:' && at.protocol === 'http:'));
    if (!safe) throw badAnswer(url, 'it redirects to something that is no safe address');
    if (next.origin !== home && !question.elsewhere) return response;
    await response.body?.cancel();
    at = next;
  }
  throw badAnswer(url, `it redirects more than ${hub.limits.redirects} times`);
}

async function fetchOnce(
  url: URL,
  { method, headers }: Ask,
  token: string | undefined,
  hub: HubAccess,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), hub.limits.answerMs);
  const signals = [late.signal, hub.signal, signal].filter((one) => one !== undefined);
  try {
    return await proxiedFetch(url.href, {
      method,
      redirect: 'manual',
      signal: AbortSignal.any(signals),
      headers: {
        'user-agent': 'pantomime',
        // Lengths and ranges are meant of the file itself.
        'accept-encoding': 'identity',
        ...headers,
        ...(token && { authorization: `Bearer ${token}` }),
      },
    });
  } catch (cause) {
    hub.signal?.throwIfAborted();
    if (late.signal.aborted) throw new PassingFault(`no answer from ${url.host} for ${hub.limits.answerMs / 1000} s`);
    throw new PassingFault(`${url.host} cannot be reached: ${reasonOf(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** What lies behind the bare `fetch failed`. */
export function reasonOf(thrown: unknown): string {
  const { cause, code, message } = thrown as NodeJS.ErrnoException & { readonly cause?: unknown };
  return cause instanceof Error ? reasonOf(cause) : (code ?? message ?? String(thrown));
}

/** Throws for an answer that is none. 416 is left to whoever asked for a range. */
async function refuse(response: Response, url: string, hub: HubAccess, atHome: boolean): Promise<void> {
  const { status, headers } = response;
  if ((status >= 200 && status < 300) || status === 416) return;
  await response.body?.cancel();
  if (status === 429 || status === 408 || status >= 500) {
    const waitMs = retryAfter(headers.get('retry-after'));
    if (waitMs !== undefined && waitMs > hub.limits.maxWaitMs) throw busy(url, waitMs);
    const what = status === 429 ? 'the hub wants to be asked less often' : `the hub answers ${status}`;
    throw new PassingFault(what, { waitMs });
  }
  // What the hub pointed to is asked for anew: such addresses are good for minutes only.
  if (!atHome) throw new PassingFault(`the storage of the hub answers ${status}`);
  throw refused(status, headers.get('x-error-code') ?? '', url, hub);
}

function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function refused(status: number, reason: string, where: string, { token, endpoint }: HubAccess): PantomimeError {
  const got = `status ${status}${/^\w{1,60}$/.test(reason) ? `, ${reason}` : ''}`;
  const page = pageOf(where, endpoint);
  const make = (code: string, what: string, hint: string) =>
    new PantomimeError({ code, kind: 'model', what, where, got, hint });
  if (status === 401 && token === undefined)
    return make(
      'hub.token-needed',
      'the hub gives this file only to those it knows',
      `accept the licence on ${page}, make a token on ${endpoint}/settings/tokens, then HF_TOKEN=... and the same command`,
    );
  if (status === 401)
    return make(
      'hub.token-refused',
      'the hub does not take the token in HF_TOKEN',
      `a new one: ${endpoint}/settings/tokens`,
    );
  if (status === 403)
    return make(
      'hub.not-accepted',
      'the account of HF_TOKEN may not have this file',
      `accept the licence on ${page} with that account, then the same command; a fine-grained token must allow gated repositories`,
    );
  if (status === 404)
    return make('hub.not-found', 'the hub has no such repository, revision or file', `look at ${page}`);
  return make('hub.refused', 'the hub does not give this file', `look at ${page}`);
}

/** The page of a repository for people. */
function pageOf(url: string, endpoint: string): string {
  const path = url.slice(endpoint.length).replace(/^\/api\/models/, '');
  return `${endpoint}${path.split('/').slice(0, 3).join('/')}`;
}

function offline(where: string): PantomimeError {
  return new PantomimeError({
    code: 'hub.offline',
    kind: 'usage',
    what: 'HF_HUB_OFFLINE forbids the network',
    where,
    hint: 'HF_HUB_OFFLINE=0 and the same command',
  });
}

function busy(where: string, waitMs: number): PantomimeError {
  return new PantomimeError({
    code: 'hub.busy',
    kind: 'model',
    what: 'the hub wants to be asked much later',
    where,
    got: `wait ${Math.ceil(waitMs / 1000)} s`,
    hint: 'the same command then; HF_TOKEN raises what the hub allows',
  });
}

/** An answer that no hub would give. */
export function badAnswer(where: string, what: string, got?: string): PantomimeError {
  return new PantomimeError({
    code: 'hub.answer',
    kind: 'model',
    what: `the answer of the hub makes no sense: ${what}`,
    where,
    got,
    hint: 'is HF_ENDPOINT right, and nothing between this machine and the hub?',
  });
}

/**
 * Does `work` again while it fails with a PassingFault, waiting longer each time. `work` gets a function to call whenever it got
 * anywhere: then patience starts anew. Throws PantomimeError `hub.unreachable` when patience is over.
 */
export async function patiently<T>(
  where: string,
  hub: HubAccess,
  work: (advanced: () => void) => Promise<T>,
): Promise<T> {
  const { attempts, faults, retryMs, maxWaitMs } = hub.limits;
  let [failed, inAll] = [0, 0];
  for (;;) {
    try {
      return await work(() => {
        failed = 0;
      });
    } catch (fault) {
      hub.signal?.throwIfAborted();
      if (!(fault instanceof PassingFault)) throw fault;
      failed++;
      inAll++;
      if (failed >= attempts || inAll >= faults) throw unreachable(where, fault, inAll);
      const waitMs = fault.waitMs ?? Math.min(retryMs * 2 ** (failed - 1), maxWaitMs);
      hub.onRetry?.({ what: fault.message, attempt: failed + 1, waitMs });
      await wait(waitMs, undefined, { ...(hub.signal && { signal: hub.signal }) });
    }
  }
}

function unreachable(where: string, cause: PassingFault, attempts: number): PantomimeError {
  return new PantomimeError({
    code: 'hub.unreachable',
    kind: 'model',
    what: `${cause.message}, ${attempts} times`,
    where,
    hint: 'the same command again goes on where this one stopped; HF_ENDPOINT names another hub',
    cause,
  });
}
