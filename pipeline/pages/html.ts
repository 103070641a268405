const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Foreign text for HTML, in elements and quoted attributes alike; what HTML forbids or what reorders text is shown as �. */
export function escapeHtml(text: string): string {
  return text
    .replace(/(?![\n\t])\p{Cc}|\p{Cs}|[\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
    .replace(/[&<>"']/g, (letter) => entities[letter] as string);
}

/** A relative link to a file below the page, every part of its path encoded. */
export function relativeLink(...path: readonly string[]): string {
  return escapeHtml(path.map((part) => encodeURIComponent(part.replace(/\p{Cs}/gu, '\ufffd'))).join('/'));
}
