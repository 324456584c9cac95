import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDirectory } from '../../../src/fs/directory.ts';
import { fromText, joinPath, toBytes } from '../../../src/util/byte-string.ts';
import { bytes, codeOf, linux, scratch } from './scratch.ts';

describe('readDirectory', () => {
  it('lists names in byte order, hidden ones too', () => {
    const dir = scratch();
    // In UTF-8 'ﬀ' (EF AC 80) comes before '𝄞' (F0 9D 84 9E); in UTF-16 it is the other way round.
    const names = ['.hidden', 'B', 'a', 'b', 'é', 'ﬀ', '𝄞'];
    for (const name of [...names].reverse()) dir.file(name);
    expect(readDirectory(dir.path)).toEqual(names.map(fromText));
  });

  it.runIf(linux)('keeps names that are not UTF-8', () => {
    const dir = scratch();
    const name = bytes(0xff, 0x0a, 0x80);
    writeFileSync(toBytes(joinPath(dir.path, name)), '');
    expect(readDirectory(dir.path)).toEqual([name]);
  });

  it('reads folders larger than one portion of the kernel', () => {
    const dir = scratch();
    const expected = Array.from(
      { length: 3000 },
      (_, i) => `file-${String(i).padStart(5, '0')}-with-a-long-name`,
    );
    const first = dir.file(expected[0]!);
    // Hard links: 3000 files would take seconds.
    for (const name of expected.slice(1)) linkSync(toBytes(first), toBytes(dir.at(name)));
    expect(readDirectory(dir.path)).toEqual(expected);
  });

  it('refuses files, links to folders and what is missing', () => {
    const dir = scratch();
    mkdirSync(toBytes(dir.at('d')));
    symlinkSync('d', toBytes(dir.at('link')));
    dir.file('f');
    for (const name of ['link', 'f', 'none']) {
      expect(codeOf(() => readDirectory(dir.at(name)))).toBe('not-found');
    }
    expect(readDirectory(dir.at('d'))).toEqual([]);
  });
});
