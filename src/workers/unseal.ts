/**
 * The worker's part of a restore: opens the blobs of a piece of a pack and writes them into files; and compares
 * files on the disk with the blobs that they should consist of.
 */

import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { EngineError, type WireError } from '../api/errors.ts';
import type { Sealer } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import { unixModeFromGo } from '../format/mode.ts';
import { toSecNs } from '../format/time.ts';
import type { Id } from '../format/types.ts';
import { translateFsError } from '../fs/errors.ts';
import { utimensNs } from '../fs/metadata.ts';
import { applyMetadata } from '../fs/node.ts';
import { nodePath } from '../fs/path.ts';
import { openForRead } from '../fs/read.ts';
import { gidOf, uidOf } from '../fs/users.ts';
import { isZero } from '../fs/write.ts';
import { setXattrs } from '../fs/xattr.ts';
import { type ByteString, rawByteString } from '../util/byte-string.ts';
import { release } from '../util/release.ts';
import { viewBlob } from './blob-codec.ts';
import type {
  CompareJob,
  CompareOutcome,
  CompareRange,
  CompareReply,
  NewFile,
  UnsealBlob,
  UnsealJob,
  UnsealReply,
} from './protocol.ts';

/** The thread knows open files by number only; whoever asked knows the path. */
const NO_PATH = rawByteString('');
/** Shorter runs of zeros are written: file systems keep no smaller holes. */
const HOLE_BYTES = 4096;
const READ_BYTES = 1 << 20;
/** Longer blobs are hashed in pieces: the length comes from an index, and may be absurd. */
const MOST_AT_ONCE = 16 << 20;
const NOTHING = new Uint8Array(0);

// O_EXCL: whatever came to lie there since the folder was looked at is not ours to write into. Windows lacks O_NOFOLLOW.
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);

/** Opens, writes and finishes; what fails is told in the reply, blob by blob and file by file. */
export function unseal(sealer: Sealer, job: UnsealJob): UnsealReply {
  const reply = { damaged: [], failedWrites: [], failedFiles: [], incomplete: [] } as Mutable<UnsealReply>;
  const wholes = job.blobs.map((): number[] => []);
  job.files.forEach((file, i) => {
    if (file.blob < 0) makeFile(job, i, NOTHING, reply);
    else wholes[file.blob]!.push(i);
  });
  job.blobs.forEach((blob, i) => {
    const plain = openOne(sealer, job, blob, i, reply);
    if (!plain) return;
    for (const file of wholes[i]!) makeFile(job, file, plain, reply);
    writeToOpenFiles(blob, i, plain, reply);
  });
  release(job.data);
  return reply;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

function openOne(
  sealer: Sealer,
  job: UnsealJob,
  blob: UnsealBlob,
  index: number,
  reply: Mutable<UnsealReply>,
): Uint8Array | undefined {
  try {
    const sealed = job.data.subarray(blob.offset, blob.offset + blob.length);
    return viewBlob(sealer, blob.id, sealed, blob.uncompressedLength);
  } catch (e) {
    reply.damaged.push({ blob: index, error: wire(e, NO_PATH, 'open the data of') });
    return undefined;
  }
}

function makeFile(job: UnsealJob, index: number, plain: Uint8Array, reply: Mutable<UnsealReply>): void {
  const file = job.files[index]!;
  try {
    const errors = createFile(file, plain, job.sparse, job.metadata);
    if (errors.length > 0) reply.incomplete.push({ file: index, errors: errors.map((e) => e.toWire()) });
  } catch (e) {
    reply.failedFiles.push({ file: index, error: wire(e, file.path, 'write') });
  }
}

const ALL_SET: readonly EngineError[] = [];

/**
 * Makes a file that was not there, fills it, and gives it its attributes if `metadata` says how; on failure nothing
 * of it stays. Returns the attributes that could not be set. Errors: 'conflict', 'no-space' …
 */
export function createFile(
  file: Pick<NewFile, 'path' | 'node'>,
  plain: Uint8Array,
  sparse: boolean,
  metadata: UnsealJob['metadata'],
): readonly EngineError[] {
  const fd = openNew(file.path);
  try {
    if (sparse) ftruncateSync(fd, plain.length);
    writeAt(fd, plain, 0, sparse);
    return metadata ? applyToOpenFile(fd, file, metadata) : ALL_SET;
  } catch (e) {
    unlinkSync(nodePath(file.path));
    throw translateFsError(e, file.path, 'write');
  } finally {
    closeSync(fd);
  }
}

function openNew(path: ByteString): number {
  try {
    return openSync(nodePath(path), NEW_FILE, 0o600);
  } catch (e) {
    throw translateFsError(e, path, 'create');
  }
}

/**
 * What `applyMetadata` does, in its order, for a file that was made just now and is open: owner and mode are set by
 * its number, which spares looking the path up and guarding against links.
 */
function applyToOpenFile(
  fd: number,
  { path, node }: Pick<NewFile, 'path' | 'node'>,
  o: NonNullable<UnsealJob['metadata']>,
): readonly EngineError[] {
  try {
    if (o.skipOwner !== true) own(fd, node, o.ownerByName === true);
    const failures = o.skipXattrs === true ? ALL_SET : setXattrs(path, node.extendedAttributes);
    if (failures.length > 0) return applyMetadata(path, node, o);
    fchmodSync(fd, unixModeFromGo(node.mode) & 0o7777);
    utimensNs(path, toSecNs(node.atime), toSecNs(node.mtime));
    return ALL_SET;
  } catch {
    // What may fail and what counts as a failure is decided there.
    return applyMetadata(path, node, o);
  }
}

function own(fd: number, node: NewFile['node'], byName: boolean): void {
  const uid = byName ? (uidOf(node.user) ?? node.uid) : node.uid;
  const gid = byName ? (gidOf(node.group) ?? node.gid) : node.gid;
  fchownSync(fd, uid, gid);
}

function writeToOpenFiles(
  blob: UnsealBlob,
  index: number,
  plain: Uint8Array,
  reply: Mutable<UnsealReply>,
): void {
  blob.writes.forEach(({ fd, position, sparse }, write) => {
    try {
      writeAt(fd, plain, position, sparse);
    } catch (e) {
      reply.failedWrites.push({ blob: index, write, error: wire(e, NO_PATH, 'write') });
    }
  });
}

/** With `sparse`, blocks of zeros are skipped: the file must be a hole there. Throws Node's own errors. */
export function writeAt(fd: number, bytes: Uint8Array, position: number, sparse: boolean): void {
  if (!sparse) return writeRun(fd, bytes, position);
  if (isZero(bytes)) return;
  // Blocks count from the file's start, so that holes fall on blocks of the disk.
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + HOLE_BYTES - ((position + at) % HOLE_BYTES));
    if (isZero(bytes.subarray(at, end))) {
      if (at > from) writeRun(fd, bytes.subarray(from, at), position + from);
      from = end;
    }
    at = end;
  }
  if (from < bytes.length) writeRun(fd, bytes.subarray(from), position + from);
}

