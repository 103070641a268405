/** A LoRA as an option names it. */
export type LoraChoice = { readonly file: string; readonly scale: number };

/** Larger ones are mistakes: what a LoRA was trained for is 1. */
const maxScale = 100;

/** `FILE` or `FILE:SCALE`, negative ones too; undefined when it is none. A file whose name ends in `:2` needs a scale after it. */
export function parseLora(value: string): LoraChoice | undefined {
  const { rest, scale } = splitScale(value);
  return rest !== '' && Math.abs(scale) <= maxScale ? { file: rest, scale } : undefined;
}

/** The value with its path changed. */
export function mapLoraPath(value: string, change: (path: string) => string): string {
  const { rest, tail } = splitScale(value);
  return change(rest) + tail;
}

/** Takes `:SCALE` off the end of a text; without one the scale is 1. */
export function splitScale(value: string): { readonly rest: string; readonly tail: string; readonly scale: number } {
  const [tail = '', digits] = /:([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?)$/i.exec(value) ?? [];
  return { rest: value.slice(0, value.length - tail.length), tail, scale: digits === undefined ? 1 : Number(digits) };
}
