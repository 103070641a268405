import { escapeHtml } from './html.js';
import { type PageParts, pagePolicy } from './page-policy.js';

export type HtmlPage = PageParts & {
  readonly title: string;
  /** The folder that the page is about. */
  readonly dir: string;
  /** JSON for the script, already escaped for a page. */
  readonly data?: string | undefined;
  /** HTML: facts under the title, everything up to the end, and the last line. */
  readonly facts: string;
  readonly body: string;
  readonly foot: string;
};

/** A whole page that opens from disk, and whose policy permits only what it carries and files beside it (`pagePolicy`). */
export function htmlPage({ title, dir, style, script, data, shows, facts, body, foot }: HtmlPage): string {
  const scripts = [
    ...(data === undefined ? [] : [`<script type="application/json" id="data">${data}</script>\n`]),
    ...(script === undefined ? [] : [`<script>${script}</script>\n`]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${pagePolicy({ style, script, shows })}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="soft">${escapeHtml(dir)}</p>
${facts}
</header>
${body}
<footer>
<p>${foot}</p>
</footer>
${scripts.join('')}</body>
</html>
`;
}
