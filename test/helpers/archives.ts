/**
 * Readers of zip and tar, written after the formats' descriptions and independent of the writers. They refuse what is not exact.
 *
 * Source: PKWARE's APPNOTE 6.3; POSIX "pax Interchange Format".
 */
import { crc32, inflateRawSync } from 'node:zlib';

export interface Entry {
  /** One character per byte. */
  readonly name: string;
  readonly kind: 'file' | 'dir' | 'symlink' | 'hardlink' | 'other';
  readonly mode: number;
  readonly content: Buffer;
  /** Of links. */
  readonly target: string;
  /** Seconds. */
  readonly mtime: number;
}

const ZIP_KINDS: Readonly<Record<number, Entry['kind']>> = { 8: 'file', 4: 'dir', 10: 'symlink' };

/** All entries by the directory at the end, each held against its local header and its checksum; nothing may lie between them. */
export function readZip(zip: Buffer): Entry[] {
  const end = zip.length - 22;
  expectWord(zip, end, 0x06054b50);
  const count = zip.readUInt16LE(end + 10);
  const entries: Entry[] = [];
  let at = zip.readUInt32LE(end + 16);
  let next = 0;
  for (let i = 0; i < count; i++) {
    expectWord(zip, at, 0x02014b50);
    const [nameLength, extraLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
    const name = zip.toString('latin1', at + 46, at + 46 + nameLength);
    const local = zip.readUInt32LE(at + 42);
    if (local !== next) throw new Error(`something lies before ${name}`);
    const { content, after } = zipContent(zip, local, at);
    next = after;
    const unixMode = zip.readUInt16LE(at + 40);
    const kind = ZIP_KINDS[unixMode >> 12] ?? 'other';
    const target = kind === 'symlink' ? content.toString('latin1') : '';
    const mtime = zip.readInt32LE(at + 46 + nameLength + 5);
    entries.push({ name, kind, mode: unixMode & 0o7777, content, target, mtime });
    at += 46 + nameLength + extraLength;
  }
  if (at !== end) throw new Error('the directory does not reach the end');
  return entries;
}

function zipContent(zip: Buffer, local: number, central: number): { content: Buffer; after: number } {
  expectWord(zip, local, 0x04034b50);
  const [crc, packed, size] = [16, 20, 24].map((offset) => zip.readUInt32LE(central + offset));
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const raw = zip.subarray(start, start + packed!);
  const content = zip.readUInt16LE(local + 8) === 8 ? inflateRawSync(raw) : raw;
  if (content.length !== size || crc32(content) !== crc)
    throw new Error('the content is not as its sum says');
  const follows = (zip.readUInt16LE(local + 6) & 8) !== 0;
  if (follows) expectWord(zip, start + packed!, 0x08074b50);
  return { content, after: start + packed! + (follows ? 16 : 0) };
}

const TAR_KINDS: Readonly<Record<string, Entry['kind']>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'dir',
};

/** All entries, with what pax records say of them. */
export function readTar(tar: Buffer): Entry[] {
  const entries: Entry[] = [];
  let pax: ReadonlyMap<string, string> = new Map();
  let at = 0;
  while (tar[at] !== 0) {
    const block = tar.subarray(at, at + 512);
    expectSum(block);
    const text = (from: number, length: number) =>
      block.toString('latin1', from, from + length).replace(/\0.*$/s, '');
    const size = Number(pax.get('size') ?? Number.parseInt(text(124, 12), 8));
    const content = tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    const letter = text(156, 1);
    if (letter === 'x') {
      pax = records(content);
      continue;
    }
    entries.push({
      name: pax.get('path') ?? text(0, 100),
      kind: TAR_KINDS[letter] ?? 'other',
      mode: Number.parseInt(text(100, 8), 8),
      content,
      target: pax.get('linkpath') ?? text(157, 100),
      mtime: Number(pax.get('mtime') ?? Number.parseInt(text(136, 12), 8)),
    });
    pax = new Map();
  }
  if (tar.length !== at + 1024 || tar.subarray(at).some((byte) => byte !== 0))
    throw new Error('no proper end');
  return entries;
}

function records(bytes: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const end = at + Number(bytes.toString('latin1', at, space));
    const [, key, value] = /^([^=]+)=(.*)\n$/s.exec(bytes.toString('latin1', space + 1, end))!;
    found.set(key!, value!);
    at = end;
  }
  return found;
}

function expectSum(block: Buffer): void {
  const blank = Buffer.from(block).fill(' ', 148, 156);
  const sum = blank.reduce((a, b) => a + b, 0);
  if (Number.parseInt(block.toString('latin1', 148, 154), 8) !== sum)
    throw new Error('a header has a wrong sum');
}

function expectWord(bytes: Buffer, at: number, word: number): void {
  if (bytes.readUInt32LE(at) !== word) throw new Error(`${word.toString(16)} is not at ${at}`);
}
