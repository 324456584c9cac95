/** Repositories that no program would write: nothing may leave the target, and nothing may hang or swell. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serializeNode } from '../../../src/format/node.ts';
import type { Id, Node } from '../../../src/format/types.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { fromText, rawByteString } from '../../../src/util/byte-string.ts';
import { idOf, memoryRepository, node, saveBlobs, saveNodes, saveRaw, saveTree } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { restoreTo, root, textOf } from './support.ts';

const temp = useTemp();

/** A target in a folder of its own, with what else is in that folder. */
function guarded(): { readonly target: string; readonly outside: () => Record<string, string> } {
  const parent = temp.dir();
  const target = join(parent, 'target');
  fs.mkdirSync(target);
  fs.writeFileSync(join(parent, 'victim'), 'unharmed');
  fs.mkdirSync(join(parent, 'folder'));
  const outside = () => {
    const all = textOf(parent);
    return Object.fromEntries(Object.entries(all).filter(([path]) => !path.startsWith('target')));
  };
  return { target, outside };
}
const UNHARMED = { folder: '/', victim: 'unharmed' };

async function fileNode(repo: IndexedRepository, name: string, text = 'evil'): Promise<Node> {
  return node(name, 'file', { content: await saveBlobs(repo, [Buffer.from(text)]), size: text.length });
}

describe('names', () => {
  it.each(['..', '.', '', '/', '/etc', '../victim', 'a/b', 'folder/../../victim', 'nul\0byte'])(
    'leaves out %j, tells it, and deletes nothing then',
    async (name) => {
      const repo = await memoryRepository();
      const sub = await saveTree(repo, { victim: 'evil' });
      const tree = await saveNodes(repo, [
        await fileNode(repo, name),
        node(name, 'dir', { subtree: sub }),
        node(name, 'symlink', { linkTarget: fromText('/') }),
        await fileNode(repo, 'good', 'fine'),
      ]);
      const { target, outside } = guarded();
      fs.writeFileSync(join(target, 'extra'), '');
      const { failures } = await restoreTo(repo, tree, target, { delete: true });
      expect(failures).toHaveLength(3);
      expect(failures.every((f) => f.endsWith(': damaged'))).toBe(true);
      expect(textOf(target)).toEqual({ extra: '', good: 'fine' });
      expect(outside()).toEqual(UNHARMED);
    },
  );

  it('restores names that only look odd', async () => {
    const repo = await memoryRepository();
    const names = ['...', '..a', ' ', '\n', '-rf', '*', '\\', '~', 'é'.normalize('NFD')];
    const raw = node('raw', 'file', { name: rawByteString('\xff\xfe'), content: [] });
    const files = await Promise.all(names.map((name) => fileNode(repo, name, 'fine')));
    const { target } = guarded();
    const { failures } = await restoreTo(repo, await saveNodes(repo, [...files, raw]), target);
    expect(failures).toEqual([]);
    const found = fs
      .readdirSync(target, { encoding: 'latin1' })
      .map((n) => Buffer.from(n, 'latin1').toString('latin1'));
    const wanted = [...names.map((n) => Buffer.from(n).toString('latin1')), '\xff\xfe'];
    expect(found.sort()).toEqual(wanted.sort());
  });

  it('takes the first of two entries with one name, so that a link cannot become a parent', async () => {
    const repo = await memoryRepository();
    const sub = await saveTree(repo, { victim: 'evil' });
    const link = node('x', 'symlink', { linkTarget: fromText('..') });
    const dir = node('x', 'dir', { subtree: sub });
    for (const nodes of [
      [link, dir],
      [dir, link],
      [link, await fileNode(repo, 'x')],
    ]) {
      const { target, outside } = guarded();
      const { failures } = await restoreTo(repo, await saveNodes(repo, nodes), target);
      expect(failures).toEqual(['/x: damaged']);
      expect(outside()).toEqual(UNHARMED);
    }
  });
});

