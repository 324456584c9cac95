/** The export format of ncdu, version 1.2. Source: https://dev.yorhel.nl/ncdu/jsonfmt */
import { unixModeFromGo } from '../format/mode.ts';
import { toSecNs } from '../format/time.ts';
import type { Node, StoredSnapshot } from '../format/types.ts';
import { jsonText } from './json-lines.ts';
import { goText } from './node-text.ts';

const MAJOR = 1;
const MINOR = 2;
const BLOCK = 512;

/** The beginning of the file, up to the inside of the top folder. */
export function ncduHead({ id: _, ...snapshot }: StoredSnapshot): string {
  return `[${MAJOR}, ${MINOR}, ${jsonText(snapshot)}, [{"name":"/"}`;
}

export const NCDU_END = '\n]\n]\n';

/** What describes one item. Times before 1970 are not allowed there. */
export function ncduNode(node: Node): string {
  const size = node.type === 'file' ? Number(node.size) : 0;
  return jsonText({
    name: goText(node.name),
    asize: size,
    dsize: Math.ceil(size / BLOCK) * BLOCK,
    dev: node.deviceId,
    ino: node.inode,
    nlink: node.links,
    notreg: node.type !== 'dir' && node.type !== 'file',
    uid: node.uid,
    gid: node.gid,
    mode: unixModeFromGo(node.mode) & 0o7777,
    mtime: Math.max(0, toSecNs(node.mtime).sec),
  });
}
