import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBytes, fromText } from '../../../src/util/byte-string.ts';
import { differences, expectSame, snapshotOf } from '../../helpers/compare.ts';
import { SystemCallError, setTimes } from '../../helpers/libc.ts';
import { abilitiesOf, arbName, arbTree, deepChain, hugeDirectory } from '../../helpers/random-tree.ts';
import { useTemp } from '../../helpers/scope.ts';
import { isRoot, requireTool } from '../../helpers/tools.ts';
import type { DirNode } from '../../helpers/tree.ts';
import {
  device,
  dir,
  dirOf,
  fifo,
  file,
  generatedBytes,
  hardlink,
  socket,
  sparse,
  symlink,
  tree,
  walkTree,
  writeTree,
} from '../../helpers/tree.ts';

const temp = useTemp();

function written(root: DirNode): string {
  const at = temp.dir();
  writeTree(at, root);
  return at;
}

describe('writeTree', () => {
  it('writes every kind of entry with its metadata', () => {
    const at = written(
      tree({
        'a.txt': 'hi',
        bytes: Buffer.from([0, 255]),
        dir: dir(
          { link: symlink('../a.txt', { mtimeNs: 5n }), pipe: fifo() },
          { mode: 0o1750, mtimeNs: -1n },
        ),
        f: file('x', { mode: 0o4711, mtimeNs: 1_234_567_890_123_456_789n, atimeNs: 7n }),
        same: hardlink('a.txt'),
        hole: sparse(1 << 20, [[1 << 19, Buffer.from('middle')]]),
        sock: socket({ mode: 0o600 }),
      }),
    );
    const got = snapshotOf(at);
    expect(got.get(fromText('dir'))).toMatchObject({ type: 'dir', mode: 0o1750, mtimeNs: -1n });
    expect(got.get(fromText('dir/link'))).toMatchObject({ type: 'symlink', target: '../a.txt', mtimeNs: 5n });
    expect(got.get(fromText('dir/pipe'))).toMatchObject({ type: 'fifo' });
    expect(got.get(fromText('f'))).toMatchObject({ mode: 0o4711, mtimeNs: 1_234_567_890_123_456_789n });
    expect(got.get(fromText('same'))).toMatchObject({ links: 'a.txt', size: 2 });
    expect(got.get(fromText('a.txt'))).toMatchObject({ links: 'a.txt' });
    expect(got.get(fromText('bytes'))).toMatchObject({ size: 2, links: '' });
    expect(got.get(fromText('hole'))).toMatchObject({ size: 1 << 20 });
    expect(got.get(fromText('hole'))!.allocated).toBeLessThan(1 << 19);
    expect(got.get(fromText('sock'))).toMatchObject({ type: 'socket', mode: 0o600 });
    expect(
      fs
        .readFileSync(join(at, 'hole'))
        .subarray(1 << 19, (1 << 19) + 6)
        .toString(),
    ).toBe('middle');
  });

  it('keeps names and targets that are not text', () => {
    const name = Buffer.from([0xff, 0x0a, 0x80]);
    const got = snapshotOf(written(dirOf([[name, symlink(name)]])));
    expect(got.get(fromBytes(name))).toMatchObject({ target: fromBytes(name) });
  });

  it('keeps extended attributes', (context) => {
    const at = temp.dir();
    if (!abilitiesOf(at).xattrs) context.skip('no extended attributes here');
    writeTree(
      at,
      tree({ f: file('x', { xattrs: { 'user.b': Buffer.of(0, 1), 'user.a': Buffer.alloc(0) } }) }),
    );
    expect(snapshotOf(at).get(fromText('f'))!.xattrs).toBe('user.a= user.b=0001');
  });

  it('makes devices and gives owners as root', (context) => {
    requireTool(context, 'root');
    const at = written(
      tree({
        null: device('chardev', 1, 3, { mode: 0o666 }),
        disk: device('dev', 259, 300),
        f: file('', { uid: 7 }),
      }),
    );
    expect(fs.readFileSync(join(at, 'null'))).toHaveLength(0);
    expect(snapshotOf(at).get(fromText('disk'))).toMatchObject({ type: 'dev', rdev: 0x11032cn });
    expect(snapshotOf(at).get(fromText('f'))).toMatchObject({ uid: 7 });
  });

  it('refuses names that no folder can hold', () => {
    for (const name of ['', '.', '..', 'a/b', 'a\0b'])
      expect(() => tree({ [name]: 'x' })).toThrow('not a file name');
    expect(() =>
      dirOf([
        ['a', 'x'],
        [Buffer.from('a'), 'y'],
      ]),
    ).toThrow('comes twice');
  });

  it('generates the same bytes from the same seed, in pieces', () => {
    const all = (seed: number, size: number) => Buffer.concat([...generatedBytes({ seed, size })]);
    expect(all(1, 3 << 20)).toHaveLength(3 << 20);
    expect(all(1, 100)).toEqual(all(1, 3 << 20).subarray(0, 100));
    expect(all(1, 100)).not.toEqual(all(2, 100));
    expect(all(1, 0)).toHaveLength(0);
  });

  it('says which call failed where', () => {
    expect(() => setTimes(fromText('/nowhere/at/all'), 0n, 0n)).toThrow(SystemCallError);
  });
});