describe('links in the way', () => {
  it('never writes through a link that an earlier restore left', async () => {
    const repo = await memoryRepository();
    const first = await saveTree(repo, {
      d: { node: { type: 'symlink', linkTarget: fromText('../folder') } },
    });
    const second = await saveTree(repo, { d: { f: 'evil', g: { h: 'evil' } }, e: '' });
    for (const overwrite of ['always', 'if-changed', 'if-newer', 'never'] as const) {
      for (const options of [{}, { delete: true }, { sparse: true }, { verify: true }]) {
        const { target, outside } = guarded();
        await restoreTo(repo, first, target);
        await restoreTo(repo, second, target, { overwrite, ...options });
        expect(outside()).toEqual(UNHARMED);
      }
    }
  });

  it('never writes through a link in the place of a file, whatever the file holds', async () => {
    const repo = await memoryRepository();
    const tree = await saveTree(repo, { a: 'evil', b: [Buffer.from('evil'), Buffer.from('worse')], c: '' });
    const { target, outside } = guarded();
    for (const name of ['a', 'b', 'c']) fs.symlinkSync('../victim', join(target, name));
    await restoreTo(repo, tree, target);
    expect(textOf(target)).toEqual({ a: 'evil', b: 'evilworse', c: '' });
    expect(outside()).toEqual(UNHARMED);
  });

  it('gives attributes to a link itself, not to what it leads to', async () => {
    const repo = await memoryRepository();
    const attributes = [{ name: fromText('user.evil'), value: Buffer.from('x') }];
    const link = { linkTarget: fromText('../victim'), mode: 0o4777, extendedAttributes: attributes };
    const tree = await saveNodes(repo, [node('l', 'symlink', link)]);
    const { target, outside } = guarded();
    const victim = join(target, '..', 'victim');
    const before = fs.statSync(victim, { bigint: true });
    await restoreTo(repo, tree, target);
    const after = fs.statSync(victim, { bigint: true });
    expect([after.mode, after.mtimeNs, after.ctimeNs]).toEqual([before.mode, before.mtimeNs, before.ctimeNs]);
    expect(outside()).toEqual(UNHARMED);
  });

  it('does not link to files outside, whatever the inode numbers say', async () => {
    const repo = await memoryRepository();
    const { target, outside } = guarded();
    const { ino, dev } = fs.statSync(join(target, '..', 'victim'));
    const file = { ...(await fileNode(repo, 'f')), inode: ino, deviceId: dev, links: 2 };
    await restoreTo(repo, await saveNodes(repo, [file, { ...file, name: fromText('g') }]), target);
    expect(textOf(target)).toEqual({ f: 'evil', g: 'evil' });
    expect(outside()).toEqual(UNHARMED);
  });
});

