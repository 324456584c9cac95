import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, it, type TestContext } from 'vitest';
import type { ExtendedAttribute } from '../../../src/format/types.ts';
import { lstat } from '../../../src/fs/stat.ts';
import { listXattrs, readXattrs, setXattrs } from '../../../src/fs/xattr.ts';
import { fromText, rawByteString, toBytes, toText } from '../../../src/util/byte-string.ts';
import { bytes, codeOf, lackOfXattrs, linux, root, scratch } from './scratch.ts';

const attribute = (name: string, value: string | Uint8Array): ExtendedAttribute => ({
  name: fromText(name),
  value: typeof value === 'string' ? Buffer.from(value) : value,
});
const plain = (list: readonly ExtendedAttribute[]) =>
  Object.fromEntries(
    list.map((a) => [a.name, a.value === null ? null : Buffer.from(a.value).toString('latin1')]),
  );

/** A file whose file system keeps `user.` attributes; skips the test where it does not. */
function fileWithXattrs(ctx: TestContext) {
  const dir = scratch();
  const file = dir.file('f');
  const lack = lackOfXattrs(file);
  if (lack !== undefined) ctx.skip(lack);
  return { dir, file };
}

describe('extended attributes', () => {
  it('are none on a fresh file', () => {
    const file = scratch().file('f');
    expect(readXattrs(file).warnings).toEqual([]);
    expect(listXattrs(file).filter((a) => a.name.startsWith('user.'))).toEqual([]);
  });

  it('come back as they were set: empty, binary, names that are not text', (ctx) => {
    const { file } = fileWithXattrs(ctx);
    const odd = { name: rawByteString(`user.${bytes(0xff, 0xe9)}`), value: Buffer.from([0, 255, 10]) };
    const given = [attribute('user.b', ''), attribute('user.a', 'text'), odd];
    expect(setXattrs(file, given)).toEqual([]);
    expect(plain(listXattrs(file))).toEqual(plain(given));
    // Plain arrays, as the tree parser makes them, and not views of a buffer that the next call overwrites.
    const values = listXattrs(file).map((a) => a.value);
    expect(values.map((v) => [v?.constructor, v?.buffer.byteLength])).toEqual(
      values.map((v) => [Uint8Array, v?.length]),
    );
  });

  it('replace all others, save those that are not selected', (ctx) => {
    const { file } = fileWithXattrs(ctx);
    setXattrs(file, [attribute('user.old', '1'), attribute('user.keep.me', '2'), attribute('user.x', '3')]);
    const select = (name: string) => !name.startsWith('user.keep.');
    const given = [attribute('user.x', 'new'), attribute('user.keep.not', 'refused')];
    expect(setXattrs(file, given, { select })).toEqual([]);
    expect(plain(listXattrs(file))).toEqual({ 'user.x': 'new', 'user.keep.me': '2' });
  });

  it('stand in the order of the kernel', (ctx) => {
    const { file } = fileWithXattrs(ctx);
    setXattrs(file, [attribute('user.z', '1'), attribute('user.a', '2'), attribute('user.m', '3')]);
    let dump: string;
    try {
      dump = execFileSync('getfattr', ['--absolute-names', toText(file)], { encoding: 'utf8' });
    } catch {
      ctx.skip('there is no getfattr');
      return;
    }
    const listed = listXattrs(file).map((a) => toText(a.name));
    // getfattr sorts its output: compare as sets, and the order with a second reading.
    expect([...listed].sort()).toEqual(dump.split('\n').filter((l) => l.startsWith('user.')));
    expect(listXattrs(file).map((a) => toText(a.name))).toEqual(listed);
  });

  it('may be many and large', (ctx) => {
    const { file } = fileWithXattrs(ctx);
    const many = Array.from({ length: 60 }, (_, i) => attribute(`user.${'n'.repeat(40)}${i}`, `${i}`));
    expect(setXattrs(file, many)).toEqual([]);
    expect(plain(listXattrs(file))).toEqual(plain(many));
    const sizes = [1023, 1024, 1025, 2500].map((n) => attribute('user.big', Buffer.alloc(n, 7)));
    for (const one of sizes) {
      const failures = setXattrs(file, [one]);
      if (failures[0]?.code === 'no-space') continue; // ext4 keeps little more than one block
      expect(failures).toEqual([]);
      expect(plain(listXattrs(file))).toEqual(plain([one]));
    }
  });

  it('of a link are not those of its target', (ctx) => {
    const { dir, file } = fileWithXattrs(ctx);
    setXattrs(file, [attribute('user.a', '1')]);
    symlinkSync('f', toBytes(dir.at('l')));
    expect(readXattrs(dir.at('l'))).toEqual({ attributes: [], warnings: [] });
    // Links may not have user attributes at all: the kernel refuses, and the target stays as it is.
    expect(setXattrs(dir.at('l'), [attribute('user.a', '2')]).map((e) => e.code)).toEqual(['permission']);
    expect(plain(listXattrs(file))).toEqual({ 'user.a': '1' });
    if (root && lackOfXattrs(dir.at('l'), 'trusted') === undefined) {
      setXattrs(dir.at('l'), [attribute('trusted.a', 'of the link')]);
      expect(plain(listXattrs(dir.at('l')))).toEqual({ 'trusted.a': 'of the link' });
      expect(plain(listXattrs(file))).toEqual({ 'user.a': '1' });
    }
  });

  it('go on after one that fails, and tell about it', (ctx) => {
    const { file } = fileWithXattrs(ctx);
    const failures = setXattrs(file, [attribute('nonsense', '1'), attribute('user.a', '2')]);
    expect(failures).toMatchObject([{ code: 'unsupported' }]);
    expect(failures[0]?.message).toContain('"nonsense"');
    expect(plain(listXattrs(file))).toEqual({ 'user.a': '2' });
  });

  it.runIf(linux)('carry ACLs, which set the mode and can be taken away', (ctx) => {
    const { dir, file } = fileWithXattrs(ctx);
    try {
      execFileSync('setfacl', ['-m', 'u:12345:rw', toText(file)], { stdio: 'pipe' });
    } catch (e) {
      ctx.skip(`setfacl: ${String(e)}`);
    }
    const acl = listXattrs(file);
    expect(acl.map((a) => a.name)).toEqual(['system.posix_acl_access']);
    const other = dir.file('other');
    chmodSync(toBytes(other), 0o600);
    expect(setXattrs(other, acl)).toEqual([]);
    expect(listXattrs(other)).toEqual(acl);
    expect(lstat(other).mode).toBe(lstat(file).mode);
    expect(setXattrs(other, [])).toEqual([]);
    expect(listXattrs(other)).toEqual([]);
  });

  it.runIf(linux)('of a missing file are an error', () => {
    const dir = scratch();
    mkdirSync(toBytes(dir.at('d')));
    expect(codeOf(() => readXattrs(dir.at('none')))).toBe('not-found');
    expect(setXattrs(dir.at('none'), [attribute('user.a', '1')]).map((e) => e.code)).toEqual([
      'not-found',
      'not-found',
    ]);
  });
});
