import { escapeHtml, relativeLink } from '../../pages/html.js';
import type { Cell, TuneResult } from '../types.js';
import { cellNames } from './cell-groups.js';
import { type Column, columnsOf, directionOf } from './columns.js';
import { formatSpread } from './format-metric.js';
import { stateTexts } from './heat-maps.js';

/** All numbers, a row a cell; the page's script sorts them and puts a cell on a side of the player. */
export function numberTable(result: TuneResult): string {
  const columns = columnsOf(result);
  const names = cellNames(result.cells);
  const heads = columns.map((column) => {
    const tip = escapeHtml(`${column.meaning} ${directionOf(column)}`);
    const unit = column.unit ? `<small>${escapeHtml(column.unit)}</small>` : '';
    return `<th scope="col" data-better="${column.better}"><button type="button" title="${tip}">${escapeHtml(column.title)}${unit}</button></th>`;
  });
  const rows = result.cells.map((cell, index) => rowOf(cell, index, names[index] as string, columns, result));
  const deviations = result.seeds.length > 1 ? ` ± is one standard deviation over ${result.seeds.length} seeds.` : '';
  return `<section id="numbers">
<h2>All numbers</h2>
<p class="soft">★ recommended, ◆ on the front.${deviations} The numbers behind a cell are its videos, one a seed.</p>
<div class="wide card"><table class="plain numbers"><thead><tr><th scope="col"><button type="button">cell</button></th><th scope="col">compare</th><th scope="col">videos</th>${heads.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
</section>`;
}

function rowOf(cell: Cell, index: number, name: string, columns: readonly Column[], result: TuneResult): string {
  const best = cell.id === result.recommendation?.cell;
  const sign = best ? '★ ' : cell.onFront ? '◆ ' : '';
  const picks = ['A', 'B'].map(
    (side, i) =>
      `<button type="button" data-side="${i}" data-index="${index}" hidden aria-label="${escapeHtml(`${name} on side ${side}`)}">${side}</button>`,
  );
  const videos = cell.runs.map(
    ({ seed, video }, run) =>
      `<a href="${relativeLink(...video.split('/'))}" data-run="${index} ${run}" title="${escapeHtml(`seed ${seed}`)}">${seed}</a>`,
  );
  const head = `<th scope="row" data-value="${index}" title="${escapeHtml(cell.id)}">${sign}${escapeHtml(name)}</th><td class="picks">${cell.runs.length > 0 ? picks.join('') : ''}</td><td>${videos.join(' ')}</td>`;
  const row = `<tr id="cell-${index}"${best ? ' class="best"' : ''}>`;
  if (columns.every((column) => !column.of(cell))) {
    const text = `${stateTexts[cell.state]}${cell.why ? `: ${cell.why}` : ''}`;
    return `${row}${head}<td class="why soft" colspan="${columns.length}">${escapeHtml(text)}</td></tr>`;
  }
  return `${row}${head}${columns.map((column) => numberOf(column, cell)).join('')}</tr>`;
}

function numberOf(column: Column, cell: Cell): string {
  const spread = column.of(cell);
  if (!spread) return '<td>–</td>';
  const value = Number.isFinite(spread.mean) ? Number(spread.mean.toPrecision(7)) : spread.mean;
  const [text, around] = formatSpread(column.key, spread).split(' ± ');
  return `<td data-value="${value}">${text}${around ? ` <small>± ${around}</small>` : ''}</td>`;
}

/** What each metric means, for people who have never seen it. */
export function meanings(result: TuneResult): string {
  const items = columnsOf(result).map(
    (column) =>
      `<div><dt><b>${escapeHtml(column.title)}</b> <span class="soft">${[directionOf(column), column.unit, column.kind === 'cost' ? 'cost' : ''].filter(Boolean).map(escapeHtml).join(' · ')}</span></dt><dd>${escapeHtml(column.meaning)}</dd></div>`,
  );
  return `<section id="meanings">
<h2>What the metrics mean</h2>
<dl class="meanings">${items.join('\n')}</dl>
</section>`;
}
