import type { AnimateInput } from './options/schema.js';

/** Placeholder until the real one is here. */
export async function demoInputs(): Promise<AnimateInput> {
  return {};
}
