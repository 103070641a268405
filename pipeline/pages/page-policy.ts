import { createHash } from 'node:crypto';

/** What a page carries and may show. */
export type PageParts = {
  readonly style: string;
  /** Left out: the page runs none. */
  readonly script?: string | undefined;
  /** Files beside the page that it may show. */
  readonly shows: readonly ('img' | 'media')[];
};

/**
 * Content-Security-Policy of a page that opens from disk: its own style and script by their hashes, files beside it, nothing from
 * the network. `'self'` does not mean the same for pages from disk in every browser, hence `file:`.
 */
export function pagePolicy({ style, script, shows }: PageParts): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    ...shows.map((kind) => `${kind}-src 'self' file:`),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
