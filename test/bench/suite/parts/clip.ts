import type { Part } from '../bench.js';
import { animateClip, dancer } from '../clip-run.js';

/** A whole clip with the defaults of the embedded model, from files to files: time by stage, memory by process. */
export const clip: Part = {
  name: 'clip',
  seconds: [30, 130],
  async run({ quick, folder, figure }) {
    const frames = quick ? 15 : 48;
    const runs = [];
    for (let i = 0; i < (quick ? 1 : 3); i++) runs.push(await animateClip(folder, dancer, frames));
    const seconds = runs.map((run) => run.seconds);
    figure('whole clip', 's', seconds, `${frames} frames of 128x192, 8 steps, the embedded model`);
    figure(
      'whole clip',
      'frames/s',
      seconds.map((each) => frames / each),
    );
    for (const stage of Object.keys(runs[0]?.stages ?? {})) {
      figure(
        `of which ${stage}`,
        's',
        runs.map((run) => run.stages[stage] ?? 0),
      );
    }
    for (const name of Object.keys(runs[0]?.peakBytes ?? {})) {
      figure(
        `peak memory of ${name}`,
        'MB',
        runs.map((run) => (run.peakBytes[name] ?? 0) / 1e6),
      );
    }
  },
};
