import { basename, dirname, relative, sep } from 'node:path';
import { relativeLink } from '../pages/html.js';
import { htmlPage } from '../pages/html-page.js';
import { writtenAt } from '../pages/written-at.js';
import { drawnRows } from './lanes.js';
import type { RecordedRun } from './recorded-run.js';
import { engineSection, factList, planSection, stagesSection, stepsSection, workSection } from './report-parts.js';
import { reportStyle } from './report-style.js';
import type { RunFigures } from './run-figures.js';
import { percentText, secondsText } from './seconds-text.js';
import { timelineDrawing } from './timeline-drawing.js';

export type ReportPageOptions = {
  readonly run: RecordedRun;
  readonly figures: RunFigures;
  /** Where the page is going to lie: its links are relative. */
  readonly file: string;
  readonly now: Date;
};

/**
 * The page that shows where the time of a run went, as the text of one HTML file. It opens from disk, runs no script, asks
 * nothing of a network, and its policy permits only the style that stands in it, and pictures beside it.
 */
export function reportPage({ run, figures, file, now }: ReportPageOptions): string {
  const title = `Run: ${basename(run.dir)}`;
  const rows = drawnRows(run.timings);
  const drawing = run.timings.timeline
    ? `<div class="card wide">${timelineDrawing(rows)}</div>
<p class="soft">Point at a bar to see what it is. In the engine’s row, the pale ground is idle time. Paler bars are work with short pauses, drawn together.</p>`
    : '<p>No time line was recorded by the version of pantomime that made this run.</p>';
  return htmlPage({
    ...{ title, dir: run.dir, style: reportStyle, shows: ['img'] },
    facts: headFacts(run, figures),
    body: `<main>
<section id="timeline"><h2>Time line</h2>
${drawing}</section>
${engineSection(figures)}
<div class="pair">${stagesSection(figures)}
<div>${stepsSection(figures)}
${planSection(figures)}</div></div>
${workSection(figures)}
${resultsSection(run, file)}
</main>`,
    foot: `${writtenAt(now)}. The numbers come from <code>timings.json</code>; <code>pantomime report --json</code> prints them.`,
  });
}

function headFacts({ record }: RecordedRun, { frames, seconds, framesPerSec, engine, memory }: RunFigures): string {
  const { size, device, options = {}, windows } = record;
  const named = (name: string) =>
    ['string', 'number'].includes(typeof options[name]) ? String(options[name]) : undefined;
  const gigabytes = memory.engineBytes && `${(memory.engineBytes / 1e9).toFixed(2)} GB`;
  const facts: [string, string | undefined][] = [
    ['took', secondsText(seconds)],
    ['frames', frames === undefined ? undefined : String(frames)],
    ['seconds a frame', framesPerSec > 0 ? secondsText(1 / framesPerSec) : undefined],
    ['engine idle', engine && percentText(engine.idleShare)],
    ['engine memory', gigabytes || undefined],
  ];
  const details: [string, string | undefined][] = [
    ['size', size && `${size.width} × ${size.height}`],
    ['model', named('model')],
    ['steps', named('steps')],
    ['windows a step', windows && `${windows.length}, ${named('chunk')} frames, ${named('overlap')} shared`],
    ['device', device && `${device.provider}, ${device.residency}`],
    ['pantomime', record.pantomime],
  ];
  return `${factList(facts)}\n${factList(details, 'small')}`;
}

function resultsSection({ results }: RecordedRun, file: string): string {
  const linkTo = (path: string) => relativeLink(...relative(dirname(file), path).split(sep));
  const links = results.map(([title, path]) => `<a href="${linkTo(path)}">${title}</a>`);
  const sheet = results.find(([title]) => title === 'contact sheet');
  return `<section id="results"><h2>Results</h2><p class="links">${links.join(' ')}</p>
${sheet ? `<img src="${linkTo(sheet[1])}" alt="contact sheet">` : ''}</section>`;
}
