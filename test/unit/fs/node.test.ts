import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromSecNs } from '../../../src/format/time.ts';
import { makeDevice, makeFifo, utimensNs } from '../../../src/fs/metadata.ts';
import { applyMetadata, nodeFromStat } from '../../../src/fs/node.ts';
import { lstat } from '../../../src/fs/stat.ts';
import { groupName, userName } from '../../../src/fs/users.ts';
import { listXattrs, setXattrs } from '../../../src/fs/xattr.ts';
import { type ByteString, fromText, toBytes } from '../../../src/util/byte-string.ts';
import { bytes, codeOf, lackOfXattrs, root, scratch, windows } from './scratch.ts';

const NOBODY = 65_534;
const nodeOf = (path: ByteString, options = {}) => nodeFromStat(path, fromText('name'), lstat(path), options);

describe.skipIf(windows)('nodeFromStat', () => {
  it('describes a file with hard links', () => {
    const dir = scratch();
    const file = dir.file('f', 'hello');
    linkSync(toBytes(file), toBytes(dir.at('g')));
    utimensNs(file, { sec: 100, ns: 5 }, { sec: 200, ns: 123_456_789 });
    const s = lstat(file);
    const { node, warnings } = nodeOf(file, { readXattrs: false });
    expect(warnings).toEqual([]);
    expect(node).toEqual({
      name: 'name',
      type: 'file',
      mode: s.mode,
      mtime: fromSecNs(200, 123_456_789),
      atime: fromSecNs(200, 123_456_789),
      ctime: fromSecNs(s.ctimeSec, s.ctimeNs),
      uid: s.uid,
      gid: s.gid,
      user: userName(s.uid),
      group: groupName(s.gid),
      inode: s.ino,
      deviceId: s.dev,
      size: 5,
      links: 2,
      linkTarget: '',
      extendedAttributes: [],
      genericAttributes: undefined,
      device: 0,
      content: null,
      subtree: undefined,
      error: '',
    });
    expect(nodeOf(file, { withAtime: true }).node.atime).toBe(fromSecNs(100, 5));
  });

  it('keeps the raw target of a link and gives it no size', () => {
    const dir = scratch();
    const target = bytes(0x2f, 0xff, 0x0a, 0x61);
    symlinkSync(toBytes(target), toBytes(dir.at('l')));
    expect(nodeOf(dir.at('l')).node).toMatchObject({
      type: 'symlink',
      linkTarget: target,
      size: 0,
      links: 1,
    });
  });

  it('counts no links for folders and pipes', () => {
    const dir = scratch();
    mkdirSync(toBytes(dir.at('d')));
    makeFifo(dir.at('p'));
    expect(nodeOf(dir.at('d')).node).toMatchObject({ type: 'dir', size: 0, links: 0 });
    expect(nodeOf(dir.at('p')).node).toMatchObject({ type: 'fifo', links: 0, device: 0 });
    expect(nodeOf(fromText('/dev/null')).node).toMatchObject({ type: 'chardev', links: 1 });
    expect(nodeOf(fromText('/dev/null')).node.device).toBe(lstat(fromText('/dev/null')).rdev);
  });

  it('warns of what it could not read and leaves that out', () => {
    const dir = scratch();
    const link = dir.at('l');
    symlinkSync('somewhere', toBytes(link));
    const s = lstat(link);
    const { node, warnings } = nodeFromStat(dir.at('gone'), fromText('l'), s);
    expect(node).toMatchObject({ type: 'symlink', linkTarget: '' });
    expect(warnings[0]).toMatchObject({ code: 'not-found' });
  });

  it('refuses what trees cannot hold', () => {
    const file = scratch().file('f');
    expect(codeOf(() => nodeFromStat(file, fromText('f'), { ...lstat(file), kind: 'irregular' }))).toBe(
      'unsupported',
    );
  });
});

