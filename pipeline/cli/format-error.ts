import { styleText } from 'node:util';
import type { PantomimeError } from '../../models/errors.js';

/**
 * An error as a person reads it: what, then where, got and expected on lines of their own, then what to do next.
 * @param style.color whether to colour it; @param style.stack whether to add where in the program it came from.
 */
export function formatError(error: PantomimeError, style: { color: boolean; stack: boolean }): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    style.color ? styleText(format, text, { validateStream: false }) : text;
  const { what, where, got, expected, hint } = error.details;
  const lines = [`${paint(['red', 'bold'], 'error:')} ${what}`];
  const detail = (name: string, value: string | undefined) => {
    if (value !== undefined)
      lines.push(`${paint('dim', name.padStart(10))} ${value.replaceAll('\n', '\n           ')}`);
  };
  detail('where', where);
  detail('got', got);
  detail('expected', expected);
  detail('hint', hint);
  if (style.stack) lines.push(paint('dim', stackOf(error)));
  return `${lines.join('\n')}\n`;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
