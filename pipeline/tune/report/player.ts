import { escapeHtml } from '../../pages/html.js';
import type { TuneResult } from '../types.js';
import { cellNames } from './cell-groups.js';

/** Any two cells side by side under one set of controls; the page's script gives it life. Empty without videos. */
export function playerSection(result: TuneResult): string {
  const names = cellNames(result.cells);
  const options = result.cells.flatMap(({ runs }, index) =>
    runs.length > 0 ? [`<option value="${index}">${escapeHtml(names[index] as string)}</option>`] : [],
  );
  if (options.length === 0) return '';
  const { width, height } = result.size;
  const sides = ['A', 'B'].map(
    (side, i) => `<figure class="side side-${i}">
<figcaption><button type="button" class="which" data-activate="${i}" aria-pressed="${i === 0}" title="key ${i + 1}: clicks on plots choose this side">${side}</button>
<label>cell <select data-cell-of="${i}">${options.join('')}</select></label>
<label>seed <select data-seed-of="${i}"></select></label></figcaption>
<video muted playsinline preload="auto" disablepictureinpicture width="${width}" height="${height}"></video>
<p class="trouble" role="alert" hidden></p>
</figure>`,
  );
  return `<section id="player">
<h2>Two ${result.kind === 'tune' ? 'cells' : 'runs'} side by side</h2>
<noscript><p class="note">The player and the curves need the page's script. The videos are linked in the table of all numbers.</p></noscript>
<div class="player card" tabindex="0" role="group" aria-label="Player of two videos" aria-describedby="keys" hidden>
<div class="sides">${sides.join('\n')}</div>
<div class="timeline">
<svg class="strip strip-0" aria-hidden="true"></svg>
<input type="range" min="0" max="0" value="0" step="1" aria-label="frame">
<svg class="strip strip-1" aria-hidden="true"></svg>
</div>
<div class="controls">
<button type="button" data-do="play" class="play">play</button>
<button type="button" data-do="back" aria-label="one frame back">‹ frame</button>
<button type="button" data-do="forward" aria-label="one frame on">frame ›</button>
<button type="button" data-do="joint-back" aria-label="to the joint before">‹ joint</button>
<button type="button" data-do="joint-forward" aria-label="to the next joint">joint ›</button>
<button type="button" data-do="loop" aria-pressed="true">loop</button>
<label>speed <select data-do="speed"><option value="1">1</option><option value="0.5">1/2</option><option value="0.25">1/4</option></select></label>
<output></output>
</div>
<p id="keys" class="soft">Keys: <kbd>space</kbd> play, <kbd>,</kbd> <kbd>.</kbd> one frame, <kbd>←</kbd> <kbd>→</kbd> half a second, with <kbd>shift</kbd> to the next joint of the chosen side, <kbd>1</kbd> <kbd>2</kbd> choose the side that a click on a point or a map fills. Marks above the time line are A's joints, below it B's.</p>
</div>
</section>`;
}

/** Where the script draws the curves of the two cells. */
export function curvesSection(): string {
  return `<section id="curves" hidden>
<h2>Frame by frame</h2>
<p class="soft">The two cells of the player: <b class="ink-0">A</b> and <b class="ink-1">B</b>; thin lines are their other seeds. Marks at the top are A's joints, at the bottom B's. The upright line is the player's frame; point at a curve to read it, click to go there.</p>
<div class="card"><div class="curves"></div></div>
</section>`;
}
