import { escapeHtml } from '../../pages/html.js';
import { pagePolicy } from '../../pages/page-policy.js';
import { writtenAt } from '../../pages/written-at.js';
import type { TuneResult } from '../types.js';
import { heatMaps } from './heat-maps.js';
import { meanings, numberTable } from './number-table.js';
import { pageData } from './page-data.js';
import { curvesSection, playerSection } from './player.js';
import { qualityCostPlane } from './quality-cost-plane.js';
import { recommendationSection } from './recommendation.js';
import { reportScript } from './report-script.js';
import { reportStyle } from './report-style.js';
import { windowsSection } from './windows-drawing.js';

export type ReportPageOptions = { readonly result: TuneResult; readonly now: Date };

/**
 * The page that shows a sweep, or runs that are compared, as the text of one HTML file for the folder of `results.json`. It
 * opens from disk, asks nothing of a network, and its policy permits only the style and the script that stand in it, and
 * files beside it. Without its script everything can be read but the curves and the player.
 */
export function reportPage({ result, now }: ReportPageOptions): string {
  const title = `${result.kind === 'tune' ? 'Chunk and overlap' : 'Comparison'}: ${result.clip}`;
  const player = playerSection(result);
  const sections: readonly (readonly [id: string, name: string, html: string])[] = [
    ['recommendation', 'Recommendation', recommendationSection(result)],
    ['plane', 'Quality and cost', result.kind === 'tune' ? qualityCostPlane(result) : ''],
    ['player', 'Player', player],
    ['maps', 'Maps', result.kind === 'tune' ? heatMaps(result) : ''],
    ['curves', 'Curves', player && curvesSection()],
    ['windows', 'Windows', windowsSection(result)],
    ['numbers', 'All numbers', numberTable(result)],
    ['meanings', 'Meanings', meanings(result)],
  ];
  const shown = sections.filter(([, , html]) => html !== '');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${reportStyle}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="soft">${escapeHtml(result.dir)}</p>
${factsOf(result)}
</header>
<nav aria-label="Parts of this page"><ul>${shown.map(([id, name]) => `<li><a href="#${id}">${name}</a></li>`).join('')}</ul></nav>
<main>
${shown.map(([, , html]) => html).join('\n')}
</main>
<footer>
<p>${writtenAt(now)}. The same numbers stand in <a href="results.json">results.json</a>.</p>
</footer>
<script type="application/json" id="data">${pageData(result)}</script>
<script>${reportScript}</script>
</body>
</html>
`;
}

const policy = pagePolicy({ style: reportStyle, script: reportScript, shows: ['media'] });

function factsOf(result: TuneResult): string {
  const { size, frames, framesPerSec, seeds, cells, image, model, selfReenactment } = result;
  const done = cells.filter(({ state }) => state === 'done').length;
  const facts: [string, string | number][] = [
    ['picture', selfReenactment ? `${image} (a frame of the clip)` : image],
    ['model', model],
    ['size', `${size.width} × ${size.height}`],
    ['frames', `${frames} at ${Number(framesPerSec.toFixed(2))} a second`],
    [seeds.length === 1 ? 'seed' : 'seeds', seeds.join(', ')],
    ['cells measured', done === cells.length ? done : `${done} of ${cells.length}`],
  ];
  return `<dl class="totals facts">${facts
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(String(value))}</dd></div>`)
    .join('')}</dl>`;
}
