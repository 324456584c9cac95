/**
 * plan       sources + destinations + schedule + what to keep + options
 * source     a folder or file, or the output of a command (a database dump)
 * rules      what of the sources is left out, in the syntax of .gitignore; the last rule that fits a path decides
 * retention  how long versions are kept
 */
import { z } from 'zod';
import { Bytes, Command, Id, Instant, Name, TimeOfDay } from './common.ts';
import { WaitCode } from './run.ts';

export const PathSource = z.object({
  kind: z.literal('path'),
  /** Absolute. */
  path: z.string().min(1).max(4096),
});
export const CommandSource = z.object({
  kind: z.literal('command'),
  /** Name of the file that holds the output in each version. */
  fileName: z
    .string()
    .min(1)
    .max(255)
    .refine((name) => !/[/\\\0]/.test(name) && name !== '.' && name !== '..', 'not a file name'),
  command: Command,
});
export const Source = z.discriminatedUnion('kind', [PathSource, CommandSource]);
export type Source = z.infer<typeof Source>;

export const PRESETS = [
  'caches', // folders that programs mark or name as caches
  'temporary-files',
  'trash',
  'node-modules', // and what other package managers fetch again
  'build-output',
  'browser-caches',
  'virtual-machines',
  'system', // pseudo file systems, swap and hibernation files
] as const;
export const Preset = z.enum(PRESETS);
export type Preset = z.infer<typeof Preset>;

export const Rules = z.object({
  presets: z.array(Preset).default(['caches', 'temporary-files', 'trash', 'system']),
  /** .gitignore syntax, relative to each source; "!" takes back in. They come after the presets, so they win. */
  lines: z.array(z.string().max(4096)).max(2000).default([]),
  /** Larger files are left out; null: no limit. */
  excludeLargerThan: Bytes.nullable().default(null),
  /** A folder that holds a file of this name is left out, but for that file. */
  excludeIfPresent: z.array(z.string().min(1).max(255)).max(50).default([]),
  /** Folders marked with a CACHEDIR.TAG are left out. */
  excludeCaches: z.boolean().default(true),
  oneFileSystem: z.boolean().default(false),
});
export type Rules = z.infer<typeof Rules>;

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const Weekday = z.enum(WEEKDAYS);
export type Weekday = z.infer<typeof Weekday>;

export const Recurrence = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('manual') }),
  /** On the full hour plus `minute`, every so many hours counted from midnight. */
  z.object({
    kind: z.literal('hourly'),
    every: z.int().min(1).max(12).default(1),
    minute: z.int().min(0).max(59).default(0),
  }),
  z.object({ kind: z.literal('daily'), at: z.array(TimeOfDay).min(1).max(24) }),
  z.object({ kind: z.literal('weekly'), days: z.array(Weekday).min(1).max(7), at: TimeOfDay }),
  /** `day` 31 and 'last' both mean the last day where a month is shorter. */
  z.object({
    kind: z.literal('monthly'),
    day: z.union([z.int().min(1).max(31), z.literal('last')]),
    at: TimeOfDay,
  }),
  /** Five fields: minute hour day month weekday. */
  z.object({ kind: z.literal('cron'), expression: z.string().min(9).max(200) }),
]);
export type Recurrence = z.infer<typeof Recurrence>;

export const Schedule = z.object({
  when: Recurrence,
  /** IANA name; null: the computer's own. */
  timeZone: z.string().max(64).nullable().default(null),
  /** Starts are spread at random over so many minutes. */
  jitterMinutes: z.int().min(0).max(720).default(0),
  /** Run as soon as possible after a start that was missed; once, however many were missed. */
  catchUp: z.boolean().default(true),
  /** Run when a disk that this plan backs up to is plugged in and a start has been missed. */
  onConnect: z.boolean().default(true),
});
export type Schedule = z.infer<typeof Schedule>;

