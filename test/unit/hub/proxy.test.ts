import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { proxiedFetch } from '#dist/models/hub/proxied-fetch.js';

const servers: Server[] = [];
/** Ends of tunnels: no server closes them by itself. */
const sockets: Duplex[] = [];
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

it('hosts are reached by the proxy of the environment, this machine directly', async () => {
  const here = await listen(createServer((_, response) => response.end('here')));
  const tunnels: string[] = [];
  // A proxy that takes every name for this machine.
  const proxy = createServer().on('connect', ({ url = '' }, client) => {
    tunnels.push(url);
    const there = connect(here, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      there.pipe(client).pipe(there);
    });
    sockets.push(there, client);
    for (const end of [there, client]) end.on('error', () => {});
  });
  const port = await listen(proxy);
  Object.assign(process.env, { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: 'excepted.invalid' });

  expect(await (await proxiedFetch('http://somewhere.invalid/x', {})).text()).toBe('here');
  expect(await (await proxiedFetch(`http://127.0.0.1:${here}/x`, {})).text()).toBe('here');
  await expect(proxiedFetch('http://excepted.invalid/x', {})).rejects.toThrow();
  expect(tunnels).toEqual(['somewhere.invalid:80']);
});
