import { PantomimeError } from '../models/errors.js';
import type { RunError } from './events.js';

/** Any thrown thing as the one error that can be shown. What was not foreseen becomes an internal error. */
export function toPantomimeError(thrown: unknown, signal?: AbortSignal): PantomimeError {
  if (thrown instanceof PantomimeError) return fullDiskBehind(thrown) ?? thrown;
  const aborted = thrown instanceof Error && (thrown.name === 'AbortError' || thrown === signal?.reason);
  if (aborted || signal?.aborted) {
    return new PantomimeError({
      code: 'run.interrupted',
      kind: 'interrupted',
      what: 'interrupted',
      hint: 'the same command again goes on where this one stopped',
      cause: thrown,
    });
  }
  const system = thrown as NodeJS.ErrnoException;
  if (thrown instanceof Error && fullDisk.has(system.code ?? '')) {
    return new PantomimeError({
      code: 'output.no-space',
      kind: 'input',
      what: 'there is no space left on the disk',
      where: system.path,
      hint: 'make room, then run the same command again: it goes on where it stopped',
      cause: thrown,
    });
  }
  if (thrown instanceof Error && (system.code === 'EACCES' || system.code === 'EPERM' || system.code === 'EROFS')) {
    return new PantomimeError({
      code: 'file.no-permission',
      kind: 'input',
      what: 'this file or folder may not be used',
      where: system.path,
      got: system.code,
      hint: 'another place, with --output',
      cause: thrown,
    });
  }
  return new PantomimeError({
    code: 'internal',
    kind: 'internal',
    what:
      thrown instanceof Error
        ? thrown.name === 'Error'
          ? thrown.message
          : `${thrown.name}: ${thrown.message}`
        : String(thrown),
    hint: 'this is a fault of pantomime: please report it, with the output of the same command and --verbose',
    cause: thrown,
  });
}

const fullDisk: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Whoever could not write a file may not say why; the disk being full matters most. */
function fullDiskBehind({ code, cause }: PantomimeError): PantomimeError | undefined {
  const system = cause as NodeJS.ErrnoException | undefined;
  if (code.endsWith('no-space') || !(cause instanceof Error) || !fullDisk.has(system?.code ?? '')) return undefined;
  return toPantomimeError(cause);
}

/** The error as the last event of a run. */
export function runError(error: PantomimeError, exitCode: number): RunError {
  const { code, kind, what, where, got, expected, hint } = error.details;
  return { type: 'run.error', code, kind, exitCode, what, where, got, expected, hint, problems: problemsOf(error) };
}

function problemsOf(error: PantomimeError): readonly unknown[] | undefined {
  const { cause } = error.details;
  if (typeof cause !== 'object' || cause === null || !('problems' in cause)) return undefined;
  return Array.isArray(cause.problems) && cause.problems.length > 1 ? cause.problems : undefined;
}
