import { closeSync, linkSync, lstatSync, mkdirSync, openSync, symlinkSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { makeFifo, utimensNs } from '../../../src/fs/metadata.ts';
import { fstat, hasChanged, lstat, lstatIfExists, stat } from '../../../src/fs/stat.ts';
import { fromText, toBytes, toText } from '../../../src/util/byte-string.ts';
import { codeOf, linux, scratch, windows } from './scratch.ts';

describe('stat', () => {
  it('agrees with Node on a file, from all three doors', () => {
    const dir = scratch();
    const file = dir.file('f', 'hello');
    linkSync(toBytes(file), toBytes(dir.at('g')));
    const node = lstatSync(toBytes(file), { bigint: true });
    const fd = openSync(toBytes(file), 'r');
    const found = [lstat(file), stat(file), fstat(fd, file)];
    closeSync(fd);
    for (const s of found) {
      expect(s).toMatchObject({ kind: 'file', size: 5, nlink: 2, rdev: 0 });
      expect(BigInt(s.ino)).toBe(node.ino);
      expect(BigInt(s.dev)).toBe(node.dev);
      expect(BigInt(s.mtimeSec) * 1_000_000_000n + BigInt(s.mtimeNs)).toBe(node.mtimeNs);
      expect(BigInt(s.ctimeSec) * 1_000_000_000n + BigInt(s.ctimeNs)).toBe(node.ctimeNs);
      expect([s.uid, s.gid, s.mode]).toEqual([Number(node.uid), Number(node.gid), Number(node.mode) & 0o777]);
    }
    expect(found[1]).toEqual(found[0]);
  });

  it.skipIf(windows)('keeps nanoseconds, also before 1970', () => {
    const dir = scratch();
    const file = dir.file('old');
    utimensNs(file, { sec: -2, ns: 999_999_999 }, { sec: -86_400, ns: 1 });
    const expected = { atimeSec: -2, atimeNs: 999_999_999, mtimeSec: -86_400, mtimeNs: 1 };
    expect(lstat(file)).toMatchObject(expected);
    expect(stat(file)).toMatchObject(expected);
  });

  it('tells the kinds apart and does not follow links unless asked', () => {
    const dir = scratch();
    mkdirSync(toBytes(dir.at('d')));
    symlinkSync('d', toBytes(dir.at('l')));
    expect(lstat(dir.at('d')).kind).toBe('dir');
    expect(lstat(dir.at('l')).kind).toBe('symlink');
    expect(stat(dir.at('l')).kind).toBe('dir');
    expect([lstat(dir.at('d')).mode, lstat(dir.at('l')).mode].map((m) => m >>> 27)).toEqual([16, 1]);
  });

  it.runIf(linux)('knows pipes, sockets and devices', async () => {
    const dir = scratch();
    makeFifo(dir.at('p'));
    const server = createServer();
    await new Promise<void>((done) => server.listen(toText(dir.at('s')), done));
    expect(lstat(dir.at('p')).kind).toBe('fifo');
    expect(lstat(dir.at('s')).kind).toBe('socket');
    server.close();
    const null_ = lstat(fromText('/dev/null'));
    expect(null_).toMatchObject({ kind: 'chardev', rdev: 0x103 });
    expect(stat(fromText('/dev/null'))).toEqual(null_);
  });

  it('reports what is missing', () => {
    const dir = scratch();
    expect(codeOf(() => lstat(dir.at('none')))).toBe('not-found');
    expect(codeOf(() => stat(dir.at('none')))).toBe('not-found');
    expect(lstatIfExists(dir.at('none'))).toBeUndefined();
    expect(lstatIfExists(dir.path)?.kind).toBe('dir');
  });

  it('never takes a name with a NUL for the shorter name before it', () => {
    const dir = scratch();
    dir.file('f');
    expect(codeOf(() => lstat(dir.at('f\0g')))).toBe('io');
    expect(codeOf(() => lstat(dir.at('x'.repeat(5000))))).toBe('unsupported');
  });

  it('sees a time that Node has set', () => {
    const file = scratch().file('f');
    utimesSync(toBytes(file), 1_000_000_000, 1_234_567_890);
    expect(lstat(file)).toMatchObject({ atimeSec: 1_000_000_000, mtimeSec: 1_234_567_890, mtimeNs: 0 });
  });

  it('tells a file that was written to, even where times are whole seconds', () => {
    const before = lstat(scratch().file('f'));
    expect(hasChanged(before, { ...before, atimeSec: 0, atimeNs: 0 })).toBe(false);
    for (const field of ['size', 'mtimeSec', 'mtimeNs', 'ctimeSec', 'ctimeNs'] as const) {
      expect([field, hasChanged(before, { ...before, [field]: before[field] + 1 })]).toEqual([field, true]);
    }
  });
});
