/** What restic wrote is read and written again byte for byte. The files come from test/golden/make-format.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { idToBytes } from '../../../src/format/id.ts';
import { parseIndex } from '../../../src/format/index-file.ts';
import { parseKeyFile, parseMasterKey } from '../../../src/format/key.ts';
import { parsePackHeader } from '../../../src/format/pack-header.ts';
import { parseSnapshot } from '../../../src/format/snapshot.ts';
import { parseTree } from '../../../src/format/tree.ts';
import { fromText, rawByteString } from '../../../src/util/byte-string.ts';
import { GOLDEN, type GoldenFile, goldenFiles, roundTrip } from './golden-files.ts';

const files = goldenFiles();

/**
 * Where old restic lost what no writer can give back: a link target that is not UTF-8 (read as U+FFFD, then written
 * as such), and names whose spelling follows the Unicode version of the Go that built it. New restic, reading these
 * trees, writes the same bytes as we do.
 */
function asNewResticWouldWrite({ kind, bytes }: GoldenFile): Buffer {
  if (kind !== 'tree' && kind !== 'newer') return bytes;
  const text = bytes
    .toString()
    .replaceAll('\\ufffd', '\ufffd')
    .replaceAll('\\\\U0001fae0', '\u{1fae0}')
    .replaceAll('\\\\U0001fae8', '\u{1fae8}');
  return Buffer.from(text);
}

describe.each(['restic-0.14', 'restic-0.19'])('files of %s', (version) => {
  const own = files.filter((f) => f.version === version);

  it('are of every kind, from both repository versions', () => {
    const kinds = new Set(own.map((f) => `${f.repository} ${f.kind}`));
    const all = ['config', 'key', 'masterkey', 'lock', 'snapshot', 'index', 'header', 'tree', 'newer'];
    expect([...kinds].sort()).toEqual(['v1', 'v2'].flatMap((r) => all.map((k) => `${r} ${k}`)).sort());
  });

  it.each(own)('$name round-trips', (file) => {
    const expected = version === 'restic-0.14' ? asNewResticWouldWrite(file) : file.bytes;
    expect(roundTrip(file).toString('latin1')).toBe(expected.toString('latin1'));
  });
});

it('only two trees per repository of old restic need the exception', () => {
  const changed = files.filter((f) => !asNewResticWouldWrite(f).equals(f.bytes));
  expect(changed.map((f) => `${f.version} ${f.repository} ${f.kind}`).sort()).toEqual([
    'restic-0.14 v1 newer',
    'restic-0.14 v1 tree',
    'restic-0.14 v2 newer',
    'restic-0.14 v2 tree',
    // New restic writes `\ufffd` too, beside the raw bytes of the target; those carry the truth through.
    'restic-0.19 v1 tree',
    'restic-0.19 v2 tree',
  ]);
});

function treesOf(version: string): ReturnType<typeof parseTree>[] {
  const trees = files.filter((f) => f.version === version && (f.kind === 'tree' || f.kind === 'newer'));
  return trees.map((f) => parseTree(f.bytes));
}

function nodeNamed(version: string, name: string) {
  const node = treesOf(version)
    .flatMap((t) => t.nodes)
    .find((n) => n.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

describe('values in the golden files', () => {
  it('keep names that are not UTF-8', () => {
    expect(nodeNamed('restic-0.14', rawByteString('latin1 \xe9\xff')).type).toBe('file');
    expect(nodeNamed('restic-0.19', rawByteString('surrogate \xed\xa0\x80')).type).toBe('file');
    expect(nodeNamed('restic-0.19', fromText('none \u0378 \uffff \u{e0001} \u{10ffff}')).type).toBe('file');
    expect(nodeNamed('restic-0.14', fromText('unicode 15 \u{1fae8}')).type).toBe('file');
  });

  it('keep the raw target of a link', () => {
    expect(nodeNamed('restic-0.19', 'link to bytes').linkTarget).toBe('to \xff\xfe\xe9');
    expect(nodeNamed('restic-0.19', 'link to odd text').linkTarget).toBe(fromText('<&>"\u2028'));
  });

  it('know devices, pipes, attributes and special bits', () => {
    expect(nodeNamed('restic-0.19', 'char')).toMatchObject({ type: 'chardev', device: 259, content: null });
    expect(nodeNamed('restic-0.19', 'block').type).toBe('dev');
    expect(nodeNamed('restic-0.19', 'fifo').type).toBe('fifo');
    expect(nodeNamed('restic-0.19', 'special bits').mode).toBe(0o755 + 2 ** 23 + 2 ** 22 + 2 ** 20);
    expect(nodeNamed('restic-0.19', '4100000000')).toMatchObject({ content: [], size: 0 });
    const { extendedAttributes } = nodeNamed('restic-0.19', 'attributes');
    const shown = extendedAttributes.map(({ name, value }) => [
      name,
      value && Buffer.from(value).toString('hex'),
    ]);
    expect(Object.fromEntries(shown)).toMatchObject({ 'user.text': '68656c6c6f', 'user.<&>': '00ff' });
  });

  it('tell a snapshot', () => {
    const snapshots = files
      .filter((f) => f.version === 'restic-0.19' && f.kind === 'snapshot')
      .map((f) => parseSnapshot(f.bytes));
    const tagged = snapshots.find((s) => s.tags?.length === 4);
    expect(tagged).toMatchObject({
      tags: ['a', '<b>', 'ü', 'later'],
      excludes: ['*.tmp'],
      hostname: 'golden',
    });
    expect(tagged?.uid).toBeUndefined();
    expect(tagged?.summary?.dirs_new).toBeGreaterThan(0);
  });

  it('agree between pack headers and indexes', () => {
    for (const repository of ['v1', 'v2']) {
      const own = files.filter((f) => f.version === 'restic-0.19' && f.repository === repository);
      const headers = own.filter((f) => f.kind === 'header').map((f) => parsePackHeader(f.bytes, f.packSize));
      const packs = own.filter((f) => f.kind === 'index').flatMap((f) => parseIndex(f.bytes).packs);
      const key = (blobs: readonly { offset: number }[]) =>
        JSON.stringify([...blobs].sort((a, b) => a.offset - b.offset));
      expect(packs.map((p) => key(p.blobs)).sort()).toEqual(headers.map(key).sort());
      expect(idToBytes(packs[0]!.id)).toHaveLength(32);
    }
  });

  it('tell keys', () => {
    const bytes = readFileSync(join(GOLDEN, 'restic-0.14', 'v2-key.json'));
    expect(parseKeyFile(bytes)).toMatchObject({ kdf: 'scrypt', hostname: 'golden.example' });
    expect(parseKeyFile(bytes).salt).toHaveLength(64);
    const master = parseMasterKey(readFileSync(join(GOLDEN, 'restic-0.14', 'v2-masterkey.json')));
    expect([master.encrypt.length, master.k.length, master.r.length]).toEqual([32, 16, 16]);
    expect(readdirSync(GOLDEN)).toContain('go');
  });
});
