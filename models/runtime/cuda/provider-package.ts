import { createRequire } from 'node:module';
import { z } from 'zod';
import { PantomimeError } from '../../errors.js';
import { cudaLibraries } from '../providers.js';

/** A NuGet package, and the files of it that onnxruntime needs for CUDA. */
export type ProviderPackage = {
  readonly id: string;
  readonly version: string;
  /** Service index of the feed it is on. */
  readonly feed: string;
  /** Which CUDA the files are made for, e.g. 12. */
  readonly cudaMajor: number;
  readonly files: readonly { readonly name: string; readonly entry: string }[];
};

/** Of onnxruntime-node's script/install-metadata.js, which its own installer works by. */
const metadataSchema = z.object({
  requirements: z.record(z.string(), z.array(z.string())),
  manifests: z.record(z.string(), z.record(z.string(), z.object({ package: z.string(), path: z.string() }))),
  packages: z.record(
    z.string(),
    z.object({ name: z.string(), versions: z.array(z.object({ feed: z.string(), version: z.string() })) }),
  ),
  feeds: z.record(z.string(), z.object({ type: z.string(), index: z.url({ protocol: /^https$/ }) })),
});

/** What onnxruntime-node's own installer would get for CUDA on Linux x64. Throws PantomimeError `cuda.metadata`. */
export function providerPackage(): ProviderPackage {
  const metadata = metadataSchema.safeParse(installMetadata());
  const found = metadata.success ? select(metadata.data) : undefined;
  if (found) return found;
  throw new PantomimeError({
    code: 'cuda.metadata',
    kind: 'device',
    what: 'the installed onnxruntime-node does not say where its CUDA files come from',
    hint: 'npm ci',
  });
}

function select({ requirements, manifests, packages, feeds }: z.infer<typeof metadataSchema>) {
  const platform = 'linux/x64';
  const manifest = requirements[platform]?.find((name) => /^cuda\d+$/.test(name));
  const places = manifest ? manifests[`${platform}:${manifest}`] : undefined;
  const files = cudaLibraries.map((name) => ({ name, ...places?.[`./${name}`] }));
  const { name: id, versions } = packages[files[0]?.package ?? ''] ?? {};
  const [first] = versions ?? [];
  const feed = feeds[first?.feed ?? ''];
  const whole = files.every((file) => file.path !== undefined && file.package === files[0]?.package);
  if (!manifest || !whole || !id || !first || feed?.type !== 'nuget') return undefined;
  return {
    ...{ id, version: first.version, feed: feed.index, cudaMajor: Number(manifest.slice('cuda'.length)) },
    files: files.map(({ name, path = '' }) => ({ name, entry: path })),
  };
}

function installMetadata(): unknown {
  try {
    return createRequire(import.meta.url)('onnxruntime-node/script/install-metadata.js');
  } catch {
    return undefined;
  }
}
