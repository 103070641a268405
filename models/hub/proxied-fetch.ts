/** This machine is never reached by a proxy. */
const direct = ['localhost', '127.0.0.1', '::1'];

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

let made: Promise<Fetch> | undefined;

/**
 * `fetch`, by the proxy that HTTPS_PROXY or HTTP_PROXY names unless NO_PROXY excepts the host (small letters too): Node's own
 * looks at none of these. They are read at the first call.
 */
export async function proxiedFetch(url: string, init: RequestInit): Promise<Response> {
  made ??= makeFetch(process.env);
  return (await made)(url, init);
}

async function makeFetch(env: NodeJS.ProcessEnv): Promise<Fetch> {
  const proxy = env.https_proxy || env.HTTPS_PROXY || env.http_proxy || env.HTTP_PROXY;
  const excepted = env.no_proxy || env.NO_PROXY || '';
  if (!proxy || excepted.trim() === '*') return fetch;
  const undici = await import('undici');
  const dispatcher = new undici.EnvHttpProxyAgent({ noProxy: [excepted, ...direct].filter(Boolean).join(',') });
  // The same `fetch` as Node's, of another version: the types know nothing of each other.
  return (address, init) =>
    undici.fetch(address, { ...(init as object), dispatcher }) as Promise<unknown> as Promise<Response>;
}
