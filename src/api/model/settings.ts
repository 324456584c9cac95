import { z } from 'zod';

const fields = {
  alertAfterDays: z.int().min(0).max(365),
  uploadLimit: z.int().positive().nullable(),
  downloadLimit: z.int().positive().nullable(),
  historyDays: z.int().min(7).max(3650),
  language: z.enum(['system', 'en', 'de']),
  appearance: z.enum(['system', 'light', 'dark']),
};

export const Settings = z.object({
  /** "No backup for N days" is an alert of its own; 0: never. */
  alertAfterDays: fields.alertAfterDays.default(3),
  /** Bytes per second for all runs together; null: no limit. */
  uploadLimit: fields.uploadLimit.default(null),
  downloadLimit: fields.downloadLimit.default(null),
  /** How long finished runs and their logs are remembered, in days. */
  historyDays: fields.historyDays.default(400),
  language: fields.language.default('system'),
  appearance: fields.appearance.default('system'),
});
export type Settings = z.output<typeof Settings>;

/** Some of the settings. Not `Settings.partial()`: that would fill in the defaults, and so reset what is left out. */
export const SettingsChange = z.object(fields).partial();
export type SettingsChange = z.output<typeof SettingsChange>;
