import type { OptionProblem } from '../options/problem.js';
import type { Clip, Source } from './clip.js';
import { giveNames, hashedNames, namesFor, safeName } from './run-names.js';

/** A clip with its picture, if it has found one, before it has a name. */
export type Draft = {
  readonly clip: Clip;
  readonly picture?: Source | undefined;
  /** The clip goes with several pictures, so the name tells which. */
  readonly perPicture: boolean;
  readonly why?: string | undefined;
};

export type NamedDraft = Draft & { readonly name: string };

/**
 * Names of run folders: `<clip>`, or `<clip>--<picture>` where a clip goes with several pictures. Drafts that will not be
 * animated take part, so that no name changes when one of them can be.
 * @returns problems when two drafts are the same clip with the same picture, or have been given one name.
 */
export function nameDrafts(drafts: readonly Draft[]): {
  named: readonly NamedDraft[];
  problems: readonly OptionProblem[];
} {
  const clips = labels(drafts.filter(({ clip }) => clip.name === undefined).map(({ clip }) => clip));
  const pictures = labels(drafts.flatMap(({ picture }) => picture ?? []));
  const times = new Map<string, number>();
  for (const { clip } of drafts) {
    if (clip.name === undefined) times.set(clip.path, (times.get(clip.path) ?? 0) + 1);
  }
  const choices = drafts.map(({ clip, picture, perPicture }) => {
    const label = clip.name ?? clips.get(clip.path) ?? '';
    const several = perPicture || (clip.name === undefined && (times.get(clip.path) ?? 0) > 1);
    const name = picture && several ? `${label}--${pictures.get(picture.path)}` : label;
    const id = `${clip.id}\n${picture?.id ?? ''}`;
    return [name, ...(clip.name === undefined ? hashedNames(name, id) : [])].map(safeName);
  });
  const { names, clashes } = giveNames(choices);
  const problems = clashes.flatMap(([first = 0, ...others]) =>
    others.map((i): OptionProblem => {
      const named = drafts[i]?.clip.name !== undefined;
      const where = drafts[first]?.clip.where;
      return {
        code: 'batch.same-name',
        where: drafts[i]?.clip.where,
        what: named ? `the same name as ${where}` : `the same clip and picture as ${where}`,
        got: named ? names[i] : undefined,
        hint: 'give each a name of its own',
      };
    }),
  );
  return { named: drafts.map((draft, i) => ({ ...draft, name: names[i] ?? '' })), problems };
}

/** A unique name for each file, by its path. */
function labels(sources: readonly Source[]): ReadonlyMap<string, string> {
  const distinct = [...new Map(sources.map((source) => [source.path, source])).values()];
  const { names } = giveNames(distinct.map(namesFor));
  return new Map(distinct.map(({ path }, i) => [path, names[i] ?? '']));
}
