/**
 * What a worker thread does, without the thread: so it can be tested, and used in place. All work is synchronous;
 * the thread has nothing else to do.
 */
import { closeSync, readSync } from 'node:fs';
import { assertNever, EngineError } from '../api/errors.ts';
import { Chunker } from '../chunker/chunker.ts';
import { Sealer } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import type { Id } from '../format/types.ts';
import { translateFsError } from '../fs/errors.ts';
import { openForRead } from '../fs/read.ts';
import { fstat, hasChanged } from '../fs/stat.ts';
import { rawByteString } from '../util/byte-string.ts';
import { sealBlob, sealBlobInPlace } from './blob-codec.ts';
import { inspect } from './inspect.ts';
import { Output } from './output.ts';
import type {
  FileOutcome,
  FilesJob,
  Job,
  NewBlob,
  NewChunk,
  ResealJob,
  ScanJob,
  ScanReply,
  SealJob,
  SealReply,
  SharedIndexBuffers,
  WorkerSetup,
} from './protocol.ts';
import { reseal } from './reseal.ts';
import { SharedIndexReader } from './shared-index.ts';
import { compare, unseal } from './unseal.ts';

export interface Answer {
  readonly reply: unknown;
  readonly transfer: ArrayBuffer[];
}

/** The thread knows files by number only; whoever asked knows the path. */
const NO_PATH = rawByteString('');

