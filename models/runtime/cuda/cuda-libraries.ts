import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What the files of onnxruntime 1.30 for CUDA are linked to, as the dynamic loader names it. */
export const cudaRuntime = {
  cuda12: ['libcudart.so.12', 'libcublas.so.12', 'libcublasLt.so.12', 'libcufft.so.11', 'libcurand.so.10'],
  /** Not used; here to say that it is the wrong one. */
  cuda13: ['libcudart.so.13'],
  cudnn9: ['libcudnn.so.9'],
} as const;

const probeMs = 60_000;

/**
 * Of the libraries, those that the dynamic loader does not find, or that lack something they need, and what it says. Throws an
 * Error when loading them ends the process that tries.
 */
export async function unloadable(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const probe = fileURLToPath(new URL('./library-probe.js', import.meta.url));
  const options = { timeout: probeMs, ...(signal && { signal }) };
  const { stdout } = await promisify(execFile)(process.execPath, [probe, ...names], options);
  const found = JSON.parse(stdout) as Record<string, true | string>;
  return new Map(Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== true));
}
