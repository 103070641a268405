import { parse } from 'node:path';
import type { Source } from './clip.js';
import { pictureEndings } from './clip-folder.js';
import { nameKey } from './run-names.js';

export type Match<P> = { readonly picture: P } | { readonly why: string };

export type NameMatcher<P> = {
  readonly match: (clip: Source) => Match<P>;
  /** Pictures that no clip has come upon so far. */
  readonly unused: () => readonly P[];
};

/**
 * Finds the picture of a clip's name, ending aside: `dance.png` for `dance.mp4`. Capitals count only where both spellings are
 * there.
 * @param dir the folder of the pictures, for reasons.
 */
export function matchByName<P extends Source>(pictures: readonly P[], dir: string): NameMatcher<P> {
  const exact = groupBy(pictures, (file) => stemOf(file));
  const alike = groupBy(pictures, (file) => nameKey(stemOf(file)));
  const used = new Set<P>();
  const match = (clip: Source): Match<P> => {
    const stem = stemOf(clip.file);
    const found = exact.get(stem) ?? alike.get(nameKey(stem)) ?? [];
    for (const picture of found) used.add(picture);
    const [picture, second] = found;
    if (picture === undefined) return { why: `no picture for it: none of ${lookedFor(stem)} in ${dir}` };
    if (second === undefined) return { picture };
    return { why: `more than one picture for it: ${found.map(({ file }) => file).join(', ')}` };
  };
  return { match, unused: () => pictures.filter((picture) => !used.has(picture)) };
}

function stemOf(file: string): string {
  return parse(file).name.normalize('NFC');
}

function lookedFor(stem: string): string {
  const [first, ...others] = pictureEndings;
  return [`${stem}.${first}`, ...others.map((ending) => `.${ending}`)].join(', ');
}

function groupBy<P extends Source>(pictures: readonly P[], keyOf: (file: string) => string): Map<string, P[]> {
  const groups = new Map<string, P[]>();
  for (const picture of pictures) {
    const key = keyOf(picture.file);
    const group = groups.get(key);
    if (group) group.push(picture);
    else groups.set(key, [picture]);
  }
  return groups;
}
