import { axisTicks } from '../../pages/axis-ticks.js';
import { escapeHtml } from '../../pages/html.js';
import type { Cell, TuneResult } from '../types.js';
import { cellGroups, cellNames, sizesOf } from './cell-groups.js';
import { formatMetric, formatSpread } from './format-metric.js';
import { type Box, placeLabels } from './place-labels.js';

const width = 760;
const height = 440;
const plot = { left: 56, right: 16, top: 28, bottom: 48 };
const labelHeight = 14;
const letterWidth = 6.8;
const boldness = 1.14;

type Point = {
  readonly cell: Cell;
  readonly index: number;
  readonly name: string;
  /** Which of the groups (fusion, steps) it is of: decides its shape. */
  readonly group: number;
  readonly cost: number;
  readonly costDeviation: number;
  readonly score: number;
  readonly scoreDeviation: number;
};

/** Score against seconds a frame: every measured cell a point with bars for the seeds' spread, and the front as a line. */
export function qualityCostPlane(result: TuneResult): string {
  const groups = cellGroups(result.cells);
  const points = pointsOf(result);
  if (points.length === 0) return '';
  const scaleX = scaleOf(
    points.flatMap(({ cost, costDeviation }) => [cost - costDeviation, cost + costDeviation]),
    [plot.left, width - plot.right],
  );
  const scaleY = scaleOf(
    points.flatMap(({ score, scoreDeviation }) => [score - scoreDeviation, score + scoreDeviation]),
    [height - plot.bottom, plot.top],
  );
  const at = (point: Point) => ({ x: scaleX.to(point.cost), y: scaleY.to(point.score) });
  const isBest = ({ cell }: Point) => cell.id === result.recommendation?.cell;
  const shown = [...points].sort((a, b) => rank(a, isBest(a)) - rank(b, isBest(b)));
  const bars = shown.map((point) => spreadBars(point, scaleX.to, scaleY.to)).join('');
  // The star is large and hides no other, so it lies below all; the front lies above the rest.
  const stacked = [...shown.filter(isBest), ...shown.filter((point) => !isBest(point)).reverse()];
  const marks = stacked.map((point) => mark(point, at(point), isBest(point)));
  const front = points.filter(({ cell }) => cell.onFront).sort((a, b) => a.cost - b.cost);
  const best = points.find(isBest);
  const about = `Score against seconds a frame for ${points.length} cells.${best ? ` Recommended: ${best.name}, ${formatMetric('secondsPerFrame', best.cost)} seconds a frame, score ${formatMetric('score', best.score)}.` : ''}`;
  return `<section id="plane">
<h2>Quality against cost</h2>
<p class="soft">Up is better, left is faster. ${front.length > 0 ? 'The line joins the cells that no other beats in both; what lies below and right of it can be forgotten. ' : ''}${result.seeds.length > 1 ? 'Bars: one standard deviation over the seeds.' : ''}</p>
<div class="wide card"><svg class="plane" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(about)}">
${axes(scaleX, scaleY)}
<g class="bars">${bars}</g>
${front.length > 0 ? `<path class="frontline" d="${staircase(front.map(at))}"/>` : ''}
${marks.join('\n')}
${labels(
  shown.map((point) => ({
    ...at(point),
    name: sizesOf(point.cell.settings),
    best: isBest(point),
    front: point.cell.onFront === true,
  })),
  stairBoxes(front.map(at)),
)}
</svg></div>
${groups.length > 1 ? shapeLegend(groups.map(({ title }) => title)) : ''}
</section>`;
}

function pointsOf(result: TuneResult): Point[] {
  const names = cellNames(result.cells);
  const groups = cellGroups(result.cells);
  return result.cells.flatMap((cell, index): Point[] => {
    const cost = cell.values.secondsPerFrame;
    if (!cost || typeof cell.score !== 'number') return [];
    return [
      {
        ...{ cell, index, name: names[index] as string, cost: cost.mean, score: cell.score },
        group: groups.findIndex(({ cells }) => cells.includes(cell)),
        costDeviation: cost.deviation ?? 0,
        scoreDeviation: cell.scoreDeviation ?? 0,
      },
    ];
  });
}

type Scale = { readonly to: (value: number) => number; readonly ticks: readonly number[] };

/** A linear scale with a little air at both ends. */
function scaleOf(values: readonly number[], [start, end]: readonly [number, number]): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const air = (most - least) * 0.08 || Math.abs(most) * 0.1 || 1;
  const low = least >= 0 ? Math.max(0, least - air) : least - air;
  const high = most + air;
  return {
    to: (value) => Math.round((start + ((value - low) / (high - low)) * (end - start)) * 10) / 10,
    ticks: axisTicks(low, high),
  };
}

function axes(x: Scale, y: Scale): string {
  const bottom = height - plot.bottom;
  const right = width - plot.right;
  const lines = [
    ...x.ticks.map((tick) => `<path d="M${x.to(tick)} ${plot.top}V${bottom}"/>`),
    ...y.ticks.map((tick) => `<path d="M${plot.left} ${y.to(tick)}H${right}"/>`),
  ];
  const texts = [
    ...x.ticks.map((tick) => `<text x="${x.to(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`),
    ...y.ticks.map((tick) => `<text x="${plot.left - 8}" y="${y.to(tick) + 4}" text-anchor="end">${tick}</text>`),
    `<text x="${right}" y="${height - 8}" text-anchor="end">seconds a frame →</text>`,
    `<text x="${plot.left - 8}" y="16">↑ score</text>`,
    `<text class="better" x="${plot.left + 56}" y="16">↖ better</text>`,
  ];
  return `<g class="gridlines">${lines.join('')}</g>\n<g class="ticks">${texts.join('')}</g>`;
}

