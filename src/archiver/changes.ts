/** Has a file changed since the parent snapshot? By attributes alone, as restic decides it. */
import { toSecNs } from '../format/time.ts';
import type { Node, Timestamp } from '../format/types.ts';
import type { FileStat } from '../fs/stat.ts';

export interface ChangeRules {
  /** Changed metadata alone (chmod, rename) does not make it read again. */
  readonly ignoreCtime: boolean;
  /** For file systems whose inode numbers are not stable. */
  readonly ignoreInode: boolean;
}

export function isUnchanged(stat: FileStat, before: Node, rules: ChangeRules): boolean {
  return (
    before.type === 'file' &&
    stat.size === Number(before.size) &&
    isAt(before.mtime, stat.mtimeSec, stat.mtimeNs) &&
    (rules.ignoreCtime || isAt(before.ctime, stat.ctimeSec, stat.ctimeNs)) &&
    // Not ===: an inode number is a bigint where a plain number would be inexact.
    (rules.ignoreInode || BigInt(stat.ino) === BigInt(before.inode))
  );
}

function isAt(time: Timestamp, sec: number, ns: number): boolean {
  const t = toSecNs(time);
  return t.sec === sec && t.ns === ns;
}
