import { escapeHtml } from '../../pages/html.js';
import { htmlPage } from '../../pages/html-page.js';
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
  return htmlPage({
    ...{ title, dir: result.dir, style: reportStyle, script: reportScript, data: pageData(result), shows: ['media'] },
    facts: factsOf(result),
    body: `<nav aria-label="Parts of this page"><ul>${shown.map(([id, name]) => `<li><a href="#${id}">${name}</a></li>`).join('')}</ul></nav>
<main>
${shown.map(([, , html]) => html).join('\n')}
</main>`,
    foot: `${writtenAt(now)}. The same numbers stand in <a href="results.json">results.json</a>.`,
  });
}

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
