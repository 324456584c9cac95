/** The computer that the host runs on: its folders and disks, as far as screens need them. */
import { z } from 'zod';
import { Bytes, Id, Instant } from './common.ts';

export const FolderEntry = z.object({
  name: z.string(),
  path: z.string(),
  kind: z.enum(['folder', 'file']),
  /** By the custom of the system: a dot before the name, say. */
  hidden: z.boolean(),
});
export type FolderEntry = z.infer<typeof FolderEntry>;

/** A folder of the computer, for choosing. */
export const FolderListing = z.object({
  path: z.string(),
  /** null: there is none above. */
  parent: z.string().nullable(),
  /** Folders first, then by name; at most 2,000. */
  entries: z.array(FolderEntry),
  cut: z.boolean(),
  /** Whether the host may make files in it. */
  writable: z.boolean(),
});
export type FolderListing = z.infer<typeof FolderListing>;

export const OWN_FOLDERS = ['documents', 'pictures', 'desktop', 'music', 'videos', 'downloads'] as const;

/** A mounted file system that people would call a disk. */
export const Disk = z.object({
  /** Where it is mounted. */
  path: z.string(),
  /** What the system calls the device or share. */
  device: z.string(),
  /** A name for people: the label, or the last part of the path. */
  name: z.string(),
  total: Bytes,
  free: Bytes,
  /** 'unknown' where the system does not say. */
  attachment: z.enum(['internal', 'removable', 'network', 'unknown']),
  /** Holds the system, or the person's own folders. */
  system: z.boolean(),
  /** Of the file system; null where the system does not say. */
  uuid: z.string().nullable().default(null),
  /** Which destinations lie on it, and which plans have sources on it. */
  destinationIds: z.array(Id),
  planIds: z.array(Id),
});
export type Disk = z.infer<typeof Disk>;

/** What to begin with: the person's own folders that are there, and where backups could go. */
export const Suggestions = z.object({
  home: z.string(),
  sources: z.array(z.object({ kind: z.enum(OWN_FOLDERS), path: z.string() })),
  /** Disks that are not the sources' own, best first; `folder`: where on it the repository would be made. */
  destinations: z.array(z.object({ disk: Disk, folder: z.string() })),
});
export type Suggestions = z.infer<typeof Suggestions>;

/** Room at a destination over time; one a day. */
export const SpaceSample = z.object({ at: Instant, free: Bytes, total: Bytes });
export type SpaceSample = z.infer<typeof SpaceSample>;
