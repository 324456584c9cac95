/** run: anything Holdfast does that has a start, progress, an end and a report. */
import { z } from 'zod';
import { Bytes, Id, Instant, WireErrorSchema } from './common.ts';

export const RUN_KINDS = ['backup', 'restore', 'check', 'cleanup', 'copy'] as const;
export const RunKind = z.enum(RUN_KINDS);
export type RunKind = z.infer<typeof RunKind>;

export const RUN_STATES = [
  'queued', // waits for its turn at the repository, or for a destination, power, a network
  'running',
  'succeeded',
  'warnings', // ended well, but some files could not be read, say
  'failed',
  'cancelled', // by a person
  'interrupted', // by a shutdown or a crash; continued by a new run
] as const;
export const RunState = z.enum(RUN_STATES);
export type RunState = z.infer<typeof RunState>;
export const ENDED: readonly RunState[] = ['succeeded', 'warnings', 'failed', 'cancelled', 'interrupted'];

export const Trigger = z.enum([
  'manual',
  'schedule',
  'catch-up', // a start was missed
  'connect', // the destination came back
  'retry', // the last try failed for a reason that may pass
  'continue', // the last try was interrupted
]);
export type Trigger = z.infer<typeof Trigger>;

/** What a run is at, for those who say it in another language. */
export const PHASES = [
  'starting',
  'opening',
  'waiting-for-lock', // another program has the repository to itself
  'command-before',
  'command-after',
  'reading-index',
  'backing-up',
  'restoring',
  'reading-back', // an archive that has been written
  'copying',
  'checking-index',
  'checking-packs',
  'checking-versions',
  'reading-data',
  'choosing-versions', // which to keep
  'finding-used', // data that versions need
  'removing-leftovers',
  'repacking',
  'writing-index',
  'removing-unused',
] as const;
export const Phase = z.enum(PHASES);
export type Phase = z.infer<typeof Phase>;

/** Why something waits, for those who say it in another language. */
export const WAITS = [
  'queue', // as many runs as may are under way
  'run', // another run uses the same destination
  'pause', // until somebody resumes
  'pause-until', // for a while
  'power',
  'network',
  'destination', // which does not answer
  'destinations',
  'disk', // that is not plugged in
  'sign-in', // until somebody signs in again
  'fault', // it can't be started; only the sentence says why
] as const;
export const WaitCode = z.enum(WAITS);
export type WaitCode = z.infer<typeof WaitCode>;

export const Progress = z.object({
  /** What is being done, as a short sentence. */
  phase: z.string(),
  phaseCode: Phase,
  filesDone: z.int(),
  /** null while unknown. */
  filesTotal: z.int().nullable(),
  bytesDone: Bytes,
  bytesTotal: Bytes.nullable(),
  bytesPerSecond: z.number().nonnegative(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** Files under way. */
  current: z.array(z.string()),
  problems: z.int(),
});
export type Progress = z.infer<typeof Progress>;

export const BackupReport = z.object({
  kind: z.literal('backup'),
  snapshotId: z.string().nullable(),
  filesNew: z.int(),
  filesChanged: z.int(),
  filesUnmodified: z.int(),
  bytesProcessed: Bytes,
  bytesAdded: Bytes,
  bytesStored: Bytes,
});
export const RestoreReport = z.object({
  kind: z.literal('restore'),
  filesRestored: z.int(),
  filesUnchanged: z.int(),
  filesSkipped: z.int(),
  bytesWritten: Bytes,
  target: z.string(),
});
export const CheckReport = z.object({
  kind: z.literal('check'),
  /** Of the data, in percent. */
  percentRead: z.number().min(0).max(100),
  packs: z.int(),
  /** Packs whose bytes the service's own checksum proves, without reading them. */
  packsProven: z.int().default(0),
  /** Sentences. */
  findings: z.array(z.string()),
});
export const CleanUpReport = z.object({
  kind: z.literal('cleanup'),
  versionsKept: z.int(),
  versionsForgotten: z.int(),
  bytesFreed: Bytes,
});
export const CopyReport = z.object({ kind: z.literal('copy'), versionsCopied: z.int(), bytesCopied: Bytes });
export const Report = z.discriminatedUnion('kind', [
  BackupReport,
  RestoreReport,
  CheckReport,
  CleanUpReport,
  CopyReport,
]);
export type Report = z.infer<typeof Report>;

/** What the person asked of a restore. */
export const RestoreRequest = z.object({
  destinationId: Id,
  /** A snapshot's id or a prefix of it, or 'latest'. */
  versionId: z.string().min(1),
  /** Paths inside the version; none: all of it. */
  paths: z.array(z.string()).max(10_000).default([]),
  /** Paths inside those that are left out with all below them, but for what `paths` names again further down. */
  exclude: z.array(z.string()).max(10_000).default([]),
  /** The original places, a folder that takes the tree, or one file that holds all (which must not be there yet). */
  target: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('original') }),
    z.object({ kind: z.literal('folder'), path: z.string().min(1) }),
    z.object({ kind: z.literal('archive'), path: z.string().min(1), format: z.enum(['zip', 'tar']) }),
  ]),
  /** What happens to a file that is there and differs. */
  conflicts: z.enum(['overwrite', 'skip', 'keep-both']).default('keep-both'),
  /** Compare every restored file with the repository afterwards. */
  verify: z.boolean().default(true),
});
export type RestoreRequest = z.output<typeof RestoreRequest>;

/** What a run works on; enough to do it again. */
export const Task = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('backup'), planId: Id, destinationId: Id }),
  z.object({ kind: z.literal('restore'), request: RestoreRequest }),
  z.object({
    kind: z.literal('check'),
    destinationId: Id,
    /** Of the data to be read; null: the next share by the destination's maintenance. */
    percent: z.number().min(0).max(100).nullable(),
  }),
  z.object({ kind: z.literal('cleanup'), destinationId: Id }),
  z.object({
    kind: z.literal('copy'),
    destinationId: Id,
    toDestinationId: Id,
    /** Snapshot ids; none: all. */
    versionIds: z.array(z.string()).default([]),
  }),
]);
export type Task = z.output<typeof Task>;

export const Run = z.object({
  id: Id,
  task: Task,
  trigger: Trigger,
  state: RunState,
  planId: Id.nullable(),
  /** As it was called then. */
  planName: z.string().nullable(),
  destinationId: Id.nullable(),
  destinationName: z.string().nullable(),
  queuedAt: Instant,
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
  /** 1 for the first try. */
  attempt: z.int().min(1),
  /** The run that this one repeats or continues. */
  previousId: Id.nullable(),
  /** Why it waits, as a sentence; null when it does not. */
  waitingFor: z.string().nullable(),
  /** null exactly when `waitingFor` is, but for runs that older versions have noted. */
  waitingCode: WaitCode.nullable().default(null),
  /** Only while it is running. */
  progress: Progress.nullable(),
  report: Report.nullable(),
  error: WireErrorSchema.nullable(),
  /** How many entries `runs.problems` has. */
  problemCount: z.int(),
});
export type Run = z.infer<typeof Run>;

export const Problem = z.object({ path: z.string(), error: WireErrorSchema });
export type Problem = z.infer<typeof Problem>;

export const LogLine = z.object({
  at: Instant,
  level: z.enum(['info', 'warning', 'error']),
  text: z.string(),
});
export type LogLine = z.infer<typeof LogLine>;
