import { createEngine } from '#dist/models/runtime/engine.js';
import { contextWindows } from '#dist/stages/denoise/windows.js';
import { median } from '#dist/stages/quality/median.js';
import type { Bench, Part } from '../bench.js';
import { animateClip, type ClipRun, longDance } from '../clip-run.js';
import { embeddedSize, openEmbedded } from '../embedded.js';
import { fitLine } from '../line-fit.js';
import { loadRun } from '../load-run.js';
import type { StepModel } from '../middle-model.js';
import { stepGraph } from '../step-graphs.js';
import { takeTurns } from '../take-turns.js';

/** How time and memory grow: with the frames of a clip, the frames of a window, their overlap, and the size of the video. */
export const scaling: Part = {
  name: 'scaling',
  seconds: [100, 430],
  async run(bench) {
    await frames(bench);
    const { model } = await openEmbedded();
    await windows(bench, model);
    await sizes(bench, model);
  },
};

/** Whole clips of one denoising step, each stage fitted by itself. */
async function frames({ quick, folder, figure }: Bench): Promise<void> {
  const ladder = quick ? [24, 48, 96] : [24, 96, 240, 480];
  const video = await longDance(folder, ladder.at(-1) as number);
  const runs: ClipRun[] = [];
  for (const count of ladder) runs.push(await animateClip(folder, video, count, ['--steps', '1']));
  for (const [i, { seconds }] of runs.entries()) figure(`whole clip of ${ladder[i]} frames, 1 step`, 's', seconds);
  const noteFit = (name: string, of: (run: ClipRun) => number) => {
    const line = fitLine(runs.map((run) => ({ x: run.frames, y: of(run) })));
    figure(name, 'ms/frame', line.slope * 1000, `R2 ${line.r2.toFixed(4)}, and ${line.intercept.toFixed(1)} s once`);
  };
  noteFit('whole clip against frames', ({ seconds }) => seconds);
  for (const stage of ['pose', 'control', 'features', 'denoise', 'decode', 'encode']) {
    if (runs.every(({ stages }) => stage in stages))
      noteFit(`${stage} against frames`, ({ stages }) => stages[stage] ?? 0);
  }
  for (const name of Object.keys(runs[0]?.peakBytes ?? {})) {
    const peaks = runs.map(({ peakBytes }) => peakBytes[name] ?? 0);
    const { slope } = fitLine(runs.map((run, i) => ({ x: run.frames, y: peaks[i] as number })));
    const note = peaks.map((bytes, i) => `${Math.round(bytes / 1e6)} MB at ${ladder[i]}`).join(', ');
    figure(`peak memory of ${name} against frames`, 'MB/frame', slope / 1e6, note);
  }
}

/** One step over a clip, by the frames of a window, then by their overlap. */
async function windows({ quick, figure, rounds, threads }: Bench, model: StepModel): Promise<void> {
  await using engine = await createEngine({ provider: 'cpu', threads });
  const chunks = quick ? [8, 16, 24] : [4, 8, 12, 16, 24, 32];
  const loaded = new Map<number, Awaited<ReturnType<typeof loadRun>>>();
  for (const chunk of chunks) {
    const graph = stepGraph({ ...model, frames: chunk }, { control: 'given', guidance: false });
    loaded.set(chunk, await loadRun(engine, graph));
  }
  const run = (chunk: number) => loaded.get(chunk)?.run() ?? Promise.reject(new Error(`no graph for ${chunk}`));
  const times = await takeTurns(Object.fromEntries(chunks.map((chunk) => [chunk, () => run(chunk)])), rounds);
  const byChunk = chunks.map((x) => ({ x, y: median(times[x] ?? []) as number }));
  const chunkLine = fitLine(byChunk);
  figure('step against frames of the window', 'ms/frame', chunkLine.slope * 1000, `R2 ${chunkLine.r2.toFixed(4)}`);

  const [count, chunk] = quick ? [49, 16] : [97, 16];
  const overlaps = [0, 2, 4, 6, 8];
  const windowsOf = (overlap: number) =>
    contextWindows(count, { chunk, overlap, anchor: 'reference', fusion: 'flat' }).length;
  const steps = Object.fromEntries(
    overlaps.map((overlap) => [
      overlap,
      async () => {
        for (let i = 0; i < windowsOf(overlap); i++) await run(chunk);
      },
    ]),
  );
  const byOverlap = await takeTurns(steps, quick ? 1 : 2);
  const points = overlaps.map((overlap) => ({ x: windowsOf(overlap), y: median(byOverlap[overlap] ?? []) as number }));
  const line = fitLine(points);
  const note = overlaps.map(
    (overlap, i) => `overlap ${overlap}: ${points[i]?.x} windows, ${points[i]?.y.toFixed(1)} s`,
  );
  figure('step against windows', 'ms/window', line.slope * 1000, `R2 ${line.r2.toFixed(4)}; ${note.join(', ')}`);
}

/** One step by the pixels of the video. */
async function sizes({ quick, figure, rounds, threads }: Bench, model: StepModel): Promise<void> {
  const { width, height } = embeddedSize;
  await using engine = await createEngine({ provider: 'cpu', threads });
  const factors = quick ? [1, 1.5] : [1, 1.5, 2];
  const runs: Record<string, () => Promise<unknown>> = {};
  for (const factor of factors) {
    const size = { width: width * factor, height: height * factor };
    const graph = stepGraph({ ...model, ...size, frames: 8 }, { control: 'given', guidance: false });
    runs[factor] = (await loadRun(engine, graph)).run;
  }
  const times = await takeTurns(runs, rounds);
  const points = factors.map((factor) => ({
    x: (width * height * factor ** 2) / 1e6,
    y: median(times[factor] ?? []) as number,
  }));
  const line = fitLine(points);
  const note = factors.map((f, i) => `${width * f}x${height * f}: ${points[i]?.y.toFixed(2)} s`).join(', ');
  figure('step of 8 frames against pixels', 's/megapixel', line.slope, `R2 ${line.r2.toFixed(4)}; ${note}`);
}
