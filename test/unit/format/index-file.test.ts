import { describe, expect, it } from 'vitest';
import { idFromBytes } from '../../../src/format/id.ts';
import { parseIndex, serializeIndex, visitIndex } from '../../../src/format/index-file.ts';
import type { Id, PackedBlob } from '../../../src/format/types.ts';

const id = (digit: string): Id => digit.repeat(64) as Id;
const damaged = expect.objectContaining({ code: 'damaged' });
const read = (text: string) => parseIndex(Buffer.from(text));

const blob = (digit: string, over: Partial<PackedBlob> = {}): PackedBlob => ({
  id: id(digit),
  type: 'data',
  offset: 0,
  length: 40,
  uncompressedLength: 0,
  ...over,
});
const blobJson = (digit: string) => `{"id":"${id(digit)}","type":"data","offset":0,"length":40}`;

describe('serializeIndex', () => {
  it('writes what restic writes', () => {
    const packs = [{ id: id('a'), blobs: [blob('b'), blob('c', { type: 'tree', uncompressedLength: 7 })] }];
    expect(serializeIndex(packs).toString()).toBe(
      `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b')},` +
        `{"id":"${id('c')}","type":"tree","offset":0,"length":40,"uncompressed_length":7}]}]}\n`,
    );
    expect(serializeIndex([], [id('1'), id('2')]).toString()).toBe(
      `{"supersedes":["${id('1')}","${id('2')}"],"packs":[]}\n`,
    );
  });

  it('round-trips an index of many pieces', () => {
    const packs = Array.from({ length: 500 }, (_, i) => ({
      id: id((i % 16).toString(16)),
      blobs: Array.from({ length: 40 }, (_, j) => blob('e', { offset: j * 40 })),
    }));
    const bytes = serializeIndex(packs);
    expect(bytes.length).toBeGreaterThan(2 ** 21);
    expect(parseIndex(bytes)).toEqual({ supersedes: [], packs });
  });
});

describe('visitIndex', () => {
  const text = `{"supersedes":["${id('1')}"],"packs":[{"id":"${id('a')}","blobs":[${blobJson('b')}]}]}`;

  it('tells the pack before its blobs', () => {
    const seen: unknown[] = [];
    visitIndex(Buffer.from(text), {
      onSupersedes: (older) => seen.push(older),
      onPack: (pack) => seen.push(pack),
      onBlob: (bytes, ...rest) => seen.push([idFromBytes(bytes), ...rest]),
    });
    expect(seen).toEqual([id('1'), id('a'), [id('b'), 'data', 0, 40, 0]]);
  });

  it('serves a visitor that asks for blobs only', () => {
    let blobs = 0;
    visitIndex(Buffer.from(text), { onBlob: () => blobs++ });
    expect(blobs).toBe(1);
  });
});

describe('reading other forms', () => {
  const packs = [{ id: id('a'), blobs: [blob('b')] }];

  it.each([
    ['the bare list', `[{"id":"${id('a')}","blobs":[${blobJson('b')}]}]`],
    ['blobs before the id', `{"packs":[{"blobs":[${blobJson('b')}],"id":"${id('a')}"}]}`],
    [
      'unknown members and space',
      ` {"new" : {"x":[1.5e3,true,null,"\\""]},\n\t"packs" : [ { "id" : "${id('a')}" ,"flags":-1, "blobs":[ ${blobJson('b')} ] } ] }\r\n`,
    ],
    ['null for no blobs', `{"packs":[{"id":"${id('a')}","blobs":null},{"id":"${id('a')}"}]}`],
  ])('%s', (name, text) => {
    const expected = name.startsWith('null') ? [1, 2].map(() => ({ id: id('a'), blobs: [] })) : packs;
    expect(read(text).packs).toEqual(expected);
  });

  it.each([
    '',
    '{',
    '{}x',
    '[',
    '{"packs":[{}]}',
    '{"packs":[{"id":"abc","blobs":[]}]}',
    `{"packs":[{"id":"${'A'.repeat(64)}","blobs":[]}]}`,
    `{"packs":[{"id":"${id('a')}","id":"${id('b')}"}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[{}]}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b')},]}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b').replace('data', 'blob')}]}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b').replace('40', '4294967296')}]}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b').replace('40', '-1')}]}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b').replace('40', '1.5')}]}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b').replace('40', '01')}]}]}`,
    `{"packs":[{"id":"${id('a')}","blobs":[${blobJson('b').replace(',"length":40', '')}]}]}`,
    `{"x":${'['.repeat(1000)}`,
    `{"x":${'{"y":'.repeat(1000)}`,
    '{"x":1e}',
    '{"x":truth}',
    '{"x":"a\nb"}',
  ])('refuses %s', (text) => {
    expect(() => read(text)).toThrow(damaged);
  });
});