describe('numbers and listings', () => {
  it('does not believe a size', async () => {
    const repo = await memoryRepository();
    const small = await fileNode(repo, 'small', 'small');
    const tree = await saveNodes(repo, [
      { ...small, size: 2n ** 63n },
      node('zero', 'file', { size: 2 ** 50, content: [] }),
    ]);
    const { target } = guarded();
    const { failures, warnings, report } = await restoreTo(repo, tree, target);
    expect(failures).toEqual([]);
    expect(warnings).toEqual(['/zero: damaged', '/small: damaged']);
    expect(report.counters.bytesTotal).toBe(5);
    expect(textOf(target)).toEqual({ small: 'small', zero: '' });
  });

  /** The index says something else about a blob than the pack does. */
  async function lyingIndex(change: {
    readonly length?: number;
    readonly uncompressedLength?: number;
    readonly offset?: number;
  }) {
    const repo = await memoryRepository();
    const real = await saveBlobs(repo, [Buffer.alloc(100, 'r')]);
    const at = repo.index.get('data', real[0]!)!;
    const id = idOf('claimed');
    repo.index.add(at.pack, { ...at, id, ...change });
    const tree = await saveNodes(repo, [
      node('lie', 'file', { content: [id], size: 100 }),
      node('lies', 'file', { content: [real[0]!, id], size: 200 }),
      node('true', 'file', { content: real, size: 100 }),
    ]);
    return { repo, tree };
  }

  it.each([
    ['another blob under its name', {}],
    ['a length beyond the pack', { length: 100_000 }],
    ['a length of gigabytes', { length: 0xffff_fff0 }],
    ['an unfolded length of gigabytes', { uncompressedLength: 0xffff_fff0 }],
    ['an unfolded length of 200 MiB', { uncompressedLength: 200 << 20 }],
    ['a place beyond the pack', { offset: 0xffff_0000 }],
    ['a length of nothing', { length: 0 }],
  ])('fails only the files for which the index claims %s', async (_, change) => {
    const { repo, tree } = await lyingIndex(change);
    const { target } = guarded();
    const before = process.memoryUsage().arrayBuffers;
    const { failures } = await restoreTo(repo, tree, target);
    expect([...failures].sort()).toEqual(['/lie: damaged', '/lies: damaged']);
    expect(textOf(target).true).toBe('r'.repeat(100));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  });

  it('says beforehand that a file of terabytes does not fit, and restores the others', async () => {
    const repo = await memoryRepository();
    const [id] = await saveBlobs(repo, [Buffer.alloc(8 << 20)]);
    const huge = node('huge', 'file', { content: Array<Id>(500_000).fill(id!), size: 0 });
    const tree = await saveNodes(repo, [huge, await fileNode(repo, 'small', 'small')]);
    const { target } = guarded();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual(['/huge: no-space']);
    expect(textOf(target)).toEqual({ small: 'small' });
  });

  it('ends with an error for each folder whose listing is none', async () => {
    const repo = await memoryRepository();
    const bad: readonly (readonly [string, string])[] = [
      ['array', '[]'],
      ['empty', ''],
      ['garbage', '\x00\xff'],
      ['none', '{}'],
      ['number', '{"nodes":[7]}'],
      ['truncated', '{"nodes":[{"name":"a"'],
    ];
    const nodes: Node[] = [];
    for (const [name, text] of bad)
      nodes.push(node(name, 'dir', { subtree: await saveRaw(repo, Buffer.from(text, 'latin1')) }));
    nodes.push(node('absent', 'dir', { subtree: idOf('absent') }));
    nodes.push(node('without', 'dir'));
    nodes.push(await fileNode(repo, 'good', 'fine'));
    const { target } = guarded();
    const { failures } = await restoreTo(repo, await saveNodes(repo, nodes), target);
    expect([...failures].sort()).toEqual(
      [...bad.map(([name]) => name), 'absent', 'without'].sort().map((name) => `/${name}: damaged`),
    );
    expect(textOf(target).good).toBe('fine');
  });

  it('does not restore a root that is none', async () => {
    const repo = await memoryRepository();
    const { target } = guarded();
    const { failures } = await restoreTo(repo, await saveRaw(repo, Buffer.from('nonsense')), target, {
      delete: true,
    });
    expect(failures).toEqual(['/: damaged']);
  });

  it('ends where a chain of folders is longer than any path', async () => {
    const repo = await memoryRepository();
    const writer = repo.writer();
    let tree = await saveTree(repo, { end: '' });
    for (let i = 0; i < 3000; i++) {
      const listing = `{"nodes":[${serializeNode(node('d', 'dir', { subtree: tree }))}]}\n`;
      tree = (await writer.save('tree', Buffer.from(listing))).id;
    }
    await writer.flush();
    for (const dryRun of [false, true]) {
      const { target } = guarded();
      const { failures } = await restoreTo(repo, tree, target, { dryRun });
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatch(/: unsupported$/);
    }
  });

  it('leaves sockets out in silence, and tells what is of no known kind', async () => {
    const repo = await memoryRepository();
    const tree = await saveNodes(repo, [node('i', 'irregular'), node('n', ''), node('s', 'socket')]);
    const { target } = guarded();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual(['/i: unsupported', '/n: unsupported']);
    expect(textOf(target)).toEqual({});
  });

  it.runIf(root)('makes devices and pipes where root restores', async () => {
    const repo = await memoryRepository();
    const tree = await saveNodes(repo, [
      node('c', 'chardev', { device: 0x103, mode: 0o600 }),
      node('p', 'fifo', { mode: 0o640 }),
    ]);
    const { target } = guarded();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual([]);
    expect(fs.lstatSync(join(target, 'c')).isCharacterDevice()).toBe(true);
    expect(fs.lstatSync(join(target, 'c')).rdev).toBe(0x103);
    expect(fs.lstatSync(join(target, 'p')).isFIFO()).toBe(true);
    expect(fs.lstatSync(join(target, 'p')).mode & 0o7777).toBe(0o640);
  });
});
