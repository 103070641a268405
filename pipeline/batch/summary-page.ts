import { escapeHtml } from '../pages/html.js';
import { htmlPage } from '../pages/html-page.js';
import { writtenAt } from '../pages/written-at.js';
import { formatSeconds } from '../progress/report-text.js';
import { summaryCard } from './summary-card.js';
import { summaryScript } from './summary-script.js';
import { summaryStyle } from './summary-style.js';
import { type BatchTotals, batchTotals, countsText, startUpsText } from './totals.js';
import type { BatchResult, ClipState, Skipped } from './types.js';

export type SummaryPageOptions = { readonly result: BatchResult; readonly title: string; readonly now: Date };

/** Failed clips are what a person looks for; then come the unfinished ones. Finished ones have pictures, and rows of their own. */
const grids: readonly (readonly ClipState[])[] = [['failed', 'interrupted'], ['done']];

/**
 * The page that shows all clips of a batch, as the text of one HTML file for the batch folder. It opens from disk, asks
 * nothing of a network, and its policy permits only the style and the script that stand in it, and files beside it.
 */
export function summaryPage({ result, title, now }: SummaryPageOptions): string {
  const totals = batchTotals(result);
  const cards = (states: readonly ClipState[]) =>
    states.flatMap((state) => result.clips.filter((clip) => clip.state === state)).map(summaryCard);
  return htmlPage({
    ...{ title, dir: result.dir, style: summaryStyle, script: summaryScript, shows: ['img', 'media'] },
    facts: totalsOf(totals, result),
    body: `${toolsOf(totals)}
<main>
<p id="none" hidden>No clip matches.</p>
${grids.map((states) => `<div class="grid">${cards(states).join('\n')}</div>`).join('\n')}
${skippedOf(result.skipped)}
</main>`,
    foot: `${escapeHtml(countsText(totals.counts))}. ${writtenAt(now)}.`,
  });
}

function totalsOf({ counts, clipsPerMinute, startUps, frames }: BatchTotals, { seconds }: BatchResult): string {
  const facts: [string, string | number | false | undefined][] = [
    ['done', counts.done + counts['done earlier']],
    ['of them earlier', counts['done earlier'] || undefined],
    ['failed', counts.failed || undefined],
    ['interrupted', counts.interrupted || undefined],
    ['skipped', counts.skipped || undefined],
    ['frames', frames || undefined],
    ['time of this call', formatSeconds(seconds)],
    ['clips a minute', clipsPerMinute?.toFixed(clipsPerMinute < 10 ? 2 : 1)],
  ];
  const shown = facts.filter(([, value]) => value !== undefined);
  const list = shown.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('');
  return `<dl class="totals">${list}</dl>${startUps ? `\n<p class="soft">${startUpsText(startUps)}</p>` : ''}`;
}

/** Shown by the script, as nothing in it works without. */
function toolsOf({ counts }: BatchTotals): string {
  const done = counts.done + counts['done earlier'];
  const all = done + counts.failed + counts.interrupted;
  const states = { all, done, failed: counts.failed, interrupted: counts.interrupted, skipped: counts.skipped };
  const buttons = Object.entries(states)
    .filter(([state, count]) => count > 0 || state === 'all')
    .map(([state, count]) => {
      return `<button type="button" value="${state}" aria-pressed="${state === 'all'}">${state} ${count}</button>`;
    });
  return `<div class="tools" hidden><form>${buttons.join('')}<input type="search" placeholder="filter by text" aria-label="filter by text"></form></div>`;
}

function skippedOf(skipped: readonly Skipped[]): string {
  if (skipped.length === 0) return '';
  const items = skipped.map(
    ({ name, why }) => `<li><bdi>${escapeHtml(name)}</bdi>: <span class="soft">${escapeHtml(why)}</span></li>`,
  );
  return `<details class="skipped"><summary>Skipped: ${skipped.length}</summary>\n<ul>${items.join('\n')}</ul></details>`;
}
