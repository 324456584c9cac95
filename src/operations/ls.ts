/**
 * ls: which files and folders a snapshot holds.
 *
 * leading   a folder on the way to a wanted one; a reader that builds a tree needs it, a list does not
 */
import type { CallOptions } from '../backend/backend.ts';
import { toSecNs } from '../format/time.ts';
import type { Id, Timestamp } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, compareBytes, rawByteString } from '../util/byte-string.ts';
import { type DamagedFolder, type WalkedNode, walkTree } from './walk.ts';

export interface LsOptions extends CallOptions {
  /** Only what lies in these folders: absolute paths. None for all. */
  readonly folders?: readonly ByteString[];
  /** With `folders`: also what lies in their subfolders. */
  readonly recursive?: boolean;
}

export interface LsEvents {
  readonly onNode: (item: WalkedNode, leading: boolean) => void | Promise<void>;
  /** The content of a folder that `onNode` heard of is complete. */
  readonly onLeave?: (path: ByteString) => void;
  readonly onDamaged: (folder: DamagedFolder) => void;
}

/** Lists the tree. Errors: the backend's, the signal's reason. */
export async function ls(
  repo: IndexedRepository,
  tree: Id,
  events: LsEvents,
  o: LsOptions = {},
): Promise<void> {
  const folders = (o.folders ?? []).map(trimmed);
  const all = folders.length === 0;
  await walkTree(
    repo,
    tree,
    {
      async visit(item) {
        const wanted = all || folders.some((folder) => isWithin(folder, item.path));
        const leading = !wanted && folders.some((folder) => isWithin(item.path, folder));
        if (!wanted && !leading) return false;
        await events.onNode(item, leading);
        const enter = all || leading || o.recursive === true || folders.includes(item.path);
        if (!enter && item.node.type === 'dir') events.onLeave?.(item.path);
        return enter;
      },
      ...(events.onLeave ? { leave: events.onLeave } : {}),
      onDamaged: events.onDamaged,
    },
    o.signal ? { signal: o.signal } : {},
  );
}

function trimmed(path: ByteString): ByteString {
  const short = path.replace(/\/+/g, '/').replace(/(.)\/$/s, '$1');
  return rawByteString(short);
}

/** `path` is `folder` or lies below it. */
function isWithin(folder: ByteString, path: ByteString): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

export const SORT_KEYS = ['name', 'size', 'time', 'mtime', 'atime', 'ctime', 'extension'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** A copy in the wanted order; equal ones by path. `name` keeps the order of the walk. */
export function sortNodes(
  items: readonly WalkedNode[],
  key: SortKey,
  reverse = false,
): readonly WalkedNode[] {
  const compare = comparators[key];
  const sorted = compare
    ? items.toSorted((a, b) => compare(a, b) || compareBytes(a.path, b.path))
    : [...items];
  return reverse ? sorted.reverse() : sorted;
}

type Comparator = (a: WalkedNode, b: WalkedNode) => number;

const comparators: Readonly<Record<SortKey, Comparator | undefined>> = {
  name: undefined,
  size: (a, b) => Number(sizeOf(a)) - Number(sizeOf(b)),
  time: (a, b) => compareTimes(a.node.mtime, b.node.mtime),
  mtime: (a, b) => compareTimes(a.node.mtime, b.node.mtime),
  atime: (a, b) => compareTimes(a.node.atime, b.node.atime),
  ctime: (a, b) => compareTimes(a.node.ctime, b.node.ctime),
  extension: (a, b) => compareBytes(extensionOf(a.path), extensionOf(b.path)),
};

function sizeOf({ node }: WalkedNode): number | bigint {
  return node.type === 'file' ? node.size : 0;
}

function compareTimes(a: Timestamp, b: Timestamp): number {
  const [x, y] = [toSecNs(a), toSecNs(b)];
  return x.sec - y.sec || x.ns - y.ns;
}

/** From the last dot of the name on; a hidden file's dot counts too, as in Go's `filepath.Ext`. */
function extensionOf(path: ByteString): ByteString {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return rawByteString(dot < 0 ? '' : name.slice(dot));
}
