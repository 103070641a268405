import { join } from 'node:path';
import { escapeHtml } from '../../pages/html.js';
import type { Cell, TuneResult } from '../types.js';
import { columnsOf } from './columns.js';
import { formatSpread } from './format-metric.js';

/** What to use, why, how sure that is, and what to type; or that there is nothing to recommend. */
export function recommendationSection(result: TuneResult): string {
  const { recommendation, cells, kind } = result;
  const cell = cells.find(({ id }) => id === recommendation?.cell);
  if (!recommendation || !cell) {
    const text = kind === 'compare' ? '' : '<p>There is no recommendation: no cell was measured to its end.</p>';
    return text && `<section id="recommendation" class="card"><h2>Recommendation</h2>${text}</section>`;
  }
  const reasons = recommendation.reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join('');
  return `<section id="recommendation" class="card">
<h2>Recommendation</h2>
${settingsOf(cell)}
<ul class="reasons">${reasons}</ul>
${recommendation.withinNoise ? withinNoise : ''}
<p>To use it:</p>
<pre tabindex="0"><code>${escapeHtml(animateCommand(result))}</code></pre>
${numbersOf(cell, result)}
</section>`;
}

const withinNoise =
  '<p class="note"><b>Within noise.</b> The best cells differ by less than chance does. This is a good choice, not the only one.</p>';

function settingsOf({ settings: { chunk, overlap, fusion, steps } }: Cell): string {
  const facts = { chunk, overlap, fusion, steps };
  const list = Object.entries(facts).map(
    ([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(String(value))}</dd></div>`,
  );
  return `<dl class="totals">${list.join('')}</dl>`;
}

function numbersOf(cell: Cell, result: TuneResult): string {
  const numbers = columnsOf(result).flatMap((column) => {
    const spread = column.of(cell);
    if (!spread) return [];
    const text = `${formatSpread(column.key, spread)}${column.unit ? ` ${column.unit}` : ''}`;
    return [`<div><dt>${escapeHtml(column.title)}</dt><dd>${escapeHtml(text)}</dd></div>`];
  });
  return `<dl class="totals small">${numbers.join('')}</dl>`;
}

/** What to type to animate the whole clip with the recommended settings. */
export function animateCommand({ dir, image, clip, model, recommendation }: TuneResult): string {
  const words = ['npx', 'pantomime', 'animate', image, clip];
  if (model !== 'embedded') words.push('--model', model);
  if (recommendation) words.push('--preset', join(dir, recommendation.preset));
  return words.map(quoted).join(' ');
}

/** A word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