function writeRun(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

/** Which of the blobs lie already where they belong. */
export function compare(job: CompareJob): CompareReply {
  return { ranges: job.ranges.map(compareRange) };
}

function compareRange(range: CompareRange): CompareOutcome {
  try {
    const { fd, stat } = openForRead(range.path);
    try {
      return { kind: 'file', size: stat.size, matches: matchesOf(fd, stat.size, range) };
    } finally {
      closeSync(fd);
    }
  } catch (e) {
    return { kind: 'failed', error: wire(e, range.path, 'read') };
  }
}

function matchesOf(fd: number, size: number, { position, ids, lengths }: CompareRange): boolean[] {
  let at = position;
  return ids.map((id, i) => {
    const length = lengths[i]!;
    const fits = at + length <= size && hashOf(fd, at, length) === id;
    at += length;
    return fits;
  });
}

let scratch = new Uint8Array(READ_BYTES);

function hashOf(fd: number, position: number, length: number): Id | undefined {
  if (length > MOST_AT_ONCE) return hashInPieces(fd, position, length);
  if (scratch.length < length) scratch = new Uint8Array(length);
  const got = readFully(fd, position, length);
  return got === length ? sha256(scratch.subarray(0, length)) : undefined;
}

function hashInPieces(fd: number, position: number, length: number): Id | undefined {
  const hash = createHash('sha256');
  for (let done = 0; done < length; ) {
    const want = Math.min(READ_BYTES, length - done);
    if (readFully(fd, position + done, want) !== want) return undefined;
    hash.update(scratch.subarray(0, want));
    done += want;
  }
  return hash.digest('hex') as Id;
}

function readFully(fd: number, position: number, length: number): number {
  let done = 0;
  while (done < length) {
    const n = readSync(fd, scratch, done, length - done, position + done);
    if (n === 0) break;
    done += n;
  }
  return done;
}

function wire(e: unknown, path: ByteString, what: string): WireError {
  return (e instanceof EngineError ? e : translateFsError(e, path, what)).toWire();
}
