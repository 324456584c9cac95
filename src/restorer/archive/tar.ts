/**
 * tar in the pax form: what the old header cannot hold stands in records before it.
 *
 * Source: POSIX.1-2008 "pax Interchange Format" and "ustar Interchange Format"; the names SCHILY.xattr and
 * SCHILY.acl are those that star, GNU tar and libarchive read. Names stay bytes: paths that are not UTF-8 are
 * announced with `hdrcharset=BINARY`.
 */
import { EngineError } from '../../api/errors.ts';
import { unixModeFromGo } from '../../format/mode.ts';
import { toSecNs } from '../../format/time.ts';
import type { ExtendedAttribute, Timestamp, Uint64 } from '../../format/types.ts';
import { showPath } from '../../fs/errors.ts';
import { type ByteString, fromText, isValidUtf8, rawByteString } from '../../util/byte-string.ts';
import { aclText } from './acl.ts';
import type { ArchiveEntry, ArchiveWriter, Sink } from './archive.ts';

const BLOCK = 512;
/** What GNU tar and Go write by custom: two blocks of zeros end the archive. */
const END = Buffer.alloc(2 * BLOCK);
const NO_LINK = rawByteString('');
/** Of `uid`, `gid`, `size` and times in the old header: octal digits without the closing NUL. */
const MOST_ID = 0o7777777;
const MOST_SIZE = 0o77777777777;

/** Type letters; sockets have none. */
const LETTERS: Readonly<Record<string, string>> = {
  file: '0',
  symlink: '2',
  chardev: '3',
  dev: '4',
  dir: '5',
  fifo: '6',
};

export class TarWriter implements ArchiveWriter {
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  async add(entry: ArchiveEntry): Promise<void> {
    const letter = entry.linkTo === undefined ? LETTERS[entry.node.type] : '1';
    if (letter === undefined) return;
    const head = headerOf(entry, letter);
    const extra = paxRecords(entry, head);
    if (extra.length > 0) await this.#sink(paxEntry(extra));
    await this.#sink(headerBlock(head));
    if (head.size > 0) await this.#content(entry);
  }

  async #content(entry: ArchiveEntry): Promise<void> {
    let left = entry.size;
    for await (const bytes of entry.content()) {
      left -= bytes.length;
      if (left < 0) break;
      await this.#sink(bytes);
    }
    if (left !== 0) throw otherLength(entry);
    const rest = entry.size % BLOCK;
    if (rest > 0) await this.#sink(Buffer.alloc(BLOCK - rest));
  }

  async end(): Promise<void> {
    await this.#sink(END);
  }
}

/** The fields of the old header. */
interface Header {
  readonly name: ByteString;
  readonly linkName: ByteString;
  readonly letter: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly user: ByteString;
  readonly group: ByteString;
  readonly major: number;
  readonly minor: number;
}

function headerOf({ path, node, size, linkTo }: ArchiveEntry, letter: string): Header {
  const { major, minor } = numbersOf(node.device);
  const isDevice = letter === '3' || letter === '4';
  return {
    name: letter === '5' ? rawByteString(`${path}/`) : path,
    linkName: letter === '2' ? node.linkTarget : (linkTo ?? NO_LINK),
    letter,
    mode: unixModeFromGo(node.mode) & 0o7777,
    uid: node.uid,
    gid: node.gid,
    size: letter === '0' ? size : 0,
    mtime: toSecNs(node.mtime).sec,
    user: fromText(node.user),
    group: fromText(node.group),
    major: isDevice ? major : 0,
    minor: isDevice ? minor : 0,
  };
}

/** The parts of a Linux device number; see makedev(3). */
function numbersOf(device: Uint64): { readonly major: number; readonly minor: number } {
  const n = BigInt(device);
  const major = ((n >> 8n) & 0xfffn) | ((n >> 32n) & 0xffff_f000n);
  const minor = (n & 0xffn) | ((n >> 12n) & 0xffff_ff00n);
  return { major: Number(major), minor: Number(minor) };
}

// ---- pax records