export class BlobWorker {
  readonly #sealer: Sealer;
  readonly #setup: WorkerSetup;
  readonly #chunker: Chunker | undefined;
  #memory: Uint8Array = new Uint8Array(0);
  #index: SharedIndexReader | undefined;
  #input = new Uint8Array(0);

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.#sealer = new Sealer(setup.key);
    if (!setup.chunking) return;
    const { module, memory, index } = setup.chunking;
    this.#chunker = new Chunker(module, memory);
    this.#memory = new Uint8Array(memory.buffer);
    this.#index = new SharedIndexReader(index);
  }

  shareIndex(index: SharedIndexBuffers): void {
    this.#index = new SharedIndexReader(index);
  }

  run(job: Job): Answer {
    switch (job.kind) {
      case 'files':
        return this.#files(job);
      case 'scan':
        return { reply: this.#scan(job), transfer: [] };
      case 'seal':
        return { reply: this.#seal(job), transfer: [] };
      case 'unseal':
        return { reply: unseal(this.#sealer, job), transfer: [] };
      case 'compare':
        return { reply: compare(job), transfer: [] };
      case 'inspect':
        return { reply: inspect(this.#sealer, job), transfer: [] };
      case 'reseal':
        return this.#reseal(job);
      default:
        return assertNever(job);
    }
  }

  #reseal(job: ResealJob): Answer {
    const { sourceKey, codec } = this.#setup;
    const source = sourceKey ? new Sealer(sourceKey) : this.#sealer;
    const reply = reseal({ source, target: this.#sealer, codec }, job);
    return { reply, transfer: [job.data.buffer as ArrayBuffer, reply.buffer.buffer as ArrayBuffer] };
  }

  #files(job: FilesJob): Answer {
    const out = new Output(256 * 1024);
    // Two equal files of one batch are one blob, although the index knows it only later.
    const seen = new Set<Id>();
    const files = job.paths.map((path) => this.#file(path, job.limit, out, seen));
    const buffer = out.finish();
    return { reply: { files, buffer }, transfer: [buffer.buffer] };
  }

  #file(path: FilesJob['paths'][number], limit: number, out: Output, seen: Set<Id>): FileOutcome {
    try {
      const { fd, stat } = openForRead(path);
      try {
        if (stat.size >= limit) return { kind: 'large', stat };
        const content = this.#readAll(fd, limit);
        if (content.length >= limit) return { kind: 'large', stat };
        const changed = hasChanged(stat, fstat(fd, path));
        const id = content.length === 0 ? undefined : sha256(content);
        const blob = id && !seen.has(id) ? this.#sealNew(id, content, out) : undefined;
        if (id) seen.add(id);
        return { kind: 'read', stat, size: content.length, changed, id, blob };
      } finally {
        closeSync(fd);
      }
    } catch (e) {
      return {
        kind: 'failed',
        error: (e instanceof EngineError ? e : translateFsError(e, path, 'read')).toWire(),
      };
    }
  }

  /** Up to `limit` bytes of an open file, in a buffer that the next call uses again. */
  #readAll(fd: number, limit: number): Uint8Array {
    if (this.#input.length < limit) this.#input = new Uint8Array(limit);
    let length = 0;
    while (length < limit) {
      const n = readSync(fd, this.#input, length, limit - length, length);
      if (n === 0) break;
      length += n;
    }
    return this.#input.subarray(0, length);
  }

  #scan(job: ScanJob): ScanReply {
    const { slab, carryFrom, carryBytes } = job;
    if (carryBytes > 0 && carryFrom !== slab) {
      this.#memory.copyWithin(slab, carryFrom, carryFrom + carryBytes);
    }
    const filled = job.fd < 0 ? { bytes: job.filled, end: job.last } : this.#fill(job);
    const total = carryBytes + filled.bytes;
    const { cuts, rest, scanned } = this.#cut(slab, total, job.scanned);
    if (filled.end && rest > 0)
      return { cuts: [...cuts, rest], read: filled.bytes, rest: 0, scanned: 0, end: true };
    return { cuts, read: filled.bytes, rest, scanned, end: filled.end };
  }

  #fill({ fd, position, slab, slabBytes, carryBytes }: ScanJob): { bytes: number; end: boolean } {
    const start = slab + carryBytes;
    const room = slabBytes - carryBytes;
    let bytes = 0;
    while (bytes < room) {
      const n = this.#read(fd, start + bytes, room - bytes, position + bytes);
      if (n === 0) return { bytes, end: true };
      bytes += n;
    }
    return { bytes, end: false };
  }

  #read(fd: number, at: number, length: number, position: number): number {
    try {
      return readSync(fd, this.#memory, at, length, position);
    } catch (e) {
      throw translateFsError(e, NO_PATH, 'read');
    }
  }

  #cut(slab: number, total: number, firstScanned: number): { cuts: number[]; rest: number; scanned: number } {
    const cuts: number[] = [];
    let at = 0;
    for (let scanned = firstScanned; ; scanned = 0) {
      const length = this.#chunker!.findCut(slab + at, scanned, total - at);
      if (length === 0) return { cuts, rest: total - at, scanned: total - at };
      cuts.push(length);
      at += length;
    }
  }

  #seal(job: SealJob): SealReply {
    const ids: Id[] = [];
    const blobs: (NewChunk | undefined)[] = [];
    for (const { offset, length } of job.chunks) {
      const plain = this.#memory.subarray(offset, offset + length);
      const id = sha256(plain);
      ids.push(id);
      blobs.push(this.#index!.has('data', id) ? undefined : this.#sealChunk(id, plain, offset));
    }
    return { ids, blobs };
  }

  #sealChunk(id: Id, plain: Uint8Array, offset: number): NewChunk {
    const { sealed, frame, uncompressedLength } = sealBlobInPlace(
      this.#sealer,
      'data',
      id,
      plain,
      this.#setup.codec,
    );
    return {
      id,
      plainLength: plain.length,
      uncompressedLength,
      offset,
      length: sealed.length,
      frame: frame!,
    };
  }

  #sealNew(id: Id, plain: Uint8Array, out: Output): NewBlob | undefined {
    if (this.#index!.has('data', id)) return undefined;
    const offset = out.length;
    const place = (length: number) => out.place(length);
    const { sealed, uncompressedLength } = sealBlob(
      this.#sealer,
      'data',
      id,
      plain,
      this.#setup.codec,
      place,
    );
    return { id, plainLength: plain.length, uncompressedLength, offset, length: sealed.length };
  }
}
