/** Snapshots as screens speak of them, and what lies in their folders. */
import { EngineError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import type { Version, VersionEntry } from '../api/model/destination.ts';
import { toEpochNs } from '../format/time.ts';
import type { Node, StoredSnapshot, Timestamp } from '../format/types.ts';
import { ls } from '../operations/ls.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { planOfSnapshot } from '../runs/tags.ts';
import { fromText, toText } from '../util/byte-string.ts';

export function instantOf(t: Timestamp): Instant {
  return Math.max(0, Number(toEpochNs(t) / 1_000_000n));
}

/** `planName` gives the name that a plan has today; undefined for one that is gone. */
export function versionOf(s: StoredSnapshot, planName: (id: string) => string | undefined): Version {
  const planId = planOfSnapshot(s);
  return {
    id: s.id,
    at: instantOf(s.time),
    hostname: s.hostname ?? '',
    username: s.username ?? '',
    paths: [...s.paths],
    tags: (s.tags ?? []).filter((tag) => !tag.startsWith('plan:')),
    planId,
    planName: (planId && planName(planId)) ?? null,
    files: s.summary ? Number(s.summary.total_files_processed) : null,
    bytes: s.summary ? Number(s.summary.total_bytes_processed) : null,
    addedBytes: s.summary ? Number(s.summary.data_added) : null,
  };
}

const KINDS: Readonly<Record<string, VersionEntry['kind']>> = {
  file: 'file',
  dir: 'dir',
  symlink: 'symlink',
};

/** A node as screens show it; `path` from '/'. */
export function entryOf(node: Node, path: string): VersionEntry {
  return {
    name: toText(node.name),
    path,
    kind: KINDS[node.type] ?? 'other',
    // What a damaged tree claims beyond 2^53 is cut.
    bytes: node.type === 'file' ? Math.min(Number(node.size), Number.MAX_SAFE_INTEGER) : null,
    modifiedAt: Number(toEpochNs(node.mtime) / 1_000_000n),
  };
}

/**
 * What lies in one folder of a snapshot ('/' for its top), in the order of the repository.
 * Errors: 'path-missing' where there is no such folder, 'damaged', the backend's.
 */
export async function entriesOf(
  repo: IndexedRepository,
  snapshot: StoredSnapshot,
  folder: string,
  o: { readonly signal?: AbortSignal } = {},
): Promise<VersionEntry[]> {
  const wanted = `/${folder.split('/').filter(Boolean).join('/')}`;
  const entries: VersionEntry[] = [];
  let found = wanted === '/';
  let damaged: EngineError | undefined;
  await ls(
    repo,
    snapshot.tree,
    {
      onNode: ({ node, path }, leading) => {
        const shown = toText(path);
        if (shown === wanted && node.type === 'dir') found = true;
        else if (!leading && parentOf(shown) === wanted) entries.push(entryOf(node, shown));
      },
      onDamaged: (folder) => {
        damaged ??= folder.error;
      },
    },
    { folders: [fromText(wanted)], ...o },
  );
  if (damaged && entries.length === 0) throw damaged;
  if (!found) throw new EngineError('path-missing', `There is no folder ${wanted} in this version.`);
  return entries;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
