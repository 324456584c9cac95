/**
 * zip: Unix modes, links as links, times to the second, names in UTF-8 where they are that.
 *
 * local header   stands before the content; sizes follow the content where they are not known beforehand
 * directory      the list of all entries, at the end; held in memory until then (about 150 bytes an entry)
 *
 * Source: PKWARE's APPNOTE 6.3 (zip64: 4.3.14, 4.5.3) and Info-ZIP's `extrafld.txt` (0x5455 times, 0x7875 owners).
 */
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { EngineError } from '../../api/errors.ts';
import type { CallOptions } from '../../backend/backend.ts';
import { unixModeFromGo } from '../../format/mode.ts';
import { toSecNs } from '../../format/time.ts';
import { showPath } from '../../fs/errors.ts';
import { isValidUtf8, toBytes } from '../../util/byte-string.ts';
import type { ArchiveEntry, ArchiveWriter, Sink } from './archive.ts';

const STORED = 0;
const DEFLATED = 8;
/** Needed to read: 4.5, for zip64. */
const VERSION = 45;
const MADE_ON_UNIX = 3 << 8;
const SIZES_FOLLOW = 1 << 3;
const NAME_IS_UTF8 = 1 << 11;
const DOS_FOLDER = 0x10;
const MOST_32 = 0xffff_ffff;
const MOST_16 = 0xffff;
/** Deflate makes incompressible data a little longer: from here on 64 bits are provided. */
const LARGE = 0xf000_0000;
/** Packed in one go, with sizes in the header. */
const SMALL = 1 << 20;
const S_IFMT = 0o170000;

const UNIX_TYPES: Readonly<Record<string, number>> = { file: 0o100000, dir: 0o040000, symlink: 0o120000 };

interface Packed {
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
}

/** An entry as far as it is known before its content. */
interface Head {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly mode: number;
  readonly dosTime: number;
  readonly dosDate: number;
  readonly extra: Buffer;
  readonly large: boolean;
}

export class ZipWriter implements ArchiveWriter {
  readonly #out: Sink;
  readonly #o: CallOptions;
  readonly #directory: Buffer[] = [];
  #offset = 0;

  constructor(sink: Sink, o: CallOptions = {}) {
    this.#out = sink;
    this.#o = o;
  }

  async add(entry: ArchiveEntry): Promise<void> {
    const type = UNIX_TYPES[entry.node.type];
    if (type === undefined) return;
    const start = this.#offset;
    const isFile = entry.node.type === 'file';
    const streamed = isFile && entry.size > SMALL;
    const head = headOf(entry, type, streamed);
    try {
      const sizes = streamed ? await this.#stream(entry, head) : await this.#whole(entry, head);
      this.#directory.push(directoryEntry(head, sizes, start));
    } catch (e) {
      this.#offset = start;
      throw e;
    }
  }

  async end(): Promise<void> {
    const start = this.#offset;
    for (const entry of this.#directory) await this.#write(entry);
    await this.#write(closing(this.#directory.length, start, this.#offset - start));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#offset += bytes.length;
    await this.#out(bytes);
  }

  async #whole(entry: ArchiveEntry, head: Head): Promise<Packed> {
    const plain = await wholeContent(entry);
    const data = head.method === DEFLATED ? deflateRawSync(plain) : plain;
    const sizes = { crc: crc32(plain), packed: data.length, size: plain.length };
    await this.#write(localHeader(head, sizes));
    await this.#write(data);
    return sizes;
  }

  async #stream(entry: ArchiveEntry, head: Head): Promise<Packed> {
    await this.#write(localHeader(head, undefined));
    let crc = 0;
    let size = 0;
    let packed = 0;
    const plain = async function* () {
      for await (const bytes of entry.content()) {
        crc = crc32(bytes, crc);
        size += bytes.length;
        yield bytes;
      }
    };
    let writing = Promise.resolve();
    const take = async (source: AsyncIterable<Uint8Array>) => {
      for await (const bytes of source) {
        packed += bytes.length;
        writing = this.#write(bytes);
        await writing;
      }
    };
    try {
      await pipeline(plain, createDeflateRaw(), take, this.#o);
    } finally {
      // Ended by the content, it may still be at the last piece before that.
      await writing.catch(() => {});
    }
    refuseOtherLength(entry, size);
    const sizes = { crc, packed, size };
    await this.#write(descriptor(head, sizes));
    return sizes;
  }
}

async function wholeContent(entry: ArchiveEntry): Promise<Buffer> {
  if (entry.node.type === 'symlink') return toBytes(entry.node.linkTarget);
  if (entry.node.type === 'dir') return Buffer.alloc(0);
  const parts: Uint8Array[] = [];
  for await (const bytes of entry.content()) parts.push(bytes);
  const plain = Buffer.concat(parts);
  refuseOtherLength(entry, plain.length);
  return plain;
}

function refuseOtherLength({ path, size }: ArchiveEntry, got: number): void {
  if (got === size) return;
  throw new EngineError('damaged', `The content of ${showPath(path)} is not as long as the index says.`, {
    hint: 'Run "repair index".',
  });
}

// ---- records

