/**
 * Draws what `fewer-steps` has measured and kept: docs/fewer-steps.svg, and a table on stdout.
 *
 *     node test/bench/run.mjs fewer-steps-plot FILE.jsonl DIR docs/fewer-steps.svg
 *
 * Besides the quality against the truth, how far the latents are from where more work would have led: without guidance, those of 25
 * Karras steps; with it, those of as many steps with guidance at all levels. Means over the characters that have every variant; a character that an interrupted run has not finished is left out.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { axisTicks } from '#dist/pipeline/pages/axis-ticks.js';
import { readTensors } from '#dist/pipeline/tensor-file.js';
import { mean } from '../support/cast-quality.js';
import { relativeL2 } from '../support/run-graph.js';
import { guidanceScale, type StepsResult, type StepsVariant, stepsVariants } from './fewer-steps-variants.js';

const { positionals } = parseArgs({ allowPositionals: true });
const [source = '', runs = '', target = ''] = positionals;
const results = (await readFile(source, 'utf8'))
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as StepsResult);
const names = stepsVariants.map(({ name }) => name);
const whole = [...new Set(results.map(({ seed }) => seed))].filter((seed) =>
  names.every((name) => results.some((result) => result.seed === seed && result.name === name)),
);
if (whole.length === 0) throw new Error(`${source}: no character has all of ${names.join(', ')}`);

const metrics = ['distance', 'foregroundPsnr', 'pck05', 'flicker', 'seam'] as const;
type Mean = Readonly<Record<(typeof metrics)[number] | 'branches' | 'teraMultiplyAdds', number>>;

async function latentsOf(seed: number, name: string): Promise<Float32Array> {
  const { latents } = await readTensors(join(runs, `${seed}-${name}`, 'latents.safetensors'));
  if (!latents) throw new Error(`${seed}-${name}: no latents`);
  return latents.data;
}

async function distanceOf(name: string): Promise<number> {
  const { options } = stepsVariants.find((variant) => variant.name === name) as StepsVariant;
  const best = options.guidanceScale === guidanceScale ? `full-${options.steps}` : 'karras-25';
  return mean(
    await Promise.all(whole.map(async (seed) => relativeL2(await latentsOf(seed, name), await latentsOf(seed, best)))),
  );
}

async function meanOf(name: string): Promise<Mean> {
  const some = results.filter((result) => result.name === name && whole.includes(result.seed));
  const over = (metric: Exclude<keyof Mean, 'distance'>) => mean(some.map((result) => result[metric]));
  return {
    ...{ branches: over('branches'), teraMultiplyAdds: over('teraMultiplyAdds'), distance: await distanceOf(name) },
    ...{ foregroundPsnr: over('foregroundPsnr'), pck05: over('pck05'), flicker: over('flicker'), seam: over('seam') },
  };
}
const means = new Map<string, Mean>();
for (const name of names) means.set(name, await meanOf(name));

const titles: Readonly<Record<(typeof metrics)[number], string>> = {
  distance: 'distance from 25 steps: down is better',
  foregroundPsnr: 'PSNR of the figure, dB: up is better',
  pck05: 'PCK@0.05: up is better',
  flicker: 'flicker of the background, levels: down is better',
  seam: 'seam: 1 is invisible',
};
/** By the first part of their names; colours that differ for colour-blind readers too (Okabe and Ito). */
const series = [
  { of: 'karras', title: 'Karras, guidance off', ink: '#000000', dash: '' },
  { of: 'ays', title: 'AYS, guidance off', ink: '#0072b2', dash: '' },
  { of: 'full', title: `AYS, guidance ${guidanceScale} at all levels`, ink: '#d55e00', dash: '' },
  { of: 'interval', title: `AYS, guidance ${guidanceScale} in 0.28..5.42`, ink: '#009e73', dash: '6 3' },
] as const;

const [panelWidth, panelHeight, columns] = [400, 240, 2];
const inset = { left: 52, right: 12, top: 28, bottom: 36 };
// The legend stands in the cell after the last panel.
const [width, height] = [panelWidth * columns, panelHeight * Math.ceil((metrics.length + 1) / columns)];