/** What the header cannot say, or says less exactly. */
function paxRecords(entry: ArchiveEntry, h: Header): Buffer {
  const { node } = entry;
  const texts: [string, ByteString][] = [];
  if (!isPlain(h.name, 100)) texts.push(['path', h.name]);
  if (!isPlain(h.linkName, 100)) texts.push(['linkpath', h.linkName]);
  if (!isPlain(h.user, 32)) texts.push(['uname', h.user]);
  if (!isPlain(h.group, 32)) texts.push(['gname', h.group]);
  const binary = texts.some(([, value]) => !isValidUtf8(value));
  const records = texts.map(([key, value]) => record(key, Buffer.from(value, 'latin1')));
  const number = (key: string, value: string | number) => records.push(record(key, Buffer.from(`${value}`)));
  if (h.uid > MOST_ID) number('uid', h.uid);
  if (h.gid > MOST_ID) number('gid', h.gid);
  if (h.size > MOST_SIZE) number('size', h.size);
  number('mtime', decimal(node.mtime));
  number('atime', decimal(node.atime));
  number('ctime', decimal(node.ctime));
  if (entry.linkTo === undefined) records.push(...node.extendedAttributes.map(attributeRecord));
  // A reader must know before it meets them that the names are bytes.
  return Buffer.concat(binary ? [record('hdrcharset', Buffer.from('BINARY')), ...records] : records);
}

const ACLS: Readonly<Record<string, string>> = {
  'system.posix_acl_access': 'SCHILY.acl.access',
  'system.posix_acl_default': 'SCHILY.acl.default',
};

function attributeRecord({ name, value }: ExtendedAttribute): Buffer {
  const bytes = Buffer.from(value ?? []);
  const key = ACLS[name];
  const text = key === undefined ? undefined : aclText(bytes);
  if (key !== undefined && text !== undefined) return record(key, Buffer.from(text));
  // `=` would end the keyword early; star's way of writing it is read back by GNU tar and libarchive.
  const escaped = rawByteString(name.replaceAll('%', '%25').replaceAll('=', '%3D'));
  return record(`SCHILY.xattr.${escaped}`, bytes);
}

/** `length key=value\n`, where the length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), value, Buffer.from('\n')]);
  let digits = 1;
  while (String(rest.length + digits).length > digits) digits++;
  return Buffer.concat([Buffer.from(`${rest.length + digits}`), rest]);
}

/** Seconds with nanoseconds, exactly. Before 1970 the seconds are rounded towards zero and both parts are negative. */
function decimal(time: Timestamp): string {
  const { sec, ns } = toSecNs(time);
  if (ns === 0) return `${sec}`;
  const negative = sec < 0;
  const whole = negative ? -sec - 1 : sec;
  const part = negative ? 1_000_000_000 - ns : ns;
  const text = `${whole}.${String(part).padStart(9, '0')}`.replace(/0+$/, '');
  return negative ? `-${text}` : text;
}

function paxEntry(records: Buffer): Buffer {
  const head = headerBlock({
    name: rawByteString('PaxHeaders/entry'),
    linkName: NO_LINK,
    letter: 'x',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.length,
    mtime: 0,
    user: NO_LINK,
    group: NO_LINK,
    major: 0,
    minor: 0,
  });
  const rest = records.length % BLOCK;
  return Buffer.concat([head, records, Buffer.alloc(rest === 0 ? 0 : BLOCK - rest)]);
}

// ---- the old header

const PLAIN = /^[\x01-\x7f]*$/;

/** Whether the old header's field of that width holds it without a record beside it. */
function isPlain(text: ByteString, width: number): boolean {
  return text.length <= width && PLAIN.test(text);
}

/** Fields at their offsets in the ustar header; too long texts are cut and too large numbers are 0: a record has them whole. */
function headerBlock(h: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(h.name.slice(0, 100), 0, 'latin1');
  octal(block, 100, 7, h.mode);
  octal(block, 108, 7, h.uid);
  octal(block, 116, 7, h.gid);
  octal(block, 124, 11, h.size);
  octal(block, 136, 11, Math.max(0, h.mtime));
  block.write(h.letter, 156, 'latin1');
  block.write(h.linkName.slice(0, 100), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(h.user.slice(0, 32), 265, 'latin1');
  block.write(h.group.slice(0, 32), 297, 'latin1');
  octal(block, 329, 7, h.major);
  octal(block, 337, 7, h.minor);
  block.write(' '.repeat(8), 148, 'latin1');
  block.write(
    `${block
      .reduce((a, b) => a + b, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  );
  return block;
}

function octal(block: Buffer, at: number, digits: number, value: number): void {
  const text = value < 8 ** digits ? value.toString(8) : '0';
  block.write(text.padStart(digits, '0'), at, 'latin1');
}

function otherLength({ path }: ArchiveEntry): EngineError {
  return new EngineError('damaged', `The content of ${showPath(path)} is not as long as the index says.`, {
    hint: 'Run "repair index".',
  });
}
