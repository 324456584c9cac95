import { z } from 'zod';

export const Settings = z.object({
  /** "No backup for N days" is an alert of its own; 0: never. */
  alertAfterDays: z.int().min(0).max(365).default(3),
  /** Bytes per second for all runs together; null: no limit. */
  uploadLimit: z.int().positive().nullable().default(null),
  downloadLimit: z.int().positive().nullable().default(null),
  /** How long finished runs and their logs are remembered, in days. */
  historyDays: z.int().min(7).max(3650).default(400),
  language: z.enum(['system', 'en', 'de']).default('system'),
  appearance: z.enum(['system', 'light', 'dark']).default('system'),
});
export type Settings = z.output<typeof Settings>;
