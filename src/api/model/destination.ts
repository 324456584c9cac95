/** destination: where backups are kept; a repository in a folder, on a disk, server or cloud account. */
import { z } from 'zod';
import { Bytes, Id, Instant, Name, WireErrorSchema } from './common.ts';
import { Recurrence } from './plan.ts';

/** What is done to a repository without being asked each time. */
export const Maintenance = z.object({
  /** Forget what the plans' retention lets go, then free the space. */
  cleanUp: Recurrence.default({ kind: 'weekly', days: ['sun'], at: '04:00' }),
  check: Recurrence.default({ kind: 'weekly', days: ['sat'], at: '04:00' }),
  /** Each check reads another share of the data, so that 100 / share checks have read all of it. */
  checkPercent: z.int().min(0).max(100).default(10),
});
export type Maintenance = z.output<typeof Maintenance>;

/** 5 GiB. */
export const WARN_BELOW = 5 * 1024 ** 3;

export const DestinationInput = z.object({
  name: Name,
  /** As on the command line: a path, or `kind:…`. Without secrets. */
  location: z.string().min(1).max(4096),
  /** Only for getting files back: Holdfast never writes there, and plans can't use it. Decided when it is added. */
  readOnly: z.boolean().default(false),
  maintenance: Maintenance.prefault({}),
  /** Warn when less is free. */
  warnBelowBytes: Bytes.default(WARN_BELOW),
  /** Bytes per second; null: no limit. */
  uploadLimit: z.int().positive().nullable().default(null),
  downloadLimit: z.int().positive().nullable().default(null),
});
export type DestinationInput = z.input<typeof DestinationInput>;
export type DestinationSettings = z.output<typeof DestinationInput>;

/** What is added. Where nothing is said of `warnBelowBytes`, a small disk is not to be nearly full from the start. */
export const NewDestination = DestinationInput.extend({ warnBelowBytes: Bytes.optional() });
export type NewDestination = z.output<typeof NewDestination>;

export const Space = z.object({ free: Bytes, total: Bytes, at: Instant });
export type Space = z.infer<typeof Space>;

export const Destination = DestinationInput.extend({
  id: Id,
  /** 'local', 's3' …: the scheme of the location. */
  kind: z.string(),
  /** Of the restic repository: 64 hexadecimal digits. */
  repositoryId: z.string(),
  createdAt: Instant,
  /** The embedded one in the data folder, on the same disk as the sources. */
  embedded: z.boolean(),
  space: Space.nullable(),
  /** Bytes of all packs, when it was last counted. */
  usedBytes: Bytes.nullable(),
  lastSeenAt: Instant.nullable(),
  /** Why it could not be reached or opened the last time; null: it could. */
  problem: WireErrorSchema.nullable(),
  lastCheck: z
    .object({ at: Instant, runId: Id, ok: z.boolean(), percentRead: z.number().min(0).max(100) })
    .nullable(),
  hasRecoveryKey: z.boolean(),
});
export type Destination = z.output<typeof Destination>;

/** What "Test connection" found. */
export const ConnectionTest = z.object({
  /** There is a repository at the location. */
  repository: z.boolean(),
  /** Files could be written, read back and removed. */
  writable: z.boolean(),
  space: Space.nullable(),
  problem: WireErrorSchema.nullable(),
});
export type ConnectionTest = z.infer<typeof ConnectionTest>;

/** A snapshot, as screens speak of it. */
export const Version = z.object({
  id: z.string(),
  at: Instant,
  hostname: z.string(),
  username: z.string(),
  paths: z.array(z.string()),
  tags: z.array(z.string()),
  planId: Id.nullable(),
  planName: z.string().nullable(),
  files: z.int().nullable(),
  bytes: Bytes.nullable(),
  addedBytes: Bytes.nullable(),
});
export type Version = z.infer<typeof Version>;

export const VersionEntry = z.object({
  name: z.string(),
  path: z.string(),
  kind: z.enum(['file', 'dir', 'symlink', 'other']),
  bytes: Bytes.nullable(),
  modifiedAt: z.int().nullable(),
});
export type VersionEntry = z.infer<typeof VersionEntry>;
