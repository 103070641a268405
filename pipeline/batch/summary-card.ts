import { escapeHtml, relativeLink } from '../pages/html.js';
import { formatDuration, formatSeconds } from '../progress/report-text.js';
import { type StageGroup, stageGroups } from './summary-style.js';
import { shownState } from './totals.js';
import type { ClipError, ClipOutcome } from './types.js';

/** What the page calls the groups of stages. */
const groupTitles: Readonly<Record<StageGroup, string>> = {
  models: 'starting',
  pose: 'poses',
  denoise: 'denoising',
  decode: 'decoding',
  encode: 'pose video',
  other: 'other',
};

/** Control features are computed once for all denoising steps, so they belong to these. */
function groupOf(stage: string): StageGroup {
  return stage === 'features' ? 'denoise' : (stageGroups.find((one) => one === stage) ?? 'other');
}

/** One clip on the page, as HTML: its contact sheet and video, figures, stages, warnings, error. */
export function summaryCard(clip: ClipOutcome): string {
  const { name, state, warnings = [], error } = clip;
  const lines = [
    `<article data-state="${state}">`,
    state === 'done' ? mediaOf(name) : '',
    `<div class="text"><div class="head"><h2><bdi>${escapeHtml(name)}</bdi></h2><span class="state ${state}">${shownState(clip)}</span></div>`,
    `<p class="facts soft">${factsOf(clip)}</p>`,
    stageBar(clip.stages ?? []),
    ...warnings.map((text) => `<p class="warning">${escapeHtml(text)}</p>`),
    error ? errorOf(error) : '',
    linksOf(clip),
    '</div></article>',
  ];
  return lines.filter(Boolean).join('\n');
}

/**
 * The contact sheet, a link to the video; the page's script plays it in the same place. A picture is loaded when it comes into
 * view, which a video's poster is not: a thousand of them would be loaded at once.
 */
function mediaOf(name: string): string {
  const sheet = relativeLink(name, 'contact-sheet.png');
  const video = relativeLink(name, 'output.mp4');
  return `<a class="media" href="${video}" title="play"><img src="${sheet}" loading="lazy" decoding="async" alt="contact sheet"></a>`;
}

function factsOf({ frames, seconds, attempts, startUpSec }: ClipOutcome): string {
  const facts = [
    frames !== undefined && `${frames} frames`,
    seconds !== undefined && formatSeconds(seconds),
    attempts === 0 ? 'not begun' : `${attempts} attempt${attempts === 1 ? '' : 's'}`,
    startUpSec !== undefined && `start-up ${startUpSec.toFixed(1)} s`,
  ];
  return facts.filter(Boolean).join(' · ');
}

/** Where the time went, as one bar with the time of each part below it. */
function stageBar(stages: NonNullable<ClipOutcome['stages']>): string {
  const times = new Map<StageGroup, { ms: number; reused: boolean }>();
  for (const { stage, ms, reused } of stages) {
    const group = groupOf(stage);
    const before = times.get(group) ?? { ms: 0, reused: true };
    times.set(group, { ms: before.ms + ms, reused: before.reused && reused });
  }
  const total = [...times.values()].reduce((sum, { ms }) => sum + ms, 0);
  if (total <= 0) return '';
  const present = stageGroups.flatMap((group) => {
    const time = times.get(group);
    return time ? [{ group, ...time }] : [];
  });
  let x = 0;
  const parts = present.map(({ group, ms }) => {
    const width = (ms / total) * 100;
    x += width;
    return `<rect class="${group}" x="${rounded(x - width)}" width="${rounded(width)}" height="1"/>`;
  });
  const legend = present
    .filter(({ ms, reused }) => reused || ms >= total / 200)
    .map(({ group, ms, reused }) => {
      return `<li><i class="${group}"></i>${groupTitles[group]} ${reused && group !== 'other' ? 'reused' : formatDuration(ms)}</li>`;
    });
  return `<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="time by stage">${parts.join('')}</svg>
<ul class="legend">${legend.join('')}</ul>`;
}

const rounded = (value: number) => Number(value.toFixed(2));

function errorOf({ code, what, where, got, expected, hint }: ClipError): string {
  const facts = Object.entries({ where, got, expected, hint, code })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(String(value))}</dd>`);
  return `<div class="error"><strong>${escapeHtml(what)}</strong><dl>${facts.join('')}</dl></div>`;
}

/** Only to files that are surely there: a log may hold nothing, but exists as soon as an attempt was made. */
function linksOf({ name, state, attempts, earlier }: ClipOutcome): string {
  const results: [string, string][] = [
    ['video', 'output.mp4'],
    ['comparison', 'comparison.mp4'],
    ['poses', 'pose.mp4'],
    ['contact sheet', 'contact-sheet.png'],
    ['run.json', 'run.json'],
  ];
  const links = state === 'done' ? results.map(([text, file]) => [text, relativeLink(name, file)]) : [];
  if (attempts > 0 || earlier) links.push(['log', relativeLink('logs', `${name}.log`)]);
  if (links.length === 0) return '';
  return `<p class="links">${links.map(([text, href]) => `<a href="${href}">${text}</a>`).join(' ')}</p>`;
}
