import { z } from 'zod';
import { isCommit, isSafePath } from './cache-layout.js';
import { ask, badAnswer, type HubAccess, PassingFault, patiently, reasonOf } from './request.js';

/** What a hub says of a repository at a revision. */
export type RemoteRepository = {
  readonly commit: string;
  /** Paths of its files; those that would lead out of a folder are left out, and so can never be asked for. */
  readonly files: readonly string[];
  /** Tag of its licence, e.g. `apache-2.0`; undefined where none is named. */
  readonly licence: string | undefined;
  readonly gated: boolean;
};

const answerSchema = z.object({
  sha: z.string().refine(isCommit),
  gated: z.union([z.boolean(), z.string()]).optional(),
  siblings: z.array(z.object({ rfilename: z.string() })),
  cardData: z.object({ license: z.unknown(), license_name: z.unknown() }).partial().nullish(),
});

/** Asks for the files and the licence of a repository. @param id `owner/name`, @param revision: both checked before. */
export async function remoteRepository(id: string, revision: string, hub: HubAccess): Promise<RemoteRepository> {
  const url = `${hub.endpoint}/api/models/${id}/revision/${revision}`;
  const text = await patiently(url, hub, async () => readAll(await ask(url, { method: 'GET' }, hub), url, hub));
  const parsed = answerSchema.safeParse(parse(text));
  if (!parsed.success) throw badAnswer(url, 'it is no description of a repository');
  const { sha, gated, siblings, cardData } = parsed.data;
  if (siblings.length > hub.limits.files) throw badAnswer(url, `more than ${hub.limits.files} files`);
  const named = [cardData?.license_name, cardData?.license].find((one) => typeof one === 'string' && one !== '');
  return {
    commit: sha,
    files: siblings.map(({ rfilename }) => rfilename).filter(isSafePath),
    licence:
      named === undefined
        ? undefined
        : String(named)
            .replace(/\p{Cc}/gu, '?')
            .slice(0, 100),
    gated: Boolean(gated),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readAll(response: Response, url: string, { limits, signal }: HubAccess): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of response.body ?? []) {
      length += part.byteLength;
      if (length > limits.listBytes) throw badAnswer(url, `more than ${limits.listBytes} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if ((cause as Error).name === 'PantomimeError') throw cause;
    throw new PassingFault(`the answer broke off: ${reasonOf(cause)}`, { cause });
  }
  return Buffer.concat(parts).toString('utf8');
}
