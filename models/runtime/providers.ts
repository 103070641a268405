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
  requireCudaPlatform();
  const missing = missingCudaLibraries();
  if (missing.length > 0) throw unavailable('cuda', `${missing.join(' and ')} are not installed`);
}

export const hasCudaPlatform = process.platform === 'linux' && process.arch === 'x64';

/** Throws where the runtime has no CUDA at all. */
export function requireCudaPlatform(): void {
  if (hasCudaPlatform) return;
  throw unavailable('cuda', `the runtime has no CUDA support for ${process.platform}/${process.arch}`);
}

/** What to type. */
function hintFor(provider: Provider): string {
  switch (provider) {
    case 'cpu':
      return 'Reinstall the packages: npm ci';
    case 'cuda':
      return hasCudaPlatform
        ? 'pantomime doctor says what is missing for CUDA; pantomime setup cuda installs the files of onnxruntime; --device cpu works without'
        : '--device cpu';
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
