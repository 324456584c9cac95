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

/** Settings of a storage without secrets, by the names of `-o`: 's3.region'. See docs/commands.md. */
export const StorageOptions = z.record(z.string().regex(/^[a-z0-9]+\.[a-z0-9-]+$/), z.string().max(4096));
export type StorageOptions = z.output<typeof StorageOptions>;

/** The secrets that a storage wants before it lets us in, by names of its own. Goes from here to the secret store. */
export const Login = z.record(z.string().regex(/^[A-Za-z]{1,40}$/), z.string().max(65_536));
export type Login = z.output<typeof Login>;

export const DestinationInput = z.object({
  name: Name,
  /** As on the command line: a path, or `kind:…`. Without secrets. */
  location: z.string().min(1).max(4096),
  /** Only for getting files back: Holdfast never writes there, and plans can't use it. Decided when it is added. */
  readOnly: z.boolean().default(false),
  options: StorageOptions.default({}),
  /** Unmount its disk after a run, so that it can be unplugged. */
  ejectWhenDone: z.boolean().default(false),
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

/** A disk that may come and go, known by its file system. */
export const KnownDisk = z.object({
  /** Of the file system; on Windows the volume's serial number. */
  uuid: z.string().min(1),
  label: z.string().nullable(),
  capacity: Bytes,
  /** The repository's folder, from the disk's root on, with slashes; '' for the root itself. */
  folder: z.string(),
  /** Each disk of a set holds a repository of its own. */
  repositoryId: z.string(),
  lastSeenAt: Instant.nullable(),
  /** Where it is now; null: it is not plugged in. */
  mountPoint: z.string().nullable(),
});
export type KnownDisk = z.infer<typeof KnownDisk>;

/** What a place tells of itself beyond its files. */
export const StorageFacts = z.object({
  account: z.string().nullable(),
  /** Nothing that is there can be changed or removed: versions can't be forgotten. */
  appendOnly: z.boolean(),
  /** Of a bucket. */
  versioning: z.enum(['on', 'suspended', 'off']).nullable(),
  /** The bucket's default; `days` null: files are locked only one by one. */
  objectLock: z
    .object({ mode: z.enum(['governance', 'compliance']).nullable(), days: z.int().nullable() })
    .nullable(),
});
export type StorageFacts = z.infer<typeof StorageFacts>;

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
  facts: StorageFacts.nullable().default(null),
  /** The disks of which any one may be plugged in; empty where the place is none that comes and goes. */
  disks: z.array(KnownDisk).default([]),
});
export type Destination = z.output<typeof Destination>;

/** What "Test connection" found. */
export const ConnectionTest = z.object({
  /** There is a repository at the location. */
  repository: z.boolean(),
  /** Files could be written, read back and removed. */
  writable: z.boolean(),
  space: Space.nullable(),
  facts: StorageFacts.nullable().default(null),
  /** 'host-unverified' is a question: whether the server with `context.fingerprint` is the right one. Yes: its fingerprint as `hostKey` in the login. */
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
