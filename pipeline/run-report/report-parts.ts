import { escapeHtml } from '../pages/html.js';
import { formatBytes } from '../progress/report-text.js';
import { engineGraphPaint, type Paint } from './lanes.js';
import type { RunFigures, StageFigures, WorkFigures } from './run-figures.js';
import { percentText, secondsText } from './seconds-text.js';

type Part = { readonly title: string; readonly paint: Paint | 'idle'; readonly seconds: number };

const paintTitles: Partial<Record<Paint, string>> = {
  ...{ models: 'loading and freeing', pose: 'poses (DWPose)', picture: 'the picture', features: 'control features' },
  ...{ denoise: 'denoising', decode: 'VAE decoding' },
};

/** What became of the engine's time, as one bar: each kind of work, and idle. */
export function engineSection({ engine, work }: RunFigures): string {
  if (!engine) return '';
  const kinds = new Map<Paint, number>();
  for (const { row, name, seconds } of work) {
    if (row !== 'engine') continue;
    const paint = engineGraphPaint(name);
    kinds.set(paint, (kinds.get(paint) ?? 0) + seconds);
  }
  const parts: Part[] = [...kinds].map(([paint, seconds]) => ({ title: paintTitles[paint] ?? paint, paint, seconds }));
  parts.sort((a, b) => b.seconds - a.seconds);
  parts.push({ title: 'idle', paint: 'idle', seconds: engine.idleSeconds });
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  let x = 0;
  const rects = parts.map(({ paint, seconds }) => {
    const width = total > 0 ? (seconds / total) * 100 : 0;
    x += width;
    return `<rect class="${paint}" x="${(x - width).toFixed(2)}" width="${width.toFixed(2)}" height="1"/>`;
  });
  const legend = parts.map(
    ({ title, paint, seconds }) =>
      `<li><i class="${paint}"></i>${title} <b>${percentText(seconds / total)}</b> ${secondsText(seconds)}</li>`,
  );
  return `<section id="engine"><h2>The engine’s time</h2>
<p class="soft">From its first call to the end of its last: ${secondsText(total)}.</p>
<div class="card"><svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="parts of the engine's time">${rects.join('')}</svg>
<ul class="legend">${legend.join('')}</ul></div></section>`;
}

export function stagesSection({ stages, seconds: total }: RunFigures): string {
  const rows = stages.map((stage) => [
    escapeHtml(stage.stage),
    stage.startSeconds === undefined ? '' : secondsText(stage.startSeconds),
    stage.reused ? '<span class="soft">reused</span>' : secondsText(stage.seconds),
    stage.reused || total <= 0 ? '' : percentText(stage.seconds / total),
    idleText(stage),
  ]);
  return `<section id="stages"><h2>Stages</h2>
<p class="soft">Stages that overlap are counted in full, each.</p>
<div class="card wide">${table(['stage', 'from', 'took', 'of the run', 'engine idle'], rows)}</div></section>`;
}

function idleText({ engine, reused }: StageFigures): string {
  if (!engine || reused) return '';
  return `${secondsText(engine.idleSeconds)} <span class="soft">${percentText(engine.idleShare)}</span>`;
}

/** Seconds of each step as bars. */
export function stepsSection({ stepSeconds, window }: RunFigures): string {
  if (stepSeconds.length === 0) return '';
  const most = Math.max(...stepSeconds);
  const wide = 100 / stepSeconds.length;
  const bars = stepSeconds.map((seconds, i) => {
    const height = most > 0 ? (seconds / most) * 100 : 0;
    return `<rect x="${(i * wide + wide * 0.08).toFixed(2)}" y="${(100 - height).toFixed(2)}" width="${(wide * 0.84).toFixed(2)}" height="${height.toFixed(2)}"><title>step ${i + 1}: ${secondsText(seconds)}</title></rect>`;
  });
  const later = stepSeconds.slice(1);
  const usual = later.length > 0 ? later.reduce((sum, value) => sum + value, 0) / later.length : undefined;
  return `<section id="steps"><h2>Denoising steps</h2>
<p class="soft">${stepSeconds.length} steps${usual === undefined ? '' : `, ${secondsText(usual)} each on average after the first`}${window ? `; ${window.count} runs of the denoiser, ${secondsText(window.meanSeconds)} each (${secondsText(window.leastSeconds)} to ${secondsText(window.mostSeconds)})` : ''}. The longest took ${secondsText(most)}.</p>
<div class="card"><svg class="steps" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="seconds of each step">${bars.join('')}</svg></div></section>`;
}

const rowTitles: Readonly<Record<WorkFigures['row'], string>> = {
  ...{ read: 'waiting for video', pose: 'pose workers', draw: 'drawing', engine: 'engine', step: 'denoising' },
  encode: 'encoder',
};

export function workSection({ work }: RunFigures): string {
  const rows = work.map(({ row, name, workers, count, seconds, leastSeconds, meanSeconds, mostSeconds }) => [
    `${rowTitles[row]}: ${escapeHtml(name)}${workers > 1 ? ` <span class="soft">by ${workers}</span>` : ''}`,
    String(count),
    ...[seconds, meanSeconds, leastSeconds, mostSeconds].map(secondsText),
  ]);
  if (rows.length === 0) return '';
  return `<section id="work"><h2>Work</h2>
<p class="soft">One run of <code>unet-step</code> is one window, or one branch of guidance of it.</p>
<div class="card wide">${table(['what', 'times', 'in all', 'mean', 'least', 'most'], rows)}</div></section>`;
}

/** What the plan estimated, beside what was measured. */
export function planSection({ plan, memory, engine }: RunFigures): string {
  const { forwards, factor, multiplyAdds, weightBytes, memoryBytes, diskBytes } = plan;
  const rate =
    multiplyAdds && engine && engine.computingSeconds > 0 ? multiplyAdds / engine.computingSeconds : undefined;
  const bytes = (value: number | undefined) => (value === undefined ? undefined : formatBytes(value));
  const facts: [string, string | undefined][] = [
    ['engine memory, measured peak', bytes(memory.engineBytes)],
    ['engine memory, as planned', bytes(memoryBytes)],
    ['main process, measured peak', bytes(memory.processBytes)],
    ['weights', bytes(weightBytes)],
    ['disk space, as planned', bytes(diskBytes)],
    ['runs of the denoiser, as planned', forwards === undefined ? undefined : String(forwards)],
    ['frames computed for each frame', factor?.toFixed(2)],
    ['multiply-adds, as planned', multiplyAdds === undefined ? undefined : `${(multiplyAdds / 1e12).toFixed(2)} T`],
    ['multiply-adds a second of computing', rate === undefined ? undefined : `${(rate / 1e9).toFixed(1)} G`],
  ];
  return `<section id="plan"><h2>Plan and memory</h2><div class="card">${factList(facts, 'small')}</div></section>`;
}

export function factList(facts: readonly (readonly [string, string | undefined])[], kind = ''): string {
  const shown = facts.filter(([, value]) => value !== undefined);
  return `<dl class="totals ${kind}">${shown
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(String(value))}</dd></div>`)
    .join('')}</dl>`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
}