describe.skipIf(windows)('applyMetadata', () => {
  const quiet = { privileged: false } as const;

  it('makes a copy like the original, times last', (ctx) => {
    const dir = scratch();
    const file = dir.file('f', 'x');
    const lack = lackOfXattrs(file);
    if (lack !== undefined) ctx.skip(lack);
    setXattrs(file, [{ name: fromText('user.a'), value: Buffer.from('1') }]);
    chmodSync(toBytes(file), 0o4440);
    utimensNs(file, { sec: -5, ns: 7 }, { sec: 200, ns: 123_456_789 });
    const { node } = nodeOf(file, { withAtime: true });
    const copy = dir.file('copy', 'x');
    setXattrs(copy, [{ name: fromText('user.b'), value: Buffer.from('2') }]);
    expect(applyMetadata(copy, node)).toEqual([]);
    const { ctime, inode, ...made } = nodeOf(copy, { withAtime: true }).node;
    expect(made).toEqual({ ...made, ...withoutIdentity(node) });
    expect(listXattrs(copy)).toEqual(node.extendedAttributes);
    expect([typeof ctime, inode === node.inode]).toEqual(['string', false]);
  });

  it('touches a link and not its target', () => {
    const dir = scratch();
    const file = dir.file('f');
    const before = lstat(file);
    symlinkSync('f', toBytes(dir.at('l')));
    const { node } = nodeOf(dir.at('l'));
    const old = { ...node, mtime: fromSecNs(1, 2), atime: fromSecNs(3, 4) };
    expect(applyMetadata(dir.at('l'), old)).toEqual([]);
    expect(lstat(dir.at('l'))).toMatchObject({ mtimeSec: 1, mtimeNs: 2 });
    expect(lstat(file)).toEqual(before);
  });

  it('goes on after a failure and tells of each', () => {
    const dir = scratch();
    const { node } = nodeOf(dir.file('f'), { readXattrs: false });
    const failures = applyMetadata(dir.at('none'), node, { privileged: true });
    expect(failures.map((e) => e.code)).toEqual(Array(failures.length).fill('not-found'));
    expect(failures.length).toBeGreaterThanOrEqual(3);
  });

  it('sets owners by number or by name, and unknown names by number', (ctx) => {
    if (!root) ctx.skip('only root may give files away');
    const dir = scratch();
    const file = dir.file('f');
    const node = { ...nodeOf(file).node, uid: 1234, gid: 5678, user: 'root', group: 'no-such-group' };
    applyMetadata(file, { ...node, mode: node.mode | (2 ** 23) });
    // Changing the owner clears the set-uid bit: it must come after.
    expect(lstat(file)).toMatchObject({ uid: 1234, gid: 5678, mode: node.mode + 2 ** 23 });
    applyMetadata(file, node, { ownerByName: true });
    expect(lstat(file)).toMatchObject({ uid: 0, gid: 5678 });
    applyMetadata(file, { ...node, gid: 1 }, { skipOwner: true });
    expect(lstat(file)).toMatchObject({ uid: 0, gid: 5678 });
  });

  it('is silent, without privileges, about what only root may do', () => {
    const file = scratch().file('f');
    const node = { ...nodeOf(file).node, uid: 0, gid: 0 };
    asNobody(file, () => {
      expect(applyMetadata(file, node, quiet)).toEqual([]);
      expect(applyMetadata(file, node, { privileged: true })).toMatchObject([{ code: 'permission' }]);
    });
  });

  it('fits a device node', (ctx) => {
    const dir = scratch();
    if (codeOf(() => makeDevice(dir.at('c'), 'chardev', 0x103)) === 'permission') ctx.skip('needs root');
    const { node } = nodeOf(fromText('/dev/null'));
    expect(applyMetadata(dir.at('c'), node)).toEqual([]);
    expect(nodeOf(dir.at('c')).node).toMatchObject({
      device: node.device,
      mode: node.mode,
      mtime: node.mtime,
    });
  });
});

/** Runs `work` as somebody who owns the file and has no privileges. */
function asNobody(file: ByteString, work: () => void): void {
  if (!root) return work();
  const folder = dirname(toBytes(file).toString());
  for (const path of [folder, toBytes(file)]) chownSync(path, NOBODY, NOBODY);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

function withoutIdentity(node: ReturnType<typeof nodeOf>['node']) {
  const { ctime: _ctime, inode: _inode, ...rest } = node;
  return rest;
}