describe('random trees', () => {
  it('are the same when written twice', () => {
    fc.assert(
      fc.property(arbTree({ bigFiles: false }), (root) => {
        const [a, b] = [written(root), written(root)];
        expectSame(snapshotOf(a), snapshotOf(b), { allocatedSlack: 0 });
        const entries = [...walkTree(root)].length;
        expect(snapshotOf(a).size).toBe(entries);
        temp.clear();
      }),
      { numRuns: 15 },
    );
  });

  it('hold what their makers promise', () => {
    const seen = new Set<string>();
    for (const root of fc.sample(arbTree({ privileged: true, xattrs: true, acls: true }), {
      numRuns: 300,
      seed: 1,
    })) {
      for (const [path, node] of walkTree(root)) {
        seen.add(node.type);
        for (const name of Object.keys(node.meta.xattrs ?? {})) seen.add(name.split('.')[0]!);
        if (path.length > 1000) seen.add('long path');
        if (/[\x80-\xff]/.test(path)) seen.add('not ASCII');
        if (node.type === 'file' && 'size' in node.content && node.content.size >= 8 << 20) seen.add('8 MiB');
      }
    }
    const kinds = ['file', 'sparse', 'dir', 'symlink', 'hardlink', 'fifo', 'socket', 'chardev', 'dev'];
    expect([...seen].sort()).toEqual(
      [...kinds, 'user', 'trusted', 'system', 'long path', 'not ASCII', '8 MiB'].sort(),
    );
  });

  it('use names of at most 255 bytes', () => {
    fc.assert(fc.property(arbName, (name) => name.length > 0 && name.length <= 255 && !/[/\0]/.test(name)));
    expect(fc.sample(arbName, { numRuns: 500, seed: 2 }).some((name) => name.length === 255)).toBe(true);
  });

  it('can be huge and deep', () => {
    expect(hugeDirectory(100_000).entries.size).toBe(100_000);
    const longest = Math.max(...[...walkTree(deepChain(3900))].map(([path]) => path.length));
    expect(longest).toBeGreaterThan(3800);
    expect(longest).toBeLessThanOrEqual(3900);
    expect(snapshotOf(written(deepChain(3900))).size).toBeGreaterThan(60);
  });
});

describe('differences', () => {
  const base = tree(
    { a: 'one', b: file('two', { mode: 0o644, mtimeNs: 10n }), l: symlink('a'), d: {} },
    { mtimeNs: 1n },
  );
  const planted: readonly (readonly [string, (at: string) => void, string])[] = [
    ['content', (at) => fs.writeFileSync(join(at, 'a'), 'One'), '"a": sha256'],
    ['size', (at) => fs.appendFileSync(join(at, 'a'), '!'), '"a": size 3 → 4'],
    ['mode', (at) => fs.chmodSync(join(at, 'b'), 0o4600), '"b": mode 0644 → 4600'],
    ['a nanosecond', (at) => setTimes(fromText(join(at, 'b')), 0n, 11n), '"b": mtimeNs 10 → 11'],
    [
      'target',
      (at) => {
        fs.rmSync(join(at, 'l'));
        fs.symlinkSync('b', join(at, 'l'));
      },
      '"l": target "a" → "b"',
    ],
    [
      'type',
      (at) => {
        fs.rmdirSync(join(at, 'd'));
        fs.writeFileSync(join(at, 'd'), '');
      },
      '"d": type "dir" → "file"',
    ],
    ['missing', (at) => fs.rmSync(join(at, 'a')), '"a": only in the first (file)'],
    ['extra', (at) => fs.writeFileSync(join(at, 'n\n'), ''), '"n\\x0a": only in the second (file)'],
    [
      'link',
      (at) => {
        fs.rmSync(join(at, 'b'));
        fs.linkSync(join(at, 'a'), join(at, 'b'));
      },
      '"a": links "" → "a"',
    ],
  ];
  for (const [what, change, line] of planted) {
    it(`sees a difference in ${what}`, () => {
      const [a, b] = [written(base), written(base)];
      const left = snapshotOf(a);
      change(b);
      const lines = differences(left, snapshotOf(b));
      expect(lines.some((l) => l.startsWith(line))).toBe(true);
      expect(() => expectSame(left, snapshotOf(b))).toThrow('differences');
    });
  }

  it('sees owners, attributes and lost holes', (context) => {
    const at = temp.dir();
    if (!isRoot() || !abilitiesOf(at).xattrs) context.skip('needs root and extended attributes');
    const [a, b] = [temp.dir(), temp.dir()];
    writeTree(a, tree({ f: file('', { uid: 1 }), x: file(''), s: sparse(1 << 20, []) }));
    writeTree(
      b,
      tree({
        f: file('', { gid: 1 }),
        x: file('', { xattrs: { 'trusted.t': Buffer.of(1) } }),
        s: Buffer.alloc(1 << 20),
      }),
    );
    const lines = differences(snapshotOf(a), snapshotOf(b), {
      ignore: ['mtimeNs'],
      root: false,
      allocatedSlack: 4096,
    });
    expect(lines.map((l) => l.split(' ').slice(0, 2).join(' '))).toEqual([
      '"f": uid',
      '"f": gid',
      '"s": allocated',
      '"x": xattrs',
    ]);
  });

  it('leaves out what it is told to', () => {
    const a = snapshotOf(written(tree({ p: fifo(), f: 'x' }, { mtimeNs: 1n })));
    const b = snapshotOf(written(tree({ f: 'x' }, { mtimeNs: 2n })));
    expect(differences(a, b, { ignore: ['mtimeNs'], ignoreTypes: ['fifo'] })).toEqual([]);
    expect(differences(a, b, { root: false, ignore: ['mtimeNs'] })).toEqual([
      '"p": only in the first (fifo)',
    ]);
  });
});
