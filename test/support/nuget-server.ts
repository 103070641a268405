import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, send } from './hub-server.js';

export type NugetServer = AsyncDisposable & {
  /** Of the service index. */
  readonly feed: string;
  /** `METHOD PATH RANGE` of every request. */
  readonly seen: string[];
  /** What goes wrong when the package is asked for; called with how often it was asked for before. */
  fault: (earlier: number) => Fault | undefined;
  /** Changes what is published about the package. */
  publish: (entry: Record<string, unknown>) => Record<string, unknown>;
};

/** A feed with one package, on this machine, that speaks NuGet's V3 protocol as nuget.org does. */
export async function startNuget(id: string, version: string, content: Buffer): Promise<NugetServer> {
  const [name, at] = [id.toLowerCase(), version.toLowerCase()];
  const file = `/flat/${name}/${at}/${name}.${at}.nupkg`;
  let asked = 0;
  const server = createServer((request, response) => {
    const { url: path = '', method = '', headers } = request;
    nuget.seen.push([method, path, headers.range].filter(Boolean).join(' '));
    const json = (value: unknown) => response.end(JSON.stringify(value));
    switch (path) {
      case '/v3/index.json':
        return json({
          version: '3.0.0',
          resources: [
            { '@id': `${url}/flat/`, '@type': 'PackageBaseAddress/3.0.0' },
            { '@id': `${url}/registration-old/`, '@type': 'RegistrationsBaseUrl' },
            { '@id': `${url}/registration/`, '@type': 'RegistrationsBaseUrl/3.6.0' },
          ],
        });
      case `/registration/${name}/${at}.json`:
        return json({
          '@id': `${url}${path}`,
          catalogEntry: `${url}/catalog/leaf.json`,
          packageContent: `${url}${file}`,
        });
      case '/catalog/leaf.json': {
        const packageHash = createHash('sha512').update(content).digest('base64');
        return json(
          nuget.publish({ id, version, packageHash, packageHashAlgorithm: 'SHA512', packageSize: content.length }),
        );
      }
      case file:
        return send({ method, range: headers.range }, content, response, nuget.fault(asked++));
      default:
        return response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const nuget: NugetServer = {
    feed: `${url}/v3/index.json`,
    seen: [],
    fault: () => undefined,
    publish: (entry) => entry,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return nuget;
}