function headOf({ path, node, size }: ArchiveEntry, type: number, streamed: boolean): Head {
  const name = toBytes(path);
  const { sec } = toSecNs(node.mtime);
  return {
    name: node.type === 'dir' ? Buffer.concat([name, Buffer.from('/')]) : name,
    flags: (streamed ? SIZES_FOLLOW : 0) | (isValidUtf8(path) ? NAME_IS_UTF8 : 0),
    method: node.type === 'file' && size > 0 ? DEFLATED : STORED,
    mode: (unixModeFromGo(node.mode) & ~S_IFMT) | type,
    ...dosTime(sec),
    extra: Buffer.concat([timeField(sec), ownerField(node.uid, node.gid)]),
    large: size >= LARGE,
  };
}

/** Two-second steps from 1980 to 2107, in UTC. */
function dosTime(sec: number): { readonly dosTime: number; readonly dosDate: number } {
  const earliest = Date.UTC(1980, 0, 1);
  const latest = Date.UTC(2107, 11, 31, 23, 59, 58);
  const t = new Date(Math.min(latest, Math.max(earliest, sec * 1000)));
  return {
    dosTime: (t.getUTCHours() << 11) | (t.getUTCMinutes() << 5) | (t.getUTCSeconds() >> 1),
    dosDate: ((t.getUTCFullYear() - 1980) << 9) | ((t.getUTCMonth() + 1) << 5) | t.getUTCDate(),
  };
}

/** Little-endian numbers, each with its width in bytes. */
function pack(...fields: readonly (readonly [value: number, width: 1 | 2 | 4 | 8])[]): Buffer {
  const out = Buffer.alloc(fields.reduce((sum, [, width]) => sum + width, 0));
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 8) out.writeBigUInt64LE(BigInt(value), at);
    else out.writeUIntLE(value, at, width);
    at += width;
  }
  return out;
}

/** The time in seconds since 1970; nothing where 32 bits with a sign don't hold it. */
function timeField(sec: number): Buffer {
  if (sec !== (sec | 0)) return Buffer.alloc(0);
  return pack([0x5455, 2], [5, 2], [1, 1], [sec >>> 0, 4]);
}

function ownerField(uid: number, gid: number): Buffer {
  return pack([0x7875, 2], [11, 2], [1, 1], [4, 1], [uid, 4], [4, 1], [gid, 4]);
}

/** Without sizes: they follow the content. */
function localHeader(h: Head, sizes: Packed | undefined): Buffer {
  const { crc, packed, size } = sizes ?? { crc: 0, packed: 0, size: 0 };
  const wide = h.large ? pack([1, 2], [16, 2], [size, 8], [packed, 8]) : Buffer.alloc(0);
  const extra = Buffer.concat([wide, h.extra]);
  const fixed = pack(
    [0x04034b50, 4],
    [VERSION, 2],
    [h.flags, 2],
    [h.method, 2],
    [h.dosTime, 2],
    [h.dosDate, 2],
    [crc, 4],
    [h.large ? MOST_32 : packed, 4],
    [h.large ? MOST_32 : size, 4],
    [h.name.length, 2],
    [extra.length, 2],
  );
  return Buffer.concat([fixed, h.name, extra]);
}

function descriptor(h: Head, { crc, packed, size }: Packed): Buffer {
  const width = h.large ? 8 : 4;
  return pack([0x08074b50, 4], [crc, 4], [packed, width], [size, width]);
}

function directoryEntry(h: Head, { crc, packed, size }: Packed, offset: number): Buffer {
  const wide: [number, 8][] = [];
  const narrow = (value: number, force: boolean): number => {
    if (!force && value < MOST_32) return value;
    wide.push([value, 8]);
    return MOST_32;
  };
  const [size32, packed32] = [narrow(size, h.large), narrow(packed, h.large)];
  const offset32 = narrow(offset, false);
  const zip64 = wide.length === 0 ? Buffer.alloc(0) : pack([1, 2], [wide.length * 8, 2], ...wide);
  const extra = Buffer.concat([zip64, h.extra]);
  const isFolder = (h.mode & S_IFMT) === UNIX_TYPES.dir;
  const fixed = pack(
    [0x02014b50, 4],
    [MADE_ON_UNIX | VERSION, 2],
    [VERSION, 2],
    [h.flags, 2],
    [h.method, 2],
    [h.dosTime, 2],
    [h.dosDate, 2],
    [crc, 4],
    [packed32, 4],
    [size32, 4],
    [h.name.length, 2],
    [extra.length, 2],
    [0, 2],
    [0, 2],
    [0, 2],
    [h.mode * 0x1_0000 + (isFolder ? DOS_FOLDER : 0), 4],
    [offset32, 4],
  );
  return Buffer.concat([fixed, h.name, extra]);
}

/** The end of the archive, with its 64-bit form before it where numbers need that. */
function closing(count: number, start: number, length: number): Buffer {
  const needs64 = count >= MOST_16 || start >= MOST_32 || length >= MOST_32;
  const end = pack(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [Math.min(count, MOST_16), 2],
    [Math.min(count, MOST_16), 2],
    [Math.min(length, MOST_32), 4],
    [Math.min(start, MOST_32), 4],
    [0, 2],
  );
  if (!needs64) return end;
  const record = pack(
    [0x06064b50, 4],
    [44, 8],
    [MADE_ON_UNIX | VERSION, 2],
    [VERSION, 2],
    [0, 4],
    [0, 4],
    [count, 8],
    [count, 8],
    [length, 8],
    [start, 8],
  );
  const locator = pack([0x07064b50, 4], [0, 4], [start + length, 8], [1, 4]);
  return Buffer.concat([record, locator, end]);
}
