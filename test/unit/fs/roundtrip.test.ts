import { copyFileSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/format/types.ts';
import { readDirectory } from '../../../src/fs/directory.ts';
import { makeDevice, makeFifo } from '../../../src/fs/metadata.ts';
import { applyMetadata, nodeFromStat } from '../../../src/fs/node.ts';
import { lstat } from '../../../src/fs/stat.ts';
import {
  type ByteString,
  fromText,
  joinPath,
  rawByteString,
  toBytes,
} from '../../../src/util/byte-string.ts';
import { expectSame, snapshotOf } from '../../helpers/compare.ts';
import { arbTree } from '../../helpers/random-tree.ts';
import { useTemp } from '../../helpers/scope.ts';
import { writeTree } from '../../helpers/tree.ts';
import { linux } from './scratch.ts';

const temp = useTemp();

/** A plain copier on top of src/fs. What it makes is judged by test helpers that don't use src/fs. */
function copyFolder(from: ByteString, to: ByteString, seen: Map<string, ByteString>): void {
  for (const name of readDirectory(from)) {
    const [source, target] = [joinPath(from, name), joinPath(to, name)];
    const { node, warnings } = nodeFromStat(source, name, lstat(source), { withAtime: true });
    expect(warnings).toEqual([]);
    const twin = node.type === 'dir' ? undefined : seen.get(`${node.inode}`);
    if (twin !== undefined) {
      linkSync(toBytes(twin), toBytes(target));
      continue;
    }
    seen.set(`${node.inode}`, target);
    if (!make(node, source, target)) continue;
    if (node.type === 'dir') copyFolder(source, target, seen);
    expect(applyMetadata(target, node)).toEqual([]);
  }
}

function make(node: Node, source: ByteString, target: ByteString): boolean {
  if (node.type === 'file') copyFileSync(toBytes(source), toBytes(target));
  else if (node.type === 'dir') mkdirSync(toBytes(target), 0o700);
  else if (node.type === 'symlink') symlinkSync(toBytes(node.linkTarget), toBytes(target));
  else if (node.type === 'fifo') makeFifo(target);
  else if (node.type === 'dev' || node.type === 'chardev') makeDevice(target, node.type, node.device);
  else return false;
  return true;
}

describe.runIf(linux)('nodes and metadata', () => {
  it('of random trees survive a way there and back', () => {
    fc.assert(
      fc.property(arbTree({ sockets: false, bigFiles: false }), (root) => {
        const [from, to] = [temp.dir('from'), temp.dir('to')];
        writeTree(from, root);
        const before = snapshotOf(from);
        copyFolder(fromText(from), fromText(to), new Map());
        expectSame(before, snapshotOf(to), { root: false });
        temp.clear();
      }),
      { numRuns: 15, interruptAfterTimeLimit: 20_000 },
    );
  });

  it('of a name that is not UTF-8 do not depend on text', () => {
    const [from, to] = [temp.dir('from'), temp.dir('to')];
    const name = rawByteString('\xff\xe9');
    mkdirSync(toBytes(joinPath(fromText(from), name)));
    copyFolder(fromText(from), fromText(to), new Map());
    expect(readDirectory(fromText(to))).toEqual([name]);
  });
});
