/**
 * Looking into versions: their folders, the search over all of them, one file's past, what a file holds.
 *
 * catalog  an index over all versions of a destination, kept on this computer and filled in the background; a cache
 * span     versions in a row, in which a file was the same
 */
import { z } from 'zod';
import { Bytes, Id, Instant } from './common.ts';
import { VersionEntry } from './destination.ts';
import { RestoreRequest } from './run.ts';

/** Which file of which version. `path`: '/' before and between names, none after. */
export const FileInVersion = z.object({
  destinationId: Id,
  /** A snapshot's id or a prefix of it, or 'latest'. */
  versionId: z.string().min(1),
  path: z.string(),
});
export type FileInVersion = z.output<typeof FileInVersion>;

/** A part of a folder's entries. Folders come first; within, names in the order of people ("2" before "10"). */
export const FolderPage = z.object({
  total: z.int(),
  offset: z.int(),
  entries: z.array(VersionEntry),
});
export type FolderPage = z.infer<typeof FolderPage>;

/** How far the catalog of a destination is. */
export const CatalogState = z.object({
  destinationId: Id,
  /** Versions that can be searched, and all that there are; equal: complete. */
  done: z.int(),
  total: z.int(),
  /** Whether it is being filled right now. */
  working: z.boolean(),
  /** A sentence about why it can't be filled; null: it can. */
  problem: z.string().nullable(),
});
export type CatalogState = z.infer<typeof CatalogState>;

/** A path that a search found, in the newest version that has it. */
export const SearchHit = VersionEntry.extend({
  versionId: z.string(),
  /** Of that version. */
  at: Instant,
  /** In how many different states the versions have it. */
  states: z.int().min(1),
  /** The newest version of its line does not have it any more. */
  gone: z.boolean(),
});
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchResult = z.object({
  hits: z.array(SearchHit),
  /** There are more than were asked for. */
  more: z.boolean(),
  catalog: CatalogState,
});
export type SearchResult = z.infer<typeof SearchResult>;

export const Span = z.object({
  /** The oldest and the newest version that have it in this state. */
  first: z.object({ versionId: z.string(), at: Instant }),
  last: z.object({ versionId: z.string(), at: Instant }),
  versions: z.int().min(1),
  entry: VersionEntry,
});
export type Span = z.infer<typeof Span>;

/** Newest first. */
export const Timeline = z.object({ spans: z.array(Span), catalog: CatalogState });
export type Timeline = z.infer<typeof Timeline>;

export const FilePreview = z.discriminatedUnion('kind', [
  /** `cut`: there is more of it. */
  z.object({ kind: z.literal('text'), text: z.string(), cut: z.boolean() }),
  /** `data`: base64. Only types that browsers show: PNG, JPEG, GIF, WebP, AVIF, BMP. */
  z.object({ kind: z.literal('image'), mediaType: z.string(), data: z.string() }),
  /** Neither, or too large. */
  z.object({ kind: z.literal('none'), reason: z.enum(['not-a-file', 'too-large', 'binary', 'empty']) }),
]);
export type FilePreview = z.infer<typeof FilePreview>;

/** What lies today where the file came from, held against the version. */
export const Comparison = z.object({
  /** 'unknown': it can't be read here (another computer's path, no permission); `reason` says why. */
  state: z.enum(['same', 'changed', 'gone', 'unknown']),
  reason: z.string().nullable(),
  version: VersionEntry,
  today: z.object({ bytes: Bytes.nullable(), modifiedAt: Instant }).nullable(),
  /** Of texts that differ: unified diff, from today's file to the version's. null: no text, or too large. */
  diff: z.string().nullable(),
});
export type Comparison = z.infer<typeof Comparison>;

/** What a restore would do, told while it is counted; the last one has `finished`. */
export const RestoreEstimate = z.object({
  files: z.int(),
  folders: z.int(),
  bytes: Bytes,
  /** Files that lie at the target already: the same as in the version (they stay), or different. */
  same: z.int(),
  different: z.int(),
  /** At the target; null: unknown. */
  freeBytes: Bytes.nullable(),
  /** From the rate of the last restore from this destination; null: none is known. */
  seconds: z.number().nonnegative().nullable(),
  finished: z.boolean(),
});
export type RestoreEstimate = z.infer<typeof RestoreEstimate>;
export const EstimateRequest = RestoreRequest;