function panel(metric: (typeof metrics)[number], at: number): string {
  // With guidance another distance is meant, which stands in the table.
  const drawn = metric === 'distance' ? series.slice(0, 2) : series;
  const curves = drawn.map(({ of, ink, dash }) => ({
    ...{ ink, dash },
    points: names.filter((name) => name.startsWith(`${of}-`)).map((name) => means.get(name) as Mean),
  }));
  const all = curves.flatMap(({ points }) => points);
  const span = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [low, high] = span(all.map((point) => point[metric]));
  const margin = Math.max(0.06 * (high - low), 1e-3);
  const [bottom, top] = [low - margin, high + margin];
  const most = Math.max(...all.map(({ branches }) => branches));
  const inner = { width: panelWidth - inset.left - inset.right, height: panelHeight - inset.top - inset.bottom };
  const x = (value: number) => inset.left + (inner.width * value) / (most + 1);
  const y = (value: number) => inset.top + (inner.height * (top - value)) / (top - bottom);
  const round = (value: number) => value.toFixed(1);
  const grid = axisTicks(bottom, top, 5).map(
    (tick) =>
      `<path d="M${inset.left} ${round(y(tick))}H${panelWidth - inset.right}" stroke="#ddd"/>` +
      `<text x="${inset.left - 6}" y="${round(y(tick) + 4)}" text-anchor="end">${tick}</text>`,
  );
  const foot = axisTicks(0, most, 6).map(
    (tick) => `<text x="${round(x(tick))}" y="${panelHeight - inset.bottom + 16}" text-anchor="middle">${tick}</text>`,
  );
  const lines = curves.map(({ ink, dash, points }) => {
    const path = points.map((point, i) => `${i ? 'L' : 'M'}${round(x(point.branches))} ${round(y(point[metric]))}`);
    const dots = points.map(
      (point) => `<circle cx="${round(x(point.branches))}" cy="${round(y(point[metric]))}" r="3" fill="${ink}"/>`,
    );
    const dashes = dash && ` stroke-dasharray="${dash}"`;
    return `<path d="${path.join('')}" fill="none" stroke="${ink}" stroke-width="1.5"${dashes}/>${dots.join('')}`;
  });
  const [left, up] = [(at % columns) * panelWidth, Math.floor(at / columns) * panelHeight];
  return [
    `<g transform="translate(${left} ${up})">`,
    `<text x="${inset.left}" y="18" font-weight="bold">${titles[metric]}</text>`,
    ...grid,
    ...foot,
    `<text x="${panelWidth - inset.right}" y="${panelHeight - 4}" text-anchor="end">runs of the UNet a window</text>`,
    ...lines,
    '</g>',
  ].join('\n');
}

const legend = series.map(({ title, ink, dash }, i) => {
  const [left, up] = [inset.left + (metrics.length % columns) * panelWidth, height - panelHeight + 70 + 24 * i];
  const line = `<path d="M${left} ${up - 4}h24" stroke="${ink}" stroke-width="2"${dash && ` stroke-dasharray="${dash}"`}/>`;
  return `${line}<text x="${left + 30}" y="${up}">${title}</text>`;
});
const svg = [
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
  '<title>Quality against cost of fewer steps and of guidance</title>',
  `<rect width="${width}" height="${height}" fill="#fff"/>`,
  ...metrics.map(panel),
  ...legend,
  '</svg>\n',
];
await writeFile(target, svg.join('\n'));

console.log(`${whole.length} characters: ${whole.join(', ')}\n`);
console.log(
  '| variant | UNet runs a window | work, 1e12 multiply-adds | distance | PSNR of the figure | PCK@0.05 | flicker | seam |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const [name, of] of means) {
  const cells = [
    of.branches,
    of.teraMultiplyAdds.toFixed(2),
    of.distance.toFixed(3),
    of.foregroundPsnr.toFixed(2),
    of.pck05.toFixed(3),
  ];
  console.log(`| ${[name, ...cells, of.flicker.toFixed(3), of.seam.toFixed(2)].join(' | ')} |`);
}
