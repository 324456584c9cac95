/** Counts ahead of the backup what it will meet, so that progress has a goal. Changes nothing and reports no error. */
import { readDirectory } from '../fs/directory.ts';
import { type FileStat, lstat } from '../fs/stat.ts';
import { type ByteString, joinPath } from '../util/byte-string.ts';
import type { RootNode, Selection } from './archiver.ts';
import type { BackupCounters } from './progress.ts';

/** Entries between two turns for others on this thread. */
const TURN = 64;

export async function scan(
  root: RootNode,
  selection: Selection,
  c: BackupCounters,
  o: ScanOptions,
): Promise<void> {
  let looks = 0;
  const pending: { readonly path: ByteString; readonly explicit: boolean }[] = [...targetsOf(root)];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (++looks % TURN === 0) await new Promise(setImmediate);
    if (o.signal?.aborted) return;
    const stat = select(next.path, next.explicit, selection);
    if (stat?.kind === 'dir') for (const path of children(next.path)) pending.push({ path, explicit: false });
    if (stat?.kind !== 'file') continue;
    c.filesTotal++;
    c.bytesTotal += stat.size;
  }
  c.scanned = true;
}

export interface ScanOptions {
  readonly signal?: AbortSignal | undefined;
}

function* targetsOf(root: RootNode): Iterable<{ readonly path: ByteString; readonly explicit: boolean }> {
  if (root.path !== undefined) yield { path: root.path, explicit: root.explicit === true };
  for (const child of root.children.values()) yield* targetsOf(child);
}

function select(path: ByteString, explicit: boolean, selection: Selection): FileStat | undefined {
  try {
    if (!explicit && selection.byName(path) !== undefined) return undefined;
    const stat = lstat(path);
    return !explicit && selection.byStat(path, stat) !== undefined ? undefined : stat;
  } catch {
    return undefined;
  }
}

function children(path: ByteString): ByteString[] {
  try {
    return readDirectory(path).map((name) => joinPath(path, name));
  } catch {
    return [];
  }
}
