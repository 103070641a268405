import { axisTicks } from '../../pages/axis-ticks.js';
import { escapeHtml } from '../../pages/html.js';
import type { Cell, TuneResult } from '../types.js';
import { cellNames } from './cell-groups.js';

const width = 960;
const lane = { height: 14, gap: 3 };
const left = 10;
const axis = 34;
/** Shades of weight, `w0` (nothing) to `w5` (all). */
const shades = 5;

type Run = { readonly start: number; readonly length: number; readonly shade: number };

/** Which frames each window covers, with what weight, and where the set of windows changes; each layout drawn once. */
export function windowsSection(result: TuneResult): string {
  const names = cellNames(result.cells);
  const layouts = new Map<string, { readonly first: Cell; readonly members: number[] }>();
  for (const [index, cell] of result.cells.entries()) {
    if (cell.windows.length === 0) continue;
    const key = JSON.stringify([cell.windows, cell.joints]);
    const layout = layouts.get(key);
    if (layout) layout.members.push(index);
    else layouts.set(key, { first: cell, members: [index] });
  }
  if (layouts.size === 0) return '';
  const figures = [...layouts.values()].map(({ first, members }, number) => {
    const title = members.map((index) => names[index]).join(' · ');
    return `<figure class="windows" data-cells="${members.join(' ')}"><figcaption><b>${escapeHtml(title)}</b> <span class="soft">${aboutWindows(first)}</span></figcaption>
<div class="wide">${drawing(first, result.frames, number, title)}</div></figure>`;
  });
  return `<section id="windows">
<h2>Windows</h2>
<p class="soft">Each bar is what the network sees at once. The stronger the colour, the more the window counts in that frame; hollow: seen, but its result is thrown away. ▾ marks a joint, where the set of windows changes and a seam may show. Frame -1 is the reference picture's own.</p>
<div class="card">${figures.join('\n')}</div>
</section>`;
}

function aboutWindows({ windows, joints }: Cell): string {
  const frames = windows.reduce((sum, window) => sum + window.frames.length, 0);
  const where =
    joints.length === 0
      ? 'no joint'
      : `${joints.length === 1 ? 'joint' : `${joints.length} joints`}${joints.length > 24 ? '' : ` at ${joints.join(', ')}`}`;
  return `${windows.length} ${windows.length === 1 ? 'window' : 'windows'}, ${frames} frames through the network a step; ${where}`;
}

function drawing({ windows, joints }: Cell, frames: number, number: number, title: string): string {
  const first = Math.min(0, ...windows.flatMap((window) => window.frames));
  const unit = (width - 2 * left) / (frames - first);
  const x = (frame: number) => round(left + (frame - first) * unit);
  const runs = windows.map(runsOf);
  const lanes = lanesOf(runs);
  const bottom = axis + (Math.max(0, ...lanes) + 1) * (lane.height + lane.gap);
  const y = (at: number) => axis + at * (lane.height + lane.gap);

  // Most windows look alike: each look is drawn once and used where it stands.
  const looks = new Map<string, string>();
  const uses = runs.map((pieces, k) => {
    const start = pieces[0]?.start ?? 0;
    const key = pieces.map((run) => [run.start - start, run.length, run.shade].join(' ')).join(';');
    if (!looks.has(key)) looks.set(key, `w${number}-${looks.size}`);
    return `<use href="#${looks.get(key)}" x="${x(start)}" y="${y(lanes[k] as number)}"/>`;
  });
  const shapes = [...looks].map(([key, id]) => {
    const pieces = key.split(';').map((text) => text.split(' ').map(Number) as [number, number, number]);
    // A little short of both ends, so that windows which touch are seen to be two.
    const rects = pieces.map(([start, length, shade], i) => {
      const from = start * unit + (i === 0 ? 0.7 : 0);
      const to = (start + length) * unit - (i === pieces.length - 1 ? 0.7 : 0);
      return `<rect class="w${shade}" x="${round(from)}" width="${round(to - from)}" height="${lane.height}"/>`;
    });
    return `<g id="${id}">${rects.join('')}</g>`;
  });
  const ticks = axisTicks(0, frames - 1, 10).filter(Number.isInteger);
  const numbers = ticks.map((tick) => `<text x="${x(tick + 0.5)}" y="12" text-anchor="middle">${tick}</text>`);
  const marks = joints.map((joint) => `M${round(x(joint) - 4)} 18h8l-4 7zM${x(joint)} 25V${bottom}`);
  return `<svg viewBox="0 0 ${width} ${bottom + 4}" role="img" aria-label="${escapeHtml(`Windows of ${title}`)}"><defs>${shapes.join('')}</defs>
<g class="ticks">${numbers.join('')}</g>${uses.join('')}<path class="joints" d="${marks.join('')}"/></svg>`;
}

/** A window as stretches of frames of the same shade, in order. */
function runsOf({ frames, weights }: Cell['windows'][number]): Run[] {
  const most = Math.max(...weights);
  const runs: Run[] = [];
  frames.forEach((frame, slot) => {
    const weight = weights[slot] ?? 0;
    const shade = weight > 0 ? Math.max(1, Math.round((weight / most) * shades)) : 0;
    const last = runs.at(-1);
    if (last && last.shade === shade && last.start + last.length === frame) {
      runs[runs.length - 1] = { ...last, length: last.length + 1 };
    } else runs.push({ start: frame, length: 1, shade });
  });
  return runs;
}

/** The first lane in which each window covers no other, but never that of the window before it. */
function lanesOf(windows: readonly (readonly Run[])[]): number[] {
  const lanes: Set<number>[] = [];
  let before = -1;
  return windows.map((runs) => {
    const covered = runs.flatMap(({ start, length }) => Array.from({ length }, (_, i) => start + i));
    const found = lanes.findIndex((taken, one) => one !== before && covered.every((frame) => !taken.has(frame)));
    const at = found === -1 ? lanes.push(new Set()) - 1 : found;
    for (const frame of covered) lanes[at]?.add(frame);
    before = at;
    return at;
  });
}

const round = (value: number) => Math.round(value * 10) / 10;
