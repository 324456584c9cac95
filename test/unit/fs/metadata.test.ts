import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chmod, lchown, makeDevice, makeFifo, utimensNs } from '../../../src/fs/metadata.ts';
import { lstat } from '../../../src/fs/stat.ts';
import { toBytes } from '../../../src/util/byte-string.ts';
import { codeOf, root, scratch, windows } from './scratch.ts';

describe.skipIf(windows)('metadata', () => {
  it('sets the times of a link or of its target', () => {
    const dir = scratch();
    const file = dir.file('f');
    const link = dir.at('l');
    symlinkSync('f', toBytes(link));
    utimensNs(file, { sec: 10, ns: 1 }, { sec: 20, ns: 2 });
    utimensNs(link, { sec: 30, ns: 3 }, { sec: 40, ns: 4 });
    expect(lstat(file)).toMatchObject({ atimeSec: 10, atimeNs: 1, mtimeSec: 20, mtimeNs: 2 });
    expect(lstat(link)).toMatchObject({ mtimeSec: 40, mtimeNs: 4 });
    utimensNs(link, { sec: 50, ns: 5 }, { sec: 60, ns: 6 }, { followLinks: true });
    expect(lstat(file)).toMatchObject({ atimeSec: 50, atimeNs: 5, mtimeSec: 60, mtimeNs: 6 });
    expect(lstat(link)).toMatchObject({ mtimeSec: 40, mtimeNs: 4 });
  });

  it('sets all mode bits, but never through a link', () => {
    const dir = scratch();
    const file = dir.file('f');
    symlinkSync('f', toBytes(dir.at('l')));
    chmod(file, 0o4751);
    expect(statSync(toBytes(file)).mode & 0o7777).toBe(0o4751);
    expect(codeOf(() => chmod(dir.at('l'), 0o600))).toBe('conflict');
    expect(statSync(toBytes(file)).mode & 0o7777).toBe(0o4751);
    mkdirSync(toBytes(dir.at('d')));
    chmod(dir.at('d'), 0o1777);
    expect(statSync(toBytes(dir.at('d'))).mode & 0o7777).toBe(0o1777);
  });

  it('makes a pipe that only its owner may use, and nothing over an existing file', () => {
    const dir = scratch();
    makeFifo(dir.at('p'));
    expect(lstat(dir.at('p')).kind).toBe('fifo');
    expect(lstatSync(toBytes(dir.at('p'))).mode & 0o077).toBe(0);
    const file = dir.file('f', 'content');
    expect(codeOf(() => makeFifo(file))).toBe('conflict');
    expect(readFileSync(toBytes(file), 'utf8')).toBe('content');
  });

  it('gives a link and its target different owners', (ctx) => {
    if (!root) ctx.skip('only root may give files away');
    const dir = scratch();
    const file = dir.file('f');
    symlinkSync('f', toBytes(dir.at('l')));
    lchown(dir.at('l'), 1234, 4_000_000_000);
    expect(lstat(dir.at('l'))).toMatchObject({ uid: 1234, gid: 4_000_000_000 });
    expect(lstat(file).uid).toBe(0);
  });

  it('makes device nodes', (ctx) => {
    const dir = scratch();
    const code = codeOf(() => makeDevice(dir.at('c'), 'chardev', 0x103));
    if (code === 'permission') ctx.skip('this user may not make device nodes');
    expect(code).toBe('no error');
    expect(lstat(dir.at('c'))).toMatchObject({ kind: 'chardev', rdev: 0x103 });
    // Major 259, minor 70000: both numbers are split over the value.
    const device = (259 << 8) | (70_000 & 0xff) | ((70_000 & ~0xff) << 12);
    makeDevice(dir.at('b'), 'dev', device >>> 0);
    expect(lstat(dir.at('b'))).toMatchObject({ kind: 'dev', rdev: device >>> 0 });
  });

  it('reports what is missing', () => {
    const none = scratch().at('none');
    const now = { sec: 1, ns: 0 };
    expect(codeOf(() => utimensNs(none, now, now))).toBe('not-found');
    expect(codeOf(() => chmod(none, 0o600))).toBe('not-found');
    expect(codeOf(() => lchown(none, 0, 0))).toBe('not-found');
  });
});
