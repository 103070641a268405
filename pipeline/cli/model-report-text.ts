import type { ModelReport, NetworkReport, Size } from '../inspect-model.js';
import { formatBytes } from '../progress/report-text.js';
import { column, oneLine } from './cells.js';

/** Names of a kind of difference that are written out; the rest is counted. */
const shownNames = 20;

/** A model as two tables: its networks, and its parameters as table 5 of the paper counts them. */
export function modelReportText({
  dir,
  networks,
  overlay,
  base,
  withControl,
  learnable,
  total,
  fits,
}: ModelReport): string {
  const control = networks.find(({ network }) => network === 'controlnext');
  const share = overlay && `${((100 * overlay.parameters) / base).toFixed(1)} % of the UNet, ${oneLine(overlay.path)}`;
  const rows: [string, Size, string][] = [
    ...networks.map((one): [string, Size, string] => [titles[one.network], one, `${dtypesOf(one)}, ${verdict(one)}`]),
    ['together', total, ''],
    ...(overlay ? [['of it overlaid', overlay, share ?? ''] as [string, Size, string]] : []),
  ];
  const counts: [string, number, string][] = [
    ['UNet', base, ''],
    ['UNet with control', withControl, control ? '' : 'no control module'],
    ['control module', control?.parameters ?? 0, ''],
    [
      'learnable',
      learnable,
      `control module and ${overlay ? 'overlay' : "the attentions' output layers, as in the paper"}`,
    ],
  ];
  const line = (...cells: string[]) => cells.join('  ').trimEnd();
  return [
    oneLine(dir),
    '',
    line(column('', 18), column('parameters', 12, 'right'), column('tensors', 7, 'right'), column('size', 8, 'right')),
    ...rows.map(([name, { parameters, tensors, bytes }, words]) =>
      line(
        column(name, 18),
        column(millions(parameters), 12, 'right'),
        column(tensors.toLocaleString('en'), 7, 'right'),
        column(formatBytes(bytes), 8, 'right'),
        words,
      ),
    ),
    '',
    ...counts.map(([name, count, words]) => line(column(name, 18), column(millions(count), 12, 'right'), words)),
    ...(fits ? [] : ['', ...networks.flatMap(differences)]),
  ].join('\n');
}

const titles: Readonly<Record<NetworkReport['network'], string>> = {
  unet: 'UNet',
  controlnext: 'control module',
  vae: 'VAE',
  image_encoder: 'image encoder',
};

function millions(parameters: number): string {
  return `${(parameters / 1e6).toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })} M`;
}

function dtypesOf({ dtypes }: NetworkReport): string {
  const types = Object.entries(dtypes);
  return types.length === 1 ? (types[0]?.[0] ?? '') : types.map(([dtype, count]) => `${count} ${dtype}`).join(' + ');
}

function verdict({ mismatch: { missing, unexpected, misshaped } }: NetworkReport): string {
  const counts: [number, string][] = [
    [missing.length, 'missing'],
    [unexpected.length, 'unexpected'],
    [misshaped.length, 'of another shape'],
  ];
  const wrong = counts.filter(([count]) => count > 0).map(([count, kind]) => `${count} ${kind}`);
  return wrong.length === 0 ? 'names and shapes as built' : wrong.join(', ');
}

function differences({ network, mismatch }: NetworkReport): string[] {
  const list = (kind: string, names: readonly string[]) => [
    ...names.slice(0, shownNames).map((name) => `${titles[network]}: ${kind} ${oneLine(name)}`),
    ...(names.length > shownNames ? [`${titles[network]}: and ${names.length - shownNames} more ${kind}`] : []),
  ];
  return [
    ...list('missing', mismatch.missing),
    ...list('unexpected', mismatch.unexpected),
    ...list('of another shape:', mismatch.misshaped),
  ];
}
