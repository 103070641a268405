import type { ModelState } from '../model-store/model-states.js';
import type { LicenceNotice } from '../model-store/types.js';
import { formatBytes } from '../progress/report-text.js';
import { column, oneLine, type Piece, painted } from './cells.js';

/** The models as a table: name, what is there, size, the option it is for, then what it is and its licences. */
export function modelsTable(models: readonly ModelState[], { color }: { readonly color: boolean }): string {
  const width = Math.max(...models.map(({ name }) => name.length));
  const lines = models.flatMap((model): Piece[][] => {
    const { name, title, use, state, sizeBytes, exact, licences } = model;
    const size = `${exact ? '' : 'about '}${formatBytes(sizeBytes)}`;
    const asked = licences.filter(({ ask }) => ask);
    const terms = asked.length > 0 ? asked.map((licence) => `${licence.repository}: ${licence.title}`) : [];
    return [
      [
        [column(name, width), 'bold'],
        [`  ${column(state, 8)}`, state === 'here' ? 'green' : 'dim'],
        [`  ${column(size, 14, 'right')}  ${use ?? ''}`],
      ],
      ...[title, ...terms].map((text): Piece[] => [[`  ${oneLine(text)}`, 'dim']]),
    ];
  });
  return lines.map((pieces) => `${painted(pieces, color).trimEnd()}\n`).join('');
}

/** A licence as it is shown before a download and by `models licence`. */
export function licenceLines({ repository, title, url, meaning, gated }: LicenceNotice): readonly string[] {
  const access = gated && !meaning.some((line) => line.includes('gated')) ? ['The repository is gated.'] : [];
  return [
    `${repository}: ${oneLine(title)}`,
    ...[...meaning, ...access].map((line) => `  ${oneLine(line)}`),
    `  ${url}`,
  ];
}
