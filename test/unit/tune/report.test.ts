import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { axisTicks } from '#dist/pipeline/pages/axis-ticks.js';
import { colorScale } from '#dist/pipeline/tune/report/color-steps.js';
import { columnsOf } from '#dist/pipeline/tune/report/columns.js';
import { formatMetric, formatSpread } from '#dist/pipeline/tune/report/format-metric.js';
import { placeLabels } from '#dist/pipeline/tune/report/place-labels.js';
import { animateCommand } from '#dist/pipeline/tune/report/recommendation.js';
import { reportPage } from '#dist/pipeline/tune/report/report-page.js';
import type { Cell, TuneResult } from '#dist/pipeline/tune/types.js';
import { madeUpSweep } from '../../support/made-up-sweep.js';

const pageOf = (result: TuneResult) => reportPage({ result, now: new Date(0) });
const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;
const dataOf = (page: string) => /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
const evil = `"'><img src=x onerror=alert(1)></script><script>alert(2)</script>\u202e&`;

describe('report of a sweep', () => {
  const result = madeUpSweep();
  const page = pageOf(result);
  const best = result.cells.find(({ id }) => id === result.recommendation?.cell) as Cell;

  it('begins with the recommendation, its reasons and what to type', () => {
    const section = /<section id="recommendation"[\s\S]*?<\/section>/.exec(page)?.[0] ?? '';
    expect(page.indexOf('<section')).toBe(page.indexOf(section));
    for (const reason of result.recommendation?.reasons ?? []) expect(section).toContain(reason);
    expect(section).toContain(`<dt>chunk</dt><dd>${best.settings.chunk}</dd>`);
    expect(section).toContain('--preset &#39;/tunes/dance one/preset.yaml&#39;');
    expect(section).not.toContain('Within noise');
    const unsure = { ...result, recommendation: { ...result.recommendation, withinNoise: true } } as TuneResult;
    expect(pageOf(unsure)).toContain('Within noise');
  });
  it('quotes what a shell would take apart', () => {
    const strange = { ...result, image: "it's $x.png", clip: 'a.mp4', model: '/m/svd' };
    expect(animateCommand(strange)).toBe(
      `npx pantomime animate 'it'\\''s $x.png' a.mp4 --model /m/svd --preset '/tunes/dance one/preset.yaml'`,
    );
  });
  it('maps every metric, each value where its chunk and overlap meet', () => {
    const maps = [...page.matchAll(/<figure data-metric="(\w+)">([\s\S]*?)<\/figure>/g)];
    const columns = columnsOf(result);
    expect(maps.map(([, key]) => key)).toEqual(columns.map(({ key }) => key));
    const [, , map = ''] = maps.find(([, key]) => key === 'seamRatio') ?? [];
    const chunks = [...map.matchAll(/<th scope="col">(\d+)<\/th>/g)].map(([, chunk]) => Number(chunk));
    expect(chunks).toEqual([8, 12, 16, 24]);
    for (const [, overlap, row = ''] of map.matchAll(/<tr><th scope="row">(\d+)<\/th>(.*?)<\/tr>/g)) {
      const texts = [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, text]) => text);
      chunks.forEach((chunk, i) => {
        const cell = result.cells.find(
          (one) => one.settings.chunk === chunk && one.settings.overlap === Number(overlap),
        );
        const value = cell?.values.seamRatio?.mean;
        const signs = { invalid: '✕', dominated: '≫', failed: '!', done: '–' };
        expect(texts[i]).toBe(value === undefined ? signs[cell?.state ?? 'done'] : formatMetric('seamRatio', value));
      });
    }
    expect(map).toContain('title="8/8, not run: overlap 8 is more than half of chunk 8');
    expect(page).toContain('Cells that were left out: 4');
  });
  it('draws every measured cell and marks the front and the recommendation', () => {
    const plane = /<svg class="plane"[\s\S]*?<\/svg>/.exec(page)?.[0] ?? '';
    const done = result.cells.filter(({ state }) => state === 'done');
    expect(count(plane, /class="mark /g)).toBe(done.length);
    expect(count(plane, /class="mark best"/g)).toBe(1);
    expect(count(plane, /class="mark front"/g)).toBe(done.filter(({ onFront }) => onFront).length - 1);
    for (const { settings } of done) expect(plane).toContain(`>${settings.chunk}/${settings.overlap}`);
    expect(plane).not.toContain('NaN');
  });
  it('draws each layout of windows once', () => {
    const two = pageOf(madeUpSweep({ steps: [8, 16], chunks: [16], overlaps: [4] }));
    expect(count(two, /<figure class="windows"/g)).toBe(1);
    expect(two).toContain('data-cells="0 1"');
    expect(two).toMatch(/4 windows, 64 frames through the network a step; \d+ joints at /);
  });
  it('links to the videos beside it, and to nothing else', () => {
    for (const run of best.runs) expect(page).toContain(`href="cells/${best.id}/seed%20${run.seed}/output.mp4"`);
    for (const [, link] of page.matchAll(/(?:href|src)="([^"]*)"/g)) {
      expect(link).toMatch(/^(#[\w-]+|results\.json|cells\/[\w%./-]+)$/);
    }
    expect(page).not.toMatch(/https?:(?!\/\/www\.w3\.org\/2000\/svg')|@import|url\(/);
  });
  it('permits only its own style and script', () => {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    for (const tag of ['style', 'script']) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
      expect(text.length).toBeGreaterThan(100);
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(page.replace(/<(style|script)[^>]*>[\s\S]*?<\/\1>/g, '')).not.toMatch(/ (style|on\w+)=/);
  });
  it('escapes everything foreign', () => {
    const cells = result.cells.map(
      (cell, i): Cell => ({
        ...cell,
        id: evil + i,
        why: evil,
        settings: { ...cell.settings, fusion: evil as 'flat' },
        runs: cell.runs.map((run) => ({ ...run, video: `cells/${evil}/output.mp4` })),
      }),
    );
    const metrics = result.metrics.map((metric) => ({ ...metric, title: evil, meaning: evil, unit: evil }));
    const recommendation = { cell: `${evil}0`, reasons: [evil], withinNoise: true, preset: evil };
    const foreign = { clip: evil, image: evil, model: evil, dir: evil, cells, metrics, recommendation };
    // Twice the same settings, so that ids become names.
    for (const more of [foreign, { ...foreign, kind: 'compare' as const, cells: [...cells, ...cells] }]) {
      const text = pageOf({ ...result, ...more });
      expect(text).not.toContain('<img src=x');
      expect(text.replace(dataOf(text), '')).not.toContain('\u202e');
      expect(count(text, /<script/g)).toBe(2);
      expect(count(text, /<\/script/g)).toBe(2);
      expect(() => JSON.parse(dataOf(text))).not.toThrow();
    }
  });
  it('is the same for a result that has been through JSON', () => {
    expect(pageOf(JSON.parse(JSON.stringify(result)) as TuneResult)).toBe(page);
  });
  it('gives the script what it draws, rounded', () => {
    const data = JSON.parse(dataOf(page));
    expect(data.curves.map(({ key }: { key: string }) => key)).toContain('disagreement');
    const index = result.cells.indexOf(best);
    expect(data.start[0]).toBe(index);
    const run = data.cells[index].runs[0];
    expect(data.cells[index].joints).toEqual(best.joints);
    expect(run.curves[0][0]).toBeNull();
    expect(run.curves[0][1]).toBeCloseTo(best.runs[0]?.metrics.curves.difference[1] as number, 1);
  });
  it('stays small with 100 cells of 3 seeds and 200 frames', () => {
    const chunks = [8, 12, 16, 20, 24, 28, 32, 36, 40, 48];
    const large = madeUpSweep({ chunks, overlaps: [0, 1, 2, 3, 4], fusions: ['flat', 'triangular'], frames: 200 });
    expect(large.cells).toHaveLength(100);
    expect(pageOf(large).length).toBeLessThan(5e6);
  });
  it('shows a comparison without what only a sweep has', () => {
    const cells = result.cells.slice(5, 7).map((cell): Cell => ({ ...cell, score: undefined, onFront: undefined }));
    const text = pageOf({ ...result, kind: 'compare', cells, recommendation: undefined });
    expect(text).toContain('<title>Comparison: dance one.mp4</title>');
    for (const id of ['maps', 'plane', 'recommendation']) expect(text).not.toContain(`<section id="${id}"`);
    for (const id of ['player', 'curves', 'windows', 'numbers']) expect(text).toContain(`<section id="${id}"`);
  });
  it('can be made when nothing was measured', () => {
    const cells = result.cells.map(
      (cell): Cell => ({ ...cell, state: 'failed', runs: [], values: {}, score: undefined }),
    );
    const text = pageOf({ ...result, cells, recommendation: undefined });
    expect(text).toContain('There is no recommendation');
    expect(text).not.toContain('<section id="player"');
    expect(text).not.toMatch(/NaN|undefined</);
    expect(() => pageOf({ ...result, cells: [], recommendation: undefined })).not.toThrow();
  });
});

describe('parts of the report', () => {
  it('writes numbers with three digits', () => {
    expect([0, 1.2345, 0.01234, 12.345, 1234.5, 99.96].map((value) => formatMetric('flicker', value))).toEqual([
      ...['0', '1.23', '0.012', '12.3', '1235', '100'],
    ]);
    expect(formatMetric('flicker', undefined)).toBe('–');
    expect(formatMetric('psnr', Number.POSITIVE_INFINITY)).toBe('∞');
    expect(formatSpread('flicker', { mean: 1.2345, deviation: 0.0567 })).toBe('1.23 ± 0.06');
  });
  it('gives the best value the strongest colour, and noise none', () => {
    const cells = madeUpSweep().cells;
    const [seams, pck] = ['seamRatio', 'pck10'].map((key) =>
      columnsOf(madeUpSweep()).find((column) => column.key === key),
    );
    for (const column of [seams, pck]) {
      if (!column) throw new Error('no column');
      const means = cells.map(column.of).flatMap((spread) => spread?.mean ?? []);
      const { stepOf, withinNoise } = colorScale(column, cells);
      const [low, high] = [stepOf(Math.min(...means)), stepOf(Math.max(...means))];
      expect([low, high]).toEqual(column.better === 'lower' ? [8, 0] : [0, 8]);
      expect(withinNoise).toBe(false);
      const same = { ...column, of: (cell: Cell) => ({ mean: 1 + cell.settings.chunk * 1e-4, deviation: 0.1 }) };
      const flat = colorScale(same, cells);
      expect(flat.withinNoise).toBe(true);
      expect(new Set([1.0008, 1.0024].map(flat.stepOf)).size).toBe(1);
    }
  });
  it('puts ticks at round numbers', () => {
    expect(axisTicks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(axisTicks(0.9, 2.1)).toEqual([1, 1.2, 1.4, 1.6, 1.8, 2]);
    expect(axisTicks(5, 5)).toEqual([5]);
  });
  it('places labels where they cover nothing', () => {
    const area = { x: 0, y: 0, width: 300, height: 300 };
    const size = { away: 8, width: 40, height: 14 };
    const points = Array.from({ length: 12 }, (_, i) => ({ x: 100 + (i % 4) * 20, y: 100 + Math.floor(i / 4) * 20 }));
    const taken = points.map(({ x, y }) => ({ x: x - 5, y: y - 5, width: 10, height: 10 }));
    const places = placeLabels(
      points.map((point) => ({ ...point, ...size })),
      taken,
      area,
    ).filter((place) => place !== undefined);
    expect(places.length).toBeGreaterThan(6);
    const boxes = [...taken, ...places.map(({ x, y }) => ({ x, y, width: 40, height: 14 }))];
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(Math.max(i + 1, taken.length))) {
        const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(apart).toBe(true);
      }
    }
  });
});
