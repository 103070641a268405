import { z } from 'zod';
import { PantomimeError } from '../errors.js';
import { askJson } from '../hub/ask-json.js';
import { type DownloadTarget, download } from '../hub/download.js';
import type { RemoteContent } from '../hub/remote-file.js';
import { badAnswer, type HubAccess } from '../hub/request.js';

/** How to ask a NuGet feed. @see HubAccess: the downloads are the same. */
export type FeedAccess = Omit<HubAccess, 'endpoint' | 'token'>;

const indexSchema = z.object({ resources: z.array(z.looseObject({ '@id': z.string(), '@type': z.string() })) });

const entrySchema = z.object({
  packageHash: z.string(),
  packageHashAlgorithm: z.literal('SHA512'),
  packageSize: z.number().int().positive(),
});

/** Newest first. Names and shapes: https://learn.microsoft.com/nuget/api/registration-base-url-resource */
const registrations = ['RegistrationsBaseUrl/3.6.0', 'RegistrationsBaseUrl/3.4.0', 'RegistrationsBaseUrl'];

const leafSchema = z.object({
  catalogEntry: z.union([z.string(), z.looseObject({})]),
  packageContent: z.string(),
});

/**
 * Where a package of a NuGet feed lies, how large it is, and its SHA-512 as the feed's catalog publishes it. Throws
 * PantomimeError `nuget.*`.
 * @param feed address of its service index (`.../v3/index.json`).
 */
export function nugetPackage(id: string, version: string, feed: string, access: FeedAccess): Promise<RemoteContent> {
  return inWordsOfNuget(async () => {
    const { hub, address } = feedAccess(feed, access);
    const get = async <T>(url: string, schema: z.ZodType<T>, what: string): Promise<T> => {
      const parsed = schema.safeParse(await askJson(url, hub, { elsewhere: true }));
      if (parsed.success) return parsed.data;
      throw badAnswer(url, what);
    };
    const { resources } = await get(feed, indexSchema, 'it is no index of a NuGet feed');
    const base = registrations
      .map((type) => resources.find((resource) => resource['@type'] === type)?.['@id'])
      .find((one) => one !== undefined);
    if (!base) throw badAnswer(feed, 'it names no place where packages are described');
    const [name, number] = [id.toLowerCase(), version.toLowerCase()];
    const leafUrl = address(`${base.replace(/\/$/, '')}/${name}/${number}.json`, feed);
    const { catalogEntry, packageContent } = await get(leafUrl, leafSchema, 'it does not describe the package');
    const noHash = 'it publishes no SHA-512 of the package';
    const entry =
      typeof catalogEntry === 'string'
        ? await get(address(catalogEntry, leafUrl), entrySchema, noHash)
        : parseEntry(catalogEntry, leafUrl, noHash);
    const hash = Buffer.from(entry.packageHash, 'base64');
    if (hash.length !== 64 || entry.packageSize > hub.limits.fileBytes) throw badAnswer(leafUrl, noHash);
    return { url: address(packageContent, leafUrl), hash: hash.toString('hex'), sizeBytes: entry.packageSize };
  });
}

/** Downloads a package, from where an earlier attempt stopped; see `download`. Throws PantomimeError `nuget.*`. */
export function downloadPackage(
  remote: RemoteContent,
  target: DownloadTarget,
  feed: string,
  access: FeedAccess,
  onBytes: (bytes: number) => void,
): Promise<void> {
  return inWordsOfNuget(() => download(remote, target, feedAccess(feed, access).hub, onBytes));
}

function parseEntry(entry: unknown, url: string, what: string): z.infer<typeof entrySchema> {
  const parsed = entrySchema.safeParse(entry);
  if (parsed.success) return parsed.data;
  throw badAnswer(url, what);
}

function feedAccess(feed: string, access: FeedAccess) {
  const url = URL.canParse(feed) ? new URL(feed) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw badAnswer(feed, 'this is no address of a NuGet feed');
  /** What the feed points to is asked for as safely as the feed itself. */
  const address = (text: string, where: string): string => {
    const named = URL.canParse(text) ? new URL(text) : undefined;
    if (named && (named.protocol === 'https:' || named.protocol === url.protocol)) return named.href;
    throw badAnswer(where, 'it points to something that is no safe address', text.slice(0, 80));
  };
  return { hub: { ...access, endpoint: url.origin, token: undefined }, address };
}

const hints: Readonly<Record<string, string>> = {
  'hub.unreachable': 'pantomime setup cuda again goes on where this one stopped; --from FILE needs no network',
  'hub.offline': 'HF_HUB_OFFLINE=0 pantomime setup cuda; --from FILE needs no network',
  'hub.damaged': 'pantomime setup cuda again, later; what was sent has been removed',
};

/** The downloads are those of the Hub, and so are their messages: here they are about a feed, and what to do is another thing. */
async function inWordsOfNuget<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PantomimeError && error.code.startsWith('hub.'))) throw error;
    const { details, code } = error;
    throw new PantomimeError({
      ...details,
      code: code.replace('hub.', 'nuget.'),
      kind: details.kind === 'model' ? 'device' : details.kind,
      what: details.what.replaceAll('the hub', 'the package server'),
      hint:
        hints[code] ?? 'is --feed right? pantomime setup cuda --from FILE takes a package that was got in another way',
      cause: error,
    });
  }
}
