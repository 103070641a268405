import { axisTicks } from '../pages/axis-ticks.js';
import { escapeHtml } from '../pages/html.js';
import { mergeClosest } from '../timeline/span-list.js';
import type { DrawnRow, DrawnSpan } from './lanes.js';
import { secondsText } from './seconds-text.js';

const width = 1200;
const gutter = 118;
const top = 24;
const lane = { height: 15, gap: 3 };
const rowGap = 11;
/** Widths of this many units can just be seen. */
const thinnest = 0.7;
/** About what a letter of a label takes. */
const letter = 6.2;
/** Shades of work that was drawn together with pauses. */
const shades = 4;
const mostSpans = 400;

/** Who worked when, as SVG: one row a part of the machine, one lane for each that works beside others. */
export function timelineDrawing(rows: readonly DrawnRow[]): string {
  const endMs = Math.max(1, ...rows.flatMap(({ lanes }) => lanes.flatMap((spans) => spans.map((span) => span.endMs))));
  const x = (ms: number) => gutter + (Math.max(0, ms) / endMs) * (width - gutter - 12);
  let y = top;
  const parts = rows.map(({ title, lanes }) => {
    const begin = y;
    const drawn = lanes.map((spans) => {
      const at = y;
      y += lane.height + lane.gap;
      const shown = mergeClosest(spans, mostSpans);
      return backgroundOf(title, shown, x, at) + shown.map((span) => drawSpan(span, x, at, title)).join('');
    });
    const middle = (begin + y - lane.gap) / 2 + 4;
    y += rowGap;
    return `<g class="row"><text x="0" y="${round(middle)}">${escapeHtml(title)}</text>${drawn.join('')}</g>`;
  });
  const bottom = y - rowGap + 2;
  const ticks = axisTicks(0, endMs / 1000, 12).map((tick) => {
    const at = round(x(tick * 1000));
    return `<path d="M${at} ${top - 6}V${bottom}"/><text x="${at}" y="12" text-anchor="middle">${tick} s</text>`;
  });
  return `<svg class="timeline" viewBox="0 0 ${width} ${bottom + 2}" role="img" aria-label="Time line of the run"><g class="axis">${ticks.join('')}</g>
${parts.join('\n')}</svg>`;
}

/** The engine's time from its first call to its last: what is not covered, it was idle. */
function backgroundOf(title: string, spans: readonly DrawnSpan[], x: (ms: number) => number, y: number): string {
  const [first, last] = [spans[0], spans.at(-1)];
  if (title !== 'Engine' || !first || !last) return '';
  const [from, to] = [x(first.startMs), x(last.endMs)];
  return `<rect class="idle" x="${round(from)}" y="${y}" width="${round(to - from)}" height="${lane.height}"/>`;
}

function drawSpan(span: DrawnSpan, x: (ms: number) => number, y: number, row: string): string {
  const { name, startMs, endMs, busyMs, count, paint } = span;
  const [from, to] = [x(startMs), x(endMs)];
  const wide = Math.max(thinnest, to - from);
  const share = endMs > startMs ? busyMs / (endMs - startMs) : 1;
  const shade = Math.min(shades, Math.max(1, Math.ceil(share * shades)));
  const what = count > 1 ? `${name}, ${count} times, ${secondsText(busyMs / 1000)} of ` : `${name}, `;
  const about = `${what}${secondsText((endMs - startMs) / 1000)} from ${secondsText(startMs / 1000)}`;
  const label =
    row === 'Stages' && wide > name.length * letter + 8
      ? `<text class="label" x="${round(from + 4)}" y="${y + 11.5}">${escapeHtml(name)}</text>`
      : '';
  return `<rect class="${paint} s${shade}" x="${round(from)}" y="${y}" width="${round(wide)}" height="${lane.height}"><title>${escapeHtml(about)}</title></rect>${label}`;
}

const round = (value: number) => Math.round(value * 10) / 10;
