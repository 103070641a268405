/** `Written 2026-01-31 23:59 UTC`, as HTML, for the foot of a page. */
export function writtenAt(now: Date): string {
  const time = now.toISOString();
  return `Written <time datetime="${time}">${time.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
