import { curvesScript } from './curves-script.js';
import { playerScript } from './player-script.js';
import { selectionScript } from './selection-script.js';
import { tableScript } from './table-script.js';

/** The page's only script. Its parts share one scope; each begins by a function of its own once all are there. */
export const reportScript = `'use strict';
{
${selectionScript}${playerScript}${curvesScript}${tableScript}
beginTable();
if (player && sides.length > 0) {
  beginPlayer();
  beginCurves();
  beginSelection();
}
}
`;
