/** Files and folders of a snapshot as lines and as restic's JSON. */
import { jsonStringOfBytes } from '../format/go-json.ts';
import { modeString } from '../format/mode.ts';
import type { Node } from '../format/types.ts';
import type { WalkedNode } from '../operations/walk.ts';
import { type ByteString, isValidUtf8, toText } from '../util/byte-string.ts';
import { printable } from './text-width.ts';
import { formatLocalTime } from './time-format.ts';
import { formatBytes } from './units.ts';

export interface NodeLineOptions {
  /** With mode, owner, size and time. */
  readonly long: boolean;
  readonly humanReadable: boolean;
}

/** Bytes as text with U+FFFD for each byte that is none, as Go's JSON has it. */
export function goText(bytes: ByteString): string {
  return isValidUtf8(bytes) ? toText(bytes) : JSON.parse(jsonStringOfBytes(bytes));
}

/** The path, or `drwxr-xr-x  1000  1000      0 2026-11-24 06:37:45 /path`. */
export function nodeLine({ path, node }: WalkedNode, o: NodeLineOptions): string {
  const name = printable(goText(path));
  if (!o.long) return name;
  const size = sizeOf(node) ?? 0;
  const shownSize = o.humanReadable ? formatBytes(size) : String(size).padStart(6);
  const owner = `${String(node.uid).padStart(5)} ${String(node.gid).padStart(5)}`;
  const target = node.type === 'symlink' ? ` -> ${printable(goText(node.linkTarget))}` : '';
  return `${modeString(node)} ${owner} ${shownSize} ${formatLocalTime(node.mtime)} ${name}${target}`;
}

/** Only files have a size that means anything. */
function sizeOf(node: Node): number | bigint | undefined {
  return node.type === 'file' ? node.size : undefined;
}

/** What `ls --json` prints for a node. */
export function nodeJson({ path, node }: WalkedNode) {
  const { mode, inode } = node;
  return {
    name: goText(node.name),
    type: node.type,
    path: goText(path),
    uid: node.uid,
    gid: node.gid,
    size: sizeOf(node),
    mode: mode === 0 ? undefined : mode,
    permissions: permissionsOf(node),
    mtime: node.mtime,
    atime: node.atime,
    ctime: node.ctime,
    inode: Number(inode) === 0 ? undefined : inode,
    message_type: 'node',
    struct_type: 'node',
  };
}

/** The mode as it was stored: unlike in lines, the type of the node adds nothing. */
export function permissionsOf({ mode }: Node): string {
  return modeString({ type: 'file', mode });
}
