import { z } from 'zod';
import { parseSettingsOf } from '../options/parse-settings.js';

const listOf = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(32).nullable().default(null);

/** What a sweep is told beside the options of its runs. */
export const tuneSettings = z.strictObject({
  /** null: the chunk that is given among the options, else 8, 12, 16 and 24. */
  chunks: listOf(z.int().min(1).max(1024)),
  /** null: the overlap that is given among the options, else 0, 2, 4 and 6. */
  overlaps: listOf(z.int().min(0).max(1023)),
  /** null: that of the options. */
  fusions: listOf(z.enum(['flat', 'triangular', 'overlap-linear'])),
  /** Numbers of denoising steps; null: that of the options. */
  sweepSteps: listOf(z.int().min(1).max(1000)),
  /** Frames of the excerpt; null: enough for three windows of the largest chunk. */
  frames: z.int().min(1).max(100_000).nullable().default(null),
  /** Runs of each cell: seeds from that of the options (1 when none is given) on. */
  seeds: z.int().min(1).max(32).default(1),
  /** Whether the picture is a frame of the driving clip; null: it is compared with the first. */
  self: z.boolean().nullable().default(null),
  /** Leaves nothing out: no early stop. */
  all: z.boolean().default(false),
});

export type TuneSettings = z.output<typeof tuneSettings>;
export type TuneSettingsInput = z.input<typeof tuneSettings>;

/** Throws PantomimeError `tune.settings` for everything that does not fit. */
export function parseTuneSettings(input: unknown): TuneSettings {
  return parseSettingsOf(tuneSettings, input, 'tune');
}
