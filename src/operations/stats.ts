/**
 * stats: how much the snapshots hold, counted in one of restic's ways.
 *
 * restore-size        what restoring each snapshot would write; hard links within a snapshot count once
 * files-by-contents   each different content once
 * blobs-per-file      each different content once, and of it each blob once for each path
 * raw-data            each blob once, in the size that it has in its pack
 */
import { assertNever, EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { sha256 } from '../format/hash.ts';
import { type Id, type Node, SEAL_OVERHEAD, type StoredSnapshot } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, joinPath } from '../util/byte-string.ts';
import { BlobMarks } from './blob-marks.ts';
import { plainLength } from './diff.ts';
import { type WalkedNode, walkTree } from './walk.ts';

export const STATS_MODES = ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'] as const;
export type StatsMode = (typeof STATS_MODES)[number];

/** Sampled while it runs. */
export interface StatsCounters {
  snapshots: number;
  files: number;
  blobs: number;
  bytes: number;
}

export interface StatsOptions extends CallOptions {
  readonly mode: StatsMode;
  readonly counters?: StatsCounters;
}

export interface StatsReport {
  readonly mode: StatsMode;
  readonly snapshots: number;
  /** Bytes. */
  readonly totalSize: number;
  readonly files: number;
  readonly blobs: number;
  /** Of raw-data in a version 2 repository. */
  readonly compression?: CompressionReport;
}

export interface CompressionReport {
  /** Bytes of all blobs before compression, with what sealing adds. */
  readonly uncompressedSize: number;
  /** Of the compressed blobs alone: how many times smaller they are. 0 where none is compressed. */
  readonly ratio: number;
  /** Percent of the bytes that were compressed at all. */
  readonly progress: number;
  /** Percent. */
  readonly spaceSaving: number;
}

export function newStatsCounters(): StatsCounters {
  return { snapshots: 0, files: 0, blobs: 0, bytes: 0 };
}

/** Errors: 'damaged' for trees or blobs that can't be found; the backend's, the signal's reason. */
export async function stats(
  repo: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  o: StatsOptions,
): Promise<StatsReport> {
  const counters = o.counters ?? newStatsCounters();
  const call = o.signal ? { signal: o.signal } : {};
  const count = counterFor(repo, o.mode, counters);
  for (const snapshot of snapshots) {
    counters.snapshots++;
    await count.snapshot(snapshot, call);
  }
  const compression = count.finish?.();
  const { snapshots: seen, files, blobs, bytes: totalSize } = counters;
  return {
    mode: o.mode,
    snapshots: seen,
    totalSize,
    files,
    blobs,
    ...(compression ? { compression } : {}),
  };
}

interface Counter {
  snapshot(snapshot: StoredSnapshot, o: CallOptions): Promise<void>;
  finish?(): CompressionReport | undefined;
}

function counterFor(repo: IndexedRepository, mode: StatsMode, c: StatsCounters): Counter {
  switch (mode) {
    case 'restore-size':
      return { snapshot: (s, o) => walkAll(repo, s.tree, restoreSize(c), o) };
    case 'files-by-contents':
      return { snapshot: walkingWith(repo, filesByContents(c)) };
    case 'blobs-per-file':
      return { snapshot: walkingWith(repo, blobsPerFile(repo, c)) };
    case 'raw-data':
      return rawData(repo, c);
    default:
      return assertNever(mode);
  }
}

type CountNode = (item: WalkedNode) => void;

function walkingWith(repo: IndexedRepository, count: CountNode): Counter['snapshot'] {
  return (snapshot, o) => walkAll(repo, snapshot.tree, count, o);
}

function walkAll(repo: IndexedRepository, tree: Id, count: CountNode, o: CallOptions): Promise<void> {
  const visit = (item: WalkedNode) => {
    count(item);
    return true;
  };
  return walkTree(repo, tree, { visit, onDamaged: fail }, o);
}