/** The border of what the front's cells reach: from each the way right, then up to the next. */
function staircase(points: readonly { x: number; y: number }[]): string {
  const [first, ...others] = points as [{ x: number; y: number }];
  const path = [`M${first.x} ${height - plot.bottom}V${first.y}`, ...others.map(({ x, y }) => `H${x}V${y}`)];
  return `${path.join('')}H${width - plot.right}`;
}

/** What the front's line covers. */
function stairBoxes(points: readonly { x: number; y: number }[]): Box[] {
  return points.flatMap(({ x, y }, i) => {
    const next = points[i + 1] ?? { x: width - plot.right, y };
    return [
      { x, y: y - 1, width: next.x - x, height: 2 },
      { x: next.x - 1, y: next.y, width: 2, height: y - next.y },
    ];
  });
}

function spreadBars(point: Point, x: (value: number) => number, y: (value: number) => number): string {
  const { cost, costDeviation, score, scoreDeviation } = point;
  const across = costDeviation > 0 ? `M${x(cost - costDeviation)} ${y(score)}H${x(cost + costDeviation)}` : '';
  const along = scoreDeviation > 0 ? `M${x(cost)} ${y(score - scoreDeviation)}V${y(score + scoreDeviation)}` : '';
  return across || along ? `<path d="${across}${along}"/>` : '';
}

/** Shapes of groups, about the origin. */
const shapes = [
  'M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z',
  'M-5.5-5.5h11v11h-11z',
  'M0-7.5L7 5.5H-7z',
  'M0-7.5L7.5 0L0 7.5L-7.5 0z',
];
const star = 'M0-12L3.2-4L11.6-3.6L5-1.6L7.2 9.6L0 5.2L-7.2 9.6L-5-1.6L-11.6-3.6L-3.2-4z';

function mark(point: Point, { x, y }: { x: number; y: number }, best: boolean): string {
  const { cell, name } = point;
  const cost = cell.values.secondsPerFrame;
  const tip = [
    name,
    `score ${formatSpread('score', { mean: point.score, deviation: cell.scoreDeviation })}`,
    cost && `${formatSpread('secondsPerFrame', cost)} seconds a frame`,
    best && 'recommended',
    cell.onFront && 'on the front',
    cell.state === 'dominated' && (cell.why ?? 'slower and worse than another'),
  ].filter(Boolean);
  const classes = ['mark', best ? 'best' : cell.onFront ? 'front' : 'other'].join(' ');
  const pick = cell.runs.length > 0 ? ` data-cell="${point.index}"` : '';
  return `<path class="${classes}"${pick} transform="translate(${x} ${y})" d="${best ? star : shapes[point.group % shapes.length]}"><title>${escapeHtml(tip.join(', '))}</title></path>`;
}

/** The recommended cell's label finds its place first, then the front's. */
const rank = ({ cell }: Point, best: boolean) => (best ? 0 : cell.onFront ? 1 : 2);

function labels(
  points: readonly { x: number; y: number; name: string; best: boolean; front: boolean }[],
  line: readonly Box[],
): string {
  const marks = points.map(({ x, y, best }): Box => {
    const half = best ? 11 : 6;
    return { x: x - half, y: y - half, width: 2 * half, height: 2 * half };
  });
  const area = {
    x: plot.left,
    y: plot.top,
    width: width - plot.left - plot.right,
    height: height - plot.top - plot.bottom,
  };
  const texts = points.map(({ name, best }) => (best ? `${name} recommended` : name));
  const labelWidth = (i: number) =>
    (texts[i] as string).length * letterWidth * (points[i]?.best || points[i]?.front ? boldness : 1) + 4;
  const places = placeLabels(
    points.map(({ x, y, best }, i) => ({
      ...{ x, y, away: best ? 14 : 9, height: labelHeight },
      width: labelWidth(i),
    })),
    [...marks, ...line],
    area,
  );
  return places
    .map((place, i) => {
      const point = points[i];
      if (!place || !point) return '';
      const kind = point.best ? ' class="best"' : point.front ? ' class="front"' : '';
      const near = {
        x: Math.min(place.x + labelWidth(i), Math.max(place.x, point.x)),
        y: Math.min(place.y + labelHeight - 2, Math.max(place.y + 2, point.y)),
      };
      const lead = place.far
        ? `<path class="lead" d="M${point.x} ${point.y}L${near.x.toFixed(1)} ${near.y.toFixed(1)}"/>`
        : '';
      return `${lead}<text${kind} x="${(place.x + 2).toFixed(1)}" y="${(place.y + labelHeight - 3).toFixed(1)}">${escapeHtml(texts[i] as string)}</text>`;
    })
    .join('');
}

function shapeLegend(titles: readonly string[]): string {
  const items = titles.map(
    (title, i) =>
      `<li><svg class="shape" viewBox="-9 -9 18 18" aria-hidden="true"><path class="mark front" d="${shapes[i % shapes.length]}"/></svg>${escapeHtml(title)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}
