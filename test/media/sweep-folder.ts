import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { reportPage } from '#dist/pipeline/tune/report/report-page.js';
import type { TuneResult } from '#dist/pipeline/tune/types.js';
import { encodeVideo } from '#dist/stages/encode.js';
import type { RgbImage } from '#dist/stages/types.js';
import { codedFrame } from './coded-frame.js';
import { carried } from './toolsets.js';

/** The page of a sweep, and beside it the video of each run, whose pictures say their number. Returns the page's path. */
export async function makeSweepFolder(folder: string, result: TuneResult): Promise<string> {
  const runs = result.cells.flatMap((cell) => cell.runs);
  const { width, height } = result.size;
  for (const run of runs) {
    const out = join(folder, run.video);
    await mkdir(dirname(out), { recursive: true });
    const frameRate = { num: Math.round(result.framesPerSec), den: 1 };
    const frames = coded(run.frames, width, height);
    await encodeVideo({ frames, width, height, frameRate, out, tools: carried, preset: 'ultrafast' });
  }
  const page = join(folder, 'report.html');
  await writeFile(page, reportPage({ result, now: new Date(0) }));
  return page;
}

async function* coded(count: number, width: number, height: number): AsyncGenerator<RgbImage> {
  for (let index = 0; index < count; index += 1) yield codedFrame(index, width, height);
}