/** A sum that lacks something is worse than none. */
function fail({ error }: { readonly error: EngineError }): never {
  throw error;
}

/** One for each snapshot: links between snapshots are no links. */
function restoreSize(c: StatsCounters): CountNode {
  const seen = new Set<string>();
  return ({ node }) => {
    c.files++;
    const single = Number(node.links) === 1 || node.type === 'dir' || Number(node.inode) === 0;
    if (!single) {
      const key = `${node.deviceId} ${node.inode}`;
      if (seen.has(key)) return;
      seen.add(key);
    }
    c.bytes += Number(node.size);
  };
}

function filesByContents(c: StatsCounters): CountNode {
  const isNew = newContents();
  return ({ node }) => {
    if (!isNew(node)) return;
    c.files++;
    c.bytes += Number(node.size);
  };
}

/** Content by its blobs; all that has none (folders, links, empty files) counts as one. */
function newContents(): (node: Node) => boolean {
  const seen = new Set<string>();
  return ({ content }) => {
    const key = content?.length === 1 ? content[0]! : sha256(Buffer.from((content ?? []).join(''), 'hex'));
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
}

function blobsPerFile(repo: IndexedRepository, c: StatsCounters): CountNode {
  const isNew = newContents();
  const byPath = new Map<ByteString, Set<Id>>();
  return ({ node, path }) => {
    if (!isNew(node)) return;
    for (const id of node.content ?? []) {
      // restic names a file by its path and its name once more; that changes no count.
      const key = joinPath(path, node.name);
      let blobs = byPath.get(key);
      if (!blobs) {
        blobs = new Set();
        byPath.set(key, blobs);
        c.files++;
      }
      if (blobs.has(id)) continue;
      blobs.add(id);
      const blob = repo.index.get('data', id);
      if (!blob) throw missing('data', id);
      c.blobs++;
      c.bytes += plainLength(blob);
    }
  };
}

function rawData(repo: IndexedRepository, c: StatsCounters): Counter {
  const marks = new BlobMarks(repo.index);
  const visit = ({ node }: WalkedNode) => {
    if (node.type === 'file') for (const id of node.content ?? []) marks.mark('data', id, 1);
    if (node.type !== 'dir' || node.subtree === undefined) return false;
    return marks.mark('tree', node.subtree, 1) === 0;
  };
  return {
    async snapshot({ tree }, o) {
      if (marks.mark('tree', tree, 1) === 0) await walkTree(repo, tree, { visit, onDamaged: fail }, o);
    },
    finish: () => sumOfBlobs(repo, marks, c),
  };
}

function sumOfBlobs(
  repo: IndexedRepository,
  marks: BlobMarks,
  c: StatsCounters,
): CompressionReport | undefined {
  for (const { type, id } of marks.unknown) throw missing(type, id);
  let uncompressedSize = 0;
  let packed = 0;
  let unfolded = 0;
  for (const { blob } of marks) {
    const plain = plainLength(blob) + SEAL_OVERHEAD;
    c.blobs++;
    c.bytes += blob.length;
    uncompressedSize += plain;
    if (blob.uncompressedLength === 0) continue;
    packed += blob.length;
    unfolded += plain;
  }
  if (repo.repository.config.version < 2) return undefined;
  const share = (part: number) => (uncompressedSize > 0 ? part / uncompressedSize : 0);
  return {
    uncompressedSize,
    ratio: packed > 0 ? unfolded / packed : 0,
    progress: share(unfolded) * 100,
    spaceSaving: uncompressedSize > 0 ? (1 - share(c.bytes)) * 100 : 0,
  };
}

function missing(type: string, id: Id): EngineError {
  return new EngineError('damaged', `The ${type} blob ${id} is in no pack that the index knows.`, {
    hint: 'Run "repair index"; if that does not bring it back, "check" tells what is affected.',
    context: { blob: id, type },
  });
}
