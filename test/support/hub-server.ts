import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A repository of the pretended hub. Files of 1,000 bytes and more are large ones, that lie on another server. */
export type ServedRepository = {
  commit: string;
  files: Record<string, Buffer>;
  licence?: string | undefined;
  gated?: boolean;
};

/** What goes wrong with one answer. */
export type Fault = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** The connection ends after so many bytes of the answer. */
  readonly dropAfter?: number;
  /** Nothing comes after so many bytes. */
  readonly stallAfter?: number;
  readonly ignoreRange?: boolean;
  /** Other bytes than the file's are sent. */
  readonly corrupt?: boolean;
  /** More bytes than the file has. */
  readonly extra?: number;
  /** Bytes a second. */
  readonly pace?: number;
};

export type SeenRequest = {
  readonly server: 'hub' | 'storage';
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
};

export type HubServer = AsyncDisposable & {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Decides what goes wrong; called for each request with how many of the same there were before. */
  fault: (request: SeenRequest, earlier: number) => Fault | undefined;
};

export const commitOf = (digit: string) => digit.repeat(40);
export const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
export const gitHash = (data: Buffer) => createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');
export const hashOf = (data: Buffer) => (data.length < 1000 ? gitHash(data) : sha256(data));

/** Bytes that look like nothing, always the same. */
export function noise(length: number, seed = 1): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

/** A hub and its storage, two servers on this machine that speak as the Hugging Face Hub does. */
export async function startHub(repositories: Record<string, ServedRepository>): Promise<HubServer> {
  const servers: Server[] = [];
  const hub: HubServer = {
    url: '',
    seen: [],
    fault: () => undefined,
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  };
  const note = (server: 'hub' | 'storage', { method = '', url = '', headers }: IncomingMessage) => {
    const path = decodeURIComponent(url.split('?')[0] as string);
    const request: SeenRequest = { server, method, path, range: headers.range, authorization: headers.authorization };
    const same = hub.seen.filter((one) => one.server === server && one.method === method && one.path === path);
    hub.seen.push(request);
    return { request, fault: hub.fault(request, same.length) };
  };
  const listen = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const find = (path: string) => {
    const [, owner, name, , revision, ...rest] = path.split('/');
    const repository = repositories[`${owner}/${name}`];
    const content = [repository?.commit, 'main'].includes(revision) ? repository?.files[rest.join('/')] : undefined;
    return { repository, content };
  };
  const storage = await listen((request, response) => {
    const { request: seen, fault } = note('storage', request);
    const { content } = find(seen.path);
    if (!content) return void response.writeHead(404).end();
    send(seen, content, response, fault);
  });
  const url = await listen((request, response) => {
    const { request: seen, fault } = note('hub', request);
    if (fault?.status) return void response.writeHead(fault.status, fault.headers).end('no');
    if (seen.path.startsWith('/api/models/')) {
      const repository = repositories[seen.path.split('/').slice(3, 5).join('/')];
      if (!repository) return void response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end();
      const { commit: sha, files, licence: license, gated = false } = repository;
      const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
      return void response.end(JSON.stringify({ sha, gated, siblings, cardData: { license } }));
    }
    const { repository, content } = find(seen.path);
    if (!repository || !content) return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    response.setHeader('x-repo-commit', repository.commit);
    if (content.length < 1000) {
      response.setHeader('etag', `"${gitHash(content)}"`);
      return send(seen, content, response, fault);
    }
    response.setHeader('x-linked-etag', `"${sha256(content)}"`);
    response.setHeader('x-linked-size', content.length);
    for (const [name, value] of Object.entries(fault?.headers ?? {})) response.setHeader(name, value);
    const location = `${storage}${seen.path}?signature=secret`;
    response.writeHead(302, { location: fault?.headers?.location ?? location }).end('moved');
  });
  return Object.assign(hub, { url });
}

/** Answers with a file, or with what goes wrong. */
export function send(
  { method, range }: Pick<SeenRequest, 'method' | 'range'>,
  content: Buffer,
  response: ServerResponse,
  fault: Fault = {},
): void {
  if (fault.status) return void response.writeHead(fault.status, fault.headers).end('no');
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const partial = range !== undefined && !fault.ignoreRange;
  if (partial && from >= content.length) return void response.writeHead(416).end();
  let body = Buffer.from(partial ? content.subarray(from) : content);
  if (fault.corrupt) body[0] = (body[0] as number) ^ 1;
  if (fault.extra) body = Buffer.concat([body, Buffer.alloc(fault.extra)]);
  response.writeHead(partial ? 206 : 200, {
    'content-length': body.length,
    ...(partial && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    ...fault.headers,
  });
  if (method === 'HEAD') return void response.end();
  const stop = fault.dropAfter ?? fault.stallAfter;
  if (fault.pace) trickle(body, fault.pace, response);
  else if (stop === undefined) response.end(body);
  else
    response.write(body.subarray(0, stop), () => {
      if (fault.dropAfter !== undefined) setTimeout(() => response.destroy(), 20);
    });
}

function trickle(body: Buffer, pace: number, response: ServerResponse): void {
  let at = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(at, at + pace / 50));
    at += pace / 50;
    if (at >= body.length) response.end();
    if (at >= body.length || response.destroyed) clearInterval(timer);
  }, 20);
}
