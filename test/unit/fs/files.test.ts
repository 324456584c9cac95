import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, symlinkSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freeSpace } from '../../../src/fs/disk.ts';
import { makeFifo, utimensNs } from '../../../src/fs/metadata.ts';
import { openForRead } from '../../../src/fs/read.ts';
import { lstat } from '../../../src/fs/stat.ts';
import { isZero, preallocate, punchHole, setLength } from '../../../src/fs/write.ts';
import { toBytes, toText } from '../../../src/util/byte-string.ts';
import { codeOf, linux, scratch, windows } from './scratch.ts';

describe('openForRead', () => {
  it('opens a file, tells its attributes, and leaves the access time alone', () => {
    const file = scratch().file('f', 'content');
    if (linux) utimensNs(file, { sec: 10, ns: 1 }, { sec: 20, ns: 2 });
    const { fd, stat } = openForRead(file);
    expect(stat).toEqual(lstat(file));
    expect(readFileSync(fd, 'utf8')).toBe('content');
    closeSync(fd);
    if (linux) expect(lstat(file)).toMatchObject({ atimeSec: 10, atimeNs: 1 });
  });

  it.skipIf(windows)('refuses, at once, whatever else has taken the place of the file', async () => {
    const dir = scratch();
    dir.file('f');
    symlinkSync('f', toBytes(dir.at('link')));
    mkdirSync(toBytes(dir.at('folder')));
    makeFifo(dir.at('pipe'));
    const server = createServer();
    await new Promise<void>((done) => server.listen(toText(dir.at('socket')), done));
    for (const name of ['link', 'folder', 'pipe', 'socket']) {
      expect([name, codeOf(() => openForRead(dir.at(name)))]).toEqual([name, 'source-unreadable']);
    }
    server.close();
    expect(codeOf(() => openForRead(dir.at('none')))).toBe('not-found');
  });

  it.runIf(linux)('closes what it refuses', () => {
    const dir = scratch();
    mkdirSync(toBytes(dir.at('folder')));
    const next = () => {
      const fd = openSync(dir.text, 'r');
      closeSync(fd);
      return fd;
    };
    const before = next();
    codeOf(() => openForRead(dir.at('folder')));
    expect(next()).toBe(before);
  });
});

describe('isZero', () => {
  it('finds a single byte anywhere', () => {
    const size = 200_000;
    expect(isZero(new Uint8Array(0))).toBe(true);
    expect(isZero(new Uint8Array(size))).toBe(true);
    for (const at of [0, 1, 65_535, 65_536, 131_072, size - 1]) {
      const data = new Uint8Array(size);
      data[at] = 1;
      expect(isZero(data)).toBe(false);
      expect(isZero(data.subarray(0, at))).toBe(true);
      expect(isZero(data.subarray(at + 1))).toBe(true);
    }
  });
});

describe.runIf(linux)('space', () => {
  const MIB = 1024 * 1024;

  it('is reserved without changing the length, and given back as holes', (ctx) => {
    const dir = scratch();
    const file = dir.file('f');
    const fd = openSync(toBytes(file), 'r+');
    try {
      if (!preallocate(fd, 4 * MIB, file)) ctx.skip('this file system reserves nothing');
      expect(fstatSync(fd)).toMatchObject({ size: 0 });
      expect(fstatSync(fd).blocks * 512).toBeGreaterThanOrEqual(4 * MIB);
      writeSync(fd, Buffer.alloc(4 * MIB, 1));
      if (!punchHole(fd, MIB, 2 * MIB, file)) ctx.skip('this file system has no holes');
      expect(fstatSync(fd)).toMatchObject({ size: 4 * MIB });
      expect(fstatSync(fd).blocks * 512).toBeLessThan(3 * MIB);
      const data = readFileSync(toBytes(file));
      expect(isZero(data.subarray(MIB, 3 * MIB))).toBe(true);
      expect([data[MIB - 1], data[3 * MIB]]).toEqual([1, 1]);
      setLength(fd, 10 * MIB, file);
      expect(fstatSync(fd)).toMatchObject({ size: 10 * MIB });
    } finally {
      closeSync(fd);
    }
  });

  it('that is not there is refused, and none of it taken', () => {
    const file = scratch().file('f');
    const fd = openSync(toBytes(file), 'r+');
    const tooMuch = freeSpace(file).available + 2 ** 40;
    expect(codeOf(() => preallocate(fd, tooMuch, file))).toBe('no-space');
    expect(fstatSync(fd).blocks).toBe(0);
    closeSync(fd);
  });
});
