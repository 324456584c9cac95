/**
 * recover: a snapshot of all that no snapshot shows any more. Every tree that no other tree and no snapshot refers
 * to becomes a folder of it, named by the beginning of its id.
 *
 * Order of writes: the new root tree and its index, then the snapshot. Nothing is removed.
 */
import { isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { MODE_DIR } from '../format/mode.ts';
import { now } from '../format/time.ts';
import { serializeTree } from '../format/tree.ts';
import type { Id, Node, Snapshot, Timestamp } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { fromText, rawByteString } from '../util/byte-string.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { forEachLimit } from '../util/semaphore.ts';

export interface RecoverOptions extends CallOptions {
  readonly hostname: string;
  readonly username: string;
  readonly programVersion: string;
  readonly clock?: Clock;
  /** Hears of the number of trees before they are read, and of each that was. */
  readonly onTrees?: (total: number) => void;
  readonly onTree?: () => void;
  readonly onDamagedTree?: (tree: Id, error: unknown) => void;
  readonly onDamagedSnapshot?: (snapshot: Id, error: unknown) => void;
}

export interface RecoverReport {
  /** Trees that nothing referred to, sorted. */
  readonly roots: readonly Id[];
  /** undefined where there were none. */
  readonly snapshotId: Id | undefined;
  readonly damagedTrees: number;
}

/** Not referred to; referred to; can't be read, so there is nothing to show. */
const [FREE, REFERRED, DAMAGED] = [0, 1, 2];

/** Needs a whole index (see repair-index.ts) and an exclusive lock. Errors: the backend's. */
export async function recover(repo: IndexedRepository, o: RecoverOptions): Promise<RecoverReport> {
  const marks = await markTrees(repo, o);
  const roots: Id[] = [];
  let damagedTrees = 0;
  for (const entry of firstTreeEntries(repo)) {
    if (marks[entry] === FREE) roots.push(repo.index.at(entry).id);
    else if (marks[entry] === DAMAGED) damagedTrees++;
  }
  roots.sort();
  const snapshotId = roots.length === 0 ? undefined : await saveRoots(repo, roots, o);
  return { roots, snapshotId, damagedTrees };
}

/** The entry of the first copy of each tree. */
function* firstTreeEntries({ index }: IndexedRepository): Iterable<number> {
  const { size } = index;
  for (let entry = 0; entry < size; entry++) {
    if (index.typeOf(entry) === 'tree' && index.firstOf(entry) === entry) yield entry;
  }
}

/** One mark per index entry; those of first copies are meant. */
async function markTrees(repo: IndexedRepository, o: RecoverOptions): Promise<Uint8Array> {
  const { index, repository } = repo;
  const marks = new Uint8Array(index.size);
  const refer = (tree: Id) => {
    const entry = index.entryOf('tree', tree);
    if (entry >= 0 && marks[entry] === FREE) marks[entry] = REFERRED;
  };
  const onDamaged = (id: Id, e: unknown) => o.onDamagedSnapshot?.(id, e);
  for (const { tree } of await repository.snapshots({ ...callOf(o), onDamaged })) refer(tree);
  o.onTrees?.([...firstTreeEntries(repo)].length);
  await forEachLimit(firstTreeEntries(repo), 2 * repository.backend.traits.connections, async (entry) => {
    const tree = index.at(entry).id;
    try {
      for (const { subtree } of (await repo.loadTree(tree, callOf(o))).nodes) if (subtree) refer(subtree);
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      marks[entry] = DAMAGED;
      o.onDamagedTree?.(tree, e);
    }
    o.onTree?.();
  });
  return marks;
}

async function saveRoots(repo: IndexedRepository, roots: readonly Id[], o: RecoverOptions): Promise<Id> {
  const time = now(o.clock ?? systemClock);
  const writer = repo.writer(callOf(o));
  const names = shortNames(roots);
  const nodes = roots.map((root, i) => folderNode(names[i]!, root, time));
  const { id: tree } = await writer.save('tree', serializeTree(nodes));
  await writer.flush();
  const { hostname, username, programVersion } = o;
  const snapshot: Snapshot = {
    time,
    tree,
    paths: ['/recover'],
    hostname,
    username,
    tags: ['recovered'],
    program_version: programVersion,
  };
  return repo.repository.saveSnapshot(snapshot, { ...callOf(o), fromReserve: true });
}

/** The first eight digits of each id, or as many more as make all of them different. */
function shortNames(sorted: readonly Id[]): readonly string[] {
  for (let length = 8; ; length += 8) {
    const names = sorted.map((id) => id.slice(0, length));
    if (names.every((name, i) => i === 0 || name !== names[i - 1])) return names;
  }
}

function folderNode(name: string, subtree: Id, time: Timestamp): Node {
  return {
    name: fromText(name),
    type: 'dir',
    mode: MODE_DIR + 0o755,
    mtime: time,
    atime: time,
    ctime: time,
    uid: 0,
    gid: 0,
    user: '',
    group: '',
    inode: 0,
    deviceId: 0,
    size: 0,
    links: 0,
    linkTarget: rawByteString(''),
    extendedAttributes: [],
    genericAttributes: undefined,
    device: 0,
    content: null,
    subtree,
    error: '',
  };
}

function callOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}
