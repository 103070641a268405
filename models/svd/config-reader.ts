import { PantomimeError } from '../errors.js';

/** Reads settings of a config.json one by one and collects what is wrong, so that one error can list everything. */
export type ConfigReader = {
  /** A positive whole number; the published default where the key is absent. */
  count(key: string, fallback: number): number;
  /** A list of positive whole numbers. */
  counts(key: string, fallback: readonly number[]): readonly number[];
  /** A positive number. */
  number(key: string, fallback: number): number;
  /** One of some names. */
  name<T extends string>(key: string, fallback: T, names: readonly T[]): T;
  /** The value as it is. */
  raw(key: string): unknown;
  problem(text: string): void;
  /** Throws PantomimeError when there was any problem. */
  finish(): void;
};

/** Largest size a setting may have: well above every published model, well below what would exhaust memory. */
const maxCount = 65_536;

/** @param about code of the error, name of the network and of the file for messages */
export function readConfig(
  json: unknown,
  about: { readonly code: string; readonly network: string; readonly where: string },
): ConfigReader {
  const source = typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
  const problems: string[] = [];
  const isCount = (value: unknown) => Number.isInteger(value) && (value as number) > 0 && (value as number) <= maxCount;
  const raw = (key: string) => (Object.hasOwn(source, key) ? (source[key] ?? undefined) : undefined);

  const read = <T>(key: string, fallback: T, accepts: (value: unknown) => boolean, expected: string): T => {
    const value = raw(key) ?? fallback;
    if (accepts(value)) return value as T;
    problems.push(`${key} is ${(JSON.stringify(value) ?? 'nothing').slice(0, 80)}, expected ${expected}`);
    return fallback;
  };

  return {
    raw,
    count: (key, fallback) => read(key, fallback, isCount, 'a positive whole number'),
    counts: (key, fallback) =>
      read(
        key,
        fallback,
        (value) => Array.isArray(value) && value.length > 0 && value.length <= 16 && value.every(isCount),
        'a list of positive whole numbers',
      ),
    number: (key, fallback) =>
      read(
        key,
        fallback,
        (value) => typeof value === 'number' && value > 0 && Number.isFinite(value),
        'a number over 0',
      ),
    name: (key, fallback, names) =>
      read(key, fallback, (value) => names.some((name) => name === value), names.join(' or ')),
    problem: (text) => void problems.push(text),
    finish() {
      if (problems.length === 0) return;
      throw new PantomimeError({
        code: about.code,
        kind: 'model',
        what: `this ${about.network} is not supported: ${problems.join('; ')}`,
        where: about.where,
        hint: 'Use a Stable Video Diffusion image-to-video checkpoint in diffusers layout.',
      });
    },
  };
}
