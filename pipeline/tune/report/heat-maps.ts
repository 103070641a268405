import { escapeHtml } from '../../pages/html.js';
import type { Cell, TuneResult } from '../types.js';
import { type CellGroup, cellGroups, cellNames } from './cell-groups.js';
import { type ColorScale, colorScale, colorSteps } from './color-steps.js';
import { type Column, columnsOf, directionOf } from './columns.js';
import { formatMetric, formatSpread } from './format-metric.js';

/** What a cell shows that was not measured. */
const signs: Readonly<Record<Cell['state'], string>> = { done: '–', invalid: '✕', dominated: '≫', failed: '!' };

/** How the page says a state. */
export const stateTexts: Readonly<Record<Cell['state'], string>> = {
  done: 'done',
  invalid: 'not run',
  dominated: 'left out, slower and worse than another',
  failed: 'failed',
};

/**
 * One map of chunk and overlap for each metric, as tables, so that a screen reader reads what the eye sees. Below them
 * stands every cell that was not measured, and why. Empty when cells have the same chunk and overlap.
 */
export function heatMaps(result: TuneResult): string {
  const groups = cellGroups(result.cells);
  const columns = columnsOf(result);
  if (groups.some(({ ambiguous }) => ambiguous) || columns.length === 0) return '';
  const maps = groups.map((group) => {
    const figures = columns.map((column) => heatMap(column, group, result, colorScale(column, result.cells)));
    return `<h3>${escapeHtml(group.title)}</h3>\n<div class="maps${group.chunks.length > 4 ? ' many' : ''}">${figures.join('\n')}</div>`;
  });
  return `<section id="maps">
<h2>Maps of chunk and overlap</h2>
<p class="soft">Every column is a chunk, every row an overlap. The stronger the colour, the better; a scale is never so narrow that noise looks like a difference.</p>
${legend(result)}
${maps.join('\n')}
${withoutNumbers(result)}
</section>`;
}

function heatMap(column: Column, group: CellGroup, result: TuneResult, scale: ColorScale): string {
  const rows = [...group.overlaps].reverse().map((overlap) => {
    const cells = group.chunks.map((chunk) =>
      mapCell(
        column,
        group.cells.find(({ settings }) => settings.chunk === chunk && settings.overlap === overlap),
        result,
        scale,
      ),
    );
    return `<tr><th scope="row">${overlap}</th>${cells.join('')}</tr>`;
  });
  const heads = group.chunks.map((chunk) => `<th scope="col">${chunk}</th>`).join('');
  const noise = scale.withinNoise ? ' · differences are within noise' : '';
  const unit = column.unit ? `, ${escapeHtml(column.unit)}` : '';
  return `<figure data-metric="${column.key}"><figcaption title="${escapeHtml(column.meaning)}"><b>${escapeHtml(column.title)}</b>${unit}<br><span class="soft">${directionOf(column)}${noise}</span></figcaption>
<div class="wide"><table class="map"><thead><tr><td></td><th colspan="${group.chunks.length}">chunk</th></tr><tr><th>overlap</th>${heads}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div></figure>`;
}

function mapCell(column: Column, cell: Cell | undefined, result: TuneResult, scale: ColorScale): string {
  if (!cell) return '<td></td>';
  const { id, settings, state, why } = cell;
  const name = `${settings.chunk}/${settings.overlap}`;
  const spread = column.of(cell);
  const classes = [
    spread && Number.isFinite(spread.mean) ? `q${scale.stepOf(spread.mean)}` : 'none',
    state !== 'done' && state,
    cell.onFront && 'front',
    id === result.recommendation?.cell && 'best',
  ].filter(Boolean);
  const tip = [
    spread ? `${name}: ${formatSpread(column.key, spread)}${column.unit ? ` ${column.unit}` : ''}` : name,
    state !== 'done' && `${stateTexts[state]}${why ? `: ${why}` : ''}`,
  ].filter(Boolean);
  const text = spread ? formatMetric(column.key, spread.mean) : signs[state];
  const pick = cell.runs.length > 0 ? ` data-cell="${result.cells.indexOf(cell)}"` : '';
  return `<td class="${classes.join(' ')}"${pick} title="${escapeHtml(tip.join(', '))}">${text}</td>`;
}

function legend({ cells, recommendation }: TuneResult): string {
  const scale = Array.from({ length: colorSteps }, (_, step) => `<i class="q${step}"></i>`).join('');
  const states = (['dominated', 'invalid', 'failed'] as const).filter((state) => cells.some((c) => c.state === state));
  const items = [
    `worse <span class="scale">${scale}</span> better`,
    recommendation && '<i class="best"></i> recommended',
    cells.some(({ onFront }) => onFront) && '<i class="front"></i> no other is cheaper and better',
    ...states.map((state) => `<i class="none ${state}"></i> ${signs[state]} ${stateTexts[state]}`),
  ];
  return `<ul class="legend">${items
    .filter(Boolean)
    .map((item) => `<li>${item}</li>`)
    .join('')}</ul>`;
}

function withoutNumbers({ cells }: TuneResult): string {
  const names = cellNames(cells);
  const rows = cells.flatMap(({ state, why }, i) =>
    state === 'done'
      ? []
      : [
          `<tr><th scope="row">${escapeHtml(names[i] as string)}</th><td>${stateTexts[state]}</td><td>${escapeHtml(why ?? '')}</td></tr>`,
        ],
  );
  if (rows.length === 0) return '';
  return `<details><summary>Cells that were left out: ${rows.length}</summary>
<div class="wide"><table class="plain"><thead><tr><th scope="col">cell</th><th scope="col">state</th><th scope="col">reason</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div></details>`;
}
