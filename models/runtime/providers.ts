import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { PantomimeError } from '../errors.js';
import type { Provider } from './protocol.js';

/** Libraries that onnxruntime loads for CUDA; they are too large for the package registry and come separately. */
export const cudaLibraries = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

/** Folder of the runtime's native binding for this platform. */
export function bindingFolder(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

/** CUDA libraries that are not there; empty when they are (which does not say that there is a GPU). */
export function missingCudaLibraries(folder: string = bindingFolder()): readonly string[] {
  return cudaLibraries.filter((library) => !existsSync(join(folder, library)));
}

/**
 * Throws what can be said about a provider before a process is started: CUDA exists on Linux x64 only and needs its
 * libraries. Nothing ever falls back to another provider in silence.
 */
export function checkProvider(provider: Provider): void {
  if (provider !== 'cuda') return;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw unavailable('cuda', `the runtime has no CUDA support for ${process.platform}/${process.arch}`);
  }
  const missing = missingCudaLibraries();
  if (missing.length > 0) throw unavailable('cuda', `${missing.join(' and ')} are not installed`);
}

/** What to type. The installer is called by its path because npm 11 does not run it without permission. */
function hintFor(provider: Provider): string {
  switch (provider) {
    case 'cpu':
      return 'Reinstall the packages: npm ci';
    case 'cuda': {
      const installer = join(bindingFolder(), '..', '..', '..', '..', 'script', 'install.js');
      return (
        `Install the CUDA libraries with \`node ${installer} --onnxruntime-node-install=cuda12\` ` +
        '(CUDA 12, cuDNN 9 and an NVIDIA driver have to be there), or use --device cpu.'
      );
    }
    case 'webgpu':
      return 'Update the graphics driver (Vulkan, Metal or Direct3D 12 is needed), or use --device cpu.';
  }
}

/** The error for a provider that cannot be used, with what to type. */
export function unavailable(provider: Provider, why: string, cause?: unknown): PantomimeError {
  return new PantomimeError({
    code: 'device.unavailable',
    kind: 'device',
    what: `${provider} cannot be used: ${why}`,
    hint: hintFor(provider),
    cause,
  });
}
