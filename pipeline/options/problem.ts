import { PantomimeError } from '../../models/errors.js';

/** One thing that is wrong with the options. */
export type OptionProblem = {
  readonly code: string;
  /** Where it was written: `--overlap`, `config.yaml:12:5`, ... */
  readonly where?: string | undefined;
  readonly what: string;
  readonly got?: string | undefined;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
};

/** One error for all that is wrong, so that nobody has to fix a command line one message at a time. */
export function optionsError(problems: readonly OptionProblem[]): PantomimeError {
  const [first] = problems;
  if (first && problems.length === 1) return new PantomimeError({ ...first, kind: 'usage', cause: { problems } });
  return new PantomimeError({
    code: 'options.invalid',
    kind: 'usage',
    what: [`${problems.length} things are wrong with the options`, ...problems.map(oneLine)].join('\n  - '),
    hint: problems.find((problem) => problem.hint)?.hint,
    cause: { problems },
  });
}

function oneLine({ where, what, got, expected }: OptionProblem): string {
  return [where && `${where}: `, what, got && `, got ${got}`, expected && `, expected ${expected}`]
    .filter(Boolean)
    .join('');
}

/** A value from outside, short enough to print and on one line. */
export function showValue(value: unknown): string {
  const shown = typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? String(value));
  const line = shown.replace(/\p{Cc}/gu, '?');
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}
