import { z } from 'zod';
import { text } from '../options/option-meta.js';
import { parseSettingsOf } from '../options/parse-settings.js';

/** What a batch is told beside the options of its clips. */
export const batchSettings = z.strictObject({
  /** Folder of videos, or a manifest (.csv, .json, .yaml). */
  clips: text,
  /** Which picture goes with which clip: one for all, by name, all with all; auto: by name where pictures are a folder. */
  pair: z.enum(['auto', 'one', 'name', 'all']).default('auto'),
  /** Clips whose poses are found at the same time. */
  jobs: z.int().min(1).max(64).default(1),
  /** Further attempts at a clip after a fault that can pass. */
  retries: z.int().min(0).max(20).default(2),
  /** This machine's part of the clips. */
  shard: z
    .strictObject({ index: z.int().min(1), count: z.int().min(1).max(100_000) })
    .nullable()
    .default(null),
});

export type BatchSettings = z.output<typeof batchSettings>;
export type BatchSettingsInput = z.input<typeof batchSettings>;

/** Throws PantomimeError `batch.settings` for everything that does not fit. */
export function parseSettings(input: unknown): BatchSettings {
  return parseSettingsOf(batchSettings, input, 'batch');
}
