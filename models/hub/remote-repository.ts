import { z } from 'zod';
import { askJson } from './ask-json.js';
import { isCommit, isSafePath } from './cache-layout.js';
import { badAnswer, type HubAccess } from './request.js';

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
  const parsed = answerSchema.safeParse(await askJson(url, hub));
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
