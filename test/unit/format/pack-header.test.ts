import { describe, expect, it } from 'vitest';
import {
  buildHeaderLength,
  buildPackHeader,
  MAX_BLOBS,
  packHeaderSize,
  parsePackHeader,
  readHeaderLength,
} from '../../../src/format/pack-header.ts';
import type { Id, PackedBlob } from '../../../src/format/types.ts';

const id = (digit: string): Id => digit.repeat(64) as Id;
const damaged = expect.objectContaining({ code: 'damaged' });

const BLOBS: readonly PackedBlob[] = [
  { id: id('a'), type: 'data', offset: 0, length: 38, uncompressedLength: 0 },
  { id: id('b'), type: 'tree', offset: 38, length: 112, uncompressedLength: 0 },
  { id: id('c'), type: 'data', offset: 150, length: 123, uncompressedLength: 234 },
  { id: id('d'), type: 'tree', offset: 273, length: 0x01020304, uncompressedLength: 0xffffffff },
];
const SIZE = 273 + 0x01020304 + packHeaderSize(BLOBS);

describe('the entries', () => {
  it('are laid out as the format says', () => {
    const header = buildPackHeader(BLOBS);
    expect(header.length).toBe(2 * 37 + 2 * 41);
    expect(header.subarray(0, 6).toString('hex')).toBe('0026000000aa');
    expect(header.subarray(74, 84).toString('hex')).toBe('027b000000ea000000cc');
    expect(header.subarray(115, 125).toString('hex')).toBe('0304030201ffffffffdd');
    expect(parsePackHeader(header, SIZE)).toEqual(BLOBS);
  });

  it('must account for the whole pack', () => {
    const header = buildPackHeader(BLOBS);
    expect(() => parsePackHeader(header, SIZE + 1)).toThrow(damaged);
    expect(() => parsePackHeader(header.subarray(0, -41), SIZE)).toThrow(damaged);
  });

  it('must be whole, and of known types', () => {
    const header = buildPackHeader(BLOBS);
    for (let cut = 1; cut < 41; cut++)
      expect(() => parsePackHeader(header.subarray(0, -cut), SIZE)).toThrow(damaged);
    header[0] = 4;
    expect(() => parsePackHeader(header, SIZE)).toThrow(damaged);
  });

  it('of a compressed blob must have a plain length', () => {
    const header = buildPackHeader([BLOBS[2]!]);
    header.writeUInt32LE(0, 5);
    expect(() => parsePackHeader(header, 123 + 41 + 36)).toThrow(damaged);
  });
});

describe('the length field', () => {
  it('lies outside the sealed header', () => {
    const pack = Buffer.concat([Buffer.alloc(100), buildHeaderLength(69)]);
    expect(readHeaderLength(pack, pack.length)).toBe(69);
    expect(readHeaderLength(pack.subarray(-4), pack.length)).toBe(69);
  });

  it.each([0, 31, 101, 0xffffffff, 16 * 1024 * 1024 + 1])('refuses %i', (length) => {
    const pack = Buffer.concat([Buffer.alloc(100), buildHeaderLength(length)]);
    expect(() => readHeaderLength(pack, pack.length)).toThrow(damaged);
  });

  it('needs a pack', () => {
    expect(() => readHeaderLength(Buffer.alloc(72), 72)).toThrow(damaged);
    expect(() => readHeaderLength(Buffer.alloc(3), 100)).toThrow(damaged);
  });
});

it('holds as many blobs as a header of 16 MiB', () => {
  expect(MAX_BLOBS).toBe(409_199);
});