/** Counts are of the newest hours, days … that have a version; the newest of each stays. */
export const KeepCounts = z.object({
  last: z.int().min(0).max(10_000).default(0),
  hourly: z.int().min(0).max(10_000).default(0),
  daily: z.int().min(0).max(10_000).default(0),
  weekly: z.int().min(0).max(10_000).default(0),
  monthly: z.int().min(0).max(10_000).default(0),
  yearly: z.int().min(0).max(10_000).default(0),
});
export const Retention = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('everything') }),
  /** Every version of the last 24 hours, then one a day for a month, one a week for a year, one a month for ever. */
  z.object({ kind: z.literal('balanced') }),
  /** Every version for `days` days, then nothing older. */
  z.object({ kind: z.literal('recent'), days: z.int().min(1).max(36_500) }),
  z.object({ kind: z.literal('custom'), keep: KeepCounts }),
]);
export type Retention = z.infer<typeof Retention>;

export const Hook = z.object({
  command: Command,
  timeoutSeconds: z.int().min(1).max(86_400).default(600),
  /** Of a hook before the backup: its failure stops the backup. */
  required: z.boolean().default(true),
});
export type Hook = z.infer<typeof Hook>;

export const Hooks = z.object({
  before: z.array(Hook).max(20).default([]),
  /** Whatever the outcome was. */
  after: z.array(Hook).max(20).default([]),
  onFailure: z.array(Hook).max(20).default([]),
});
export type Hooks = z.infer<typeof Hooks>;

export const PlanOptions = z.object({
  /** Bytes per second; null: no limit. */
  uploadLimit: z.int().positive().nullable().default(null),
  downloadLimit: z.int().positive().nullable().default(null),
  priority: z.enum(['low', 'normal']).default('low'),
  onBattery: z.enum(['run', 'wait']).default('run'),
  onMetered: z.enum(['run', 'wait']).default('wait'),
});
export type PlanOptions = z.infer<typeof PlanOptions>;

/** What a person says of a plan. */
export const PlanInput = z.object({
  name: Name,
  sources: z.array(Source).min(1).max(200),
  rules: Rules.prefault({}),
  destinations: z.array(Id).min(1).max(20),
  schedule: Schedule,
  retention: Retention.default({ kind: 'balanced' }),
  hooks: Hooks.prefault({}),
  options: PlanOptions.prefault({}),
  tags: z.array(z.string().min(1).max(100)).max(20).default([]),
  enabled: z.boolean().default(true),
});
export type PlanInput = z.input<typeof PlanInput>;
export type PlanSettings = z.output<typeof PlanInput>;

export const Plan = PlanInput.extend({ id: Id, createdAt: Instant, updatedAt: Instant });
export type Plan = z.output<typeof Plan>;

/** A plan with what is known of its runs. */
export const PlanStatus = z.object({
  plan: Plan,
  /** The next start; null: by hand only, disabled or paused without an end. */
  nextAt: Instant.nullable(),
  /** Of each destination: the newest backup that ended well or with warnings. */
  lastSuccess: z.array(
    z.object({ destinationId: Id, at: Instant, runId: Id, snapshotId: z.string().nullable() }),
  ),
  lastRunId: Id.nullable(),
  /** Why it does not run now although it is due, as a sentence. */
  waitingFor: z.string().nullable(),
  waitingCode: WaitCode.nullable().default(null),
});
export type PlanStatus = z.infer<typeof PlanStatus>;

export const RuleVerdict = z.object({
  path: z.string(),
  included: z.boolean(),
  /** The rule that decided, as it was written, or null where none fits. */
  rule: z.string().nullable(),
  /** Where the rule comes from. */
  origin: z.enum(['preset', 'line', 'size', 'marker', 'cache-tag', 'file-system', 'source', 'none']),
  /** The name of the preset, for origin 'preset'. */
  preset: Preset.nullable(),
  /** The path or the folder above it that the rule fits. */
  matched: z.string().nullable(),
});
export type RuleVerdict = z.infer<typeof RuleVerdict>;

/** What a plan would back up, counted so far. The last one has `done`. */
export const Preview = z.object({
  done: z.boolean(),
  files: z.int(),
  bytes: Bytes,
  excluded: z.int(),
  excludedBytes: Bytes,
  /** Up to some hundred of the excluded, the largest first. A folder counts with all that is in it, unless unread. */
  excludedItems: z.array(RuleVerdict.extend({ bytes: Bytes })),
  /** Sentences about what could not be read. */
  problems: z.array(z.string()),
});
export type Preview = z.infer<typeof Preview>;
