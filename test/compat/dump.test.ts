import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ArchiveFormat, dump } from '../../src/operations/dump.ts';
import { fromText, rawByteString } from '../../src/util/byte-string.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import {
  memoryRepository,
  node,
  type SketchFolder,
  saveBlobs,
  saveNodes,
  saveTree,
} from '../helpers/repo.ts';
import { useTemp } from '../helpers/scope.ts';
import { findProgram, isRoot } from '../helpers/tools.ts';
import { restoreTo } from '../unit/restorer/support.ts';

const temp = useTemp();
const blob = (letter: string, size: number) => Buffer.alloc(size, letter);
const linked = { type: 'file', links: 2, inode: 5, deviceId: 1 } as const;
const long = 'long name '.repeat(20);

/** Text, many blobs, links of both kinds, long and odd names, modes, an attribute, times before 1970. */
const SKETCH: SketchFolder = {
  'a.txt': 'hello',
  empty: '',
  large: [blob('l', 3 << 20), blob('m', 1234), blob('l', 3 << 20)],
  dir: {
    [long]: { [long]: 'deep' },
    ünï: 'text',
    one: { node: linked, blobs: [blob('h', 700)] },
    two: { node: linked, blobs: [blob('h', 700)] },
    link: { node: { type: 'symlink', linkTarget: fromText(`../${long}`), mode: 0o777 } },
    suid: { node: { type: 'file', mode: 0o4751 }, blobs: [blob('s', 10)] },
    ro: { node: { type: 'dir', mode: 0o1755 }, entries: {} },
  },
};

async function dumpTo(
  sketch: SketchFolder,
  format: ArchiveFormat,
  path = '/',
): Promise<{ archive: string; restored: string }> {
  const repo = await memoryRepository();
  const tree = await saveTree(repo, sketch);
  const restored = temp.dir('restored');
  await restoreTo(repo, tree, restored);
  const archive = join(temp.dir('archive'), 'archive');
  const out = fs.createWriteStream(archive);
  await dump(repo, { tree }, { path: fromText(path), format, out });
  await new Promise((done) => out.end(done));
  return { archive, restored };
}

describe('tar', () => {
  it('is unpacked by GNU tar to what a restore brings', async () => {
    const { archive, restored } = await dumpTo(SKETCH, 'tar');
    const unpacked = temp.dir('unpacked');
    execFileSync('tar', ['-xpf', archive, '-C', unpacked, '--xattrs']);
    expectSame(snapshotOf(restored), snapshotOf(unpacked), { root: false });
  });

  it('carries devices, pipes, names that are not UTF-8, attributes and times before 1970', async (context) => {
    if (!isRoot()) context.skip('only root makes devices');
    const repo = await memoryRepository();
    const content = await saveBlobs(repo, [blob('x', 600)]);
    const xattrs = [{ name: fromText('user.a=b%c'), value: Buffer.from([0, 10, 255]) }];
    const odd = { name: rawByteString('\xff\xfe name'), content, size: 600, extendedAttributes: xattrs };
    const before = '1969-12-31T23:59:58.25Z' as never;
    const tree = await saveNodes(repo, [
      node('c', 'chardev', { device: 0x12345 }),
      node('b', 'dev', { device: 0x103 }),
      node('p', 'fifo'),
      node('old', 'file', { content, size: 600, mtime: before }),
      node('', 'file', odd),
    ]);
    const archive = join(temp.dir('archive'), 'archive');
    const out = fs.createWriteStream(archive);
    await dump(repo, { tree }, { path: fromText('/'), format: 'tar', out });
    await new Promise((done) => out.end(done));
    const [restored, unpacked] = [temp.dir('restored'), temp.dir('unpacked')];
    await restoreTo(repo, tree, restored);
    execFileSync('tar', ['-xpf', archive, '-C', unpacked, '--xattrs', '--xattrs-include=*']);
    expectSame(snapshotOf(restored), snapshotOf(unpacked), { root: false });
  });

  it('has the names below the folder that was asked for', async () => {
    const { archive } = await dumpTo(SKETCH, 'tar', '/dir/ro/../');
    const names = execFileSync('tar', ['-tf', archive, '--quoting-style=literal'])
      .toString()
      .trim()
      .split('\n');
    expect(names).toContain('dir/one');
    expect(names).not.toContain('a.txt');
  });
});

describe('zip', () => {
  it('is whole for unzip, and unpacked to what a restore brings', async (context) => {
    if (findProgram('unzip') === undefined) context.skip('there is no unzip here');
    const { archive, restored } = await dumpTo(SKETCH, 'zip');
    execFileSync('unzip', ['-tq', archive]);
    const unpacked = temp.dir('unpacked');
    execFileSync('unzip', ['-qq', '-K', '-X', archive, '-d', unpacked]);
    // Whole seconds, no hard links; unzip sets no times of links.
    const ignore = ['mtimeNs', 'links'] as const;
    expectSame(snapshotOf(restored), snapshotOf(unpacked), { root: false, ignore });
    const seconds = (folder: string) => Math.floor(fs.statSync(join(folder, 'a.txt')).mtimeMs / 1000);
    expect(seconds(unpacked)).toBe(seconds(restored));
  });

  it('goes beyond 65,535 entries', async (context) => {
    if (findProgram('unzip') === undefined) context.skip('there is no unzip here');
    const files = Object.fromEntries(Array.from({ length: 66_000 }, (_, i) => [`f${i}`, '']));
    const repo = await memoryRepository();
    const tree = await saveTree(repo, files);
    const archive = join(temp.dir('archive'), 'archive');
    const out = fs.createWriteStream(archive);
    await dump(repo, { tree }, { path: fromText('/'), format: 'zip', out });
    await new Promise((done) => out.end(done));
    const listed = execFileSync('unzip', ['-Z1', archive], { maxBuffer: 64 << 20 })
      .toString()
      .trim()
      .split('\n');
    expect(listed).toHaveLength(66_000);
  });
});
