/**
 * Blobs from pack to pack, within one repository or from one to another, without a look into files.
 *
 * span    neighbouring blobs of a pack that are read in one piece
 * again   sealed anew for the target's key, or to be compressed; else the sealed bytes are taken over as they are
 *
 * Every blob is opened and compared with its name on the way. One that is damaged is looked for in other packs.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { Sealer } from '../crypto/sealer.ts';
import { forEachLimit } from '../util/semaphore.ts';
import { type CodecOptions, openBlob, type SealedBlob, sealBlob } from '../workers/blob-codec.ts';
import { WorkerPool } from '../workers/pool.ts';
import type { ResealJob, ResealReply } from '../workers/protocol.ts';
import { reseal } from '../workers/reseal.ts';
import type { BlobIndex, BlobLocation } from './blob-index.ts';
import type { BlobWriter } from './blob-writer.ts';
import type { IndexedRepository, Repository } from './repository.ts';

/** Bytes that nobody needs are read along up to this many, rather than asking the storage once more. */
const GAP_BYTES = 256 * 1024;
/** A span is closed when it has grown to this. */
const SPAN_BYTES = 16 * 1024 * 1024;
/** Spans in memory at once. */
const MOST_SPANS = 3;
/** Less than this is done in this thread: others take longer to start. */
const POOL_FROM_BYTES = 8 * 1024 * 1024;

export interface TransferOptions extends CallOptions {
  readonly from: IndexedRepository;
  readonly to: Repository;
  readonly writer: BlobWriter;
  /** Numbers of entries of the source's index: one copy of each blob to bring over. */
  readonly entries: Uint32Array;
  readonly again: (at: BlobLocation) => boolean;
  /** Store blobs that the target has already: the old copies are about to go. */
  readonly duplicate: boolean;
  /** How to seal; the target's own way if absent. */
  readonly codec?: CodecOptions;
  readonly threads?: number;
  /** After each pack that was gone through. */
  readonly onPack?: () => void;
}

/**
 * Brings all blobs over into the writer's packs; the caller flushes it.
 * Errors: 'damaged' for a blob that is whole in no pack; those of both backends; the signal's reason.
 */
export async function transferBlobs(o: TransferOptions): Promise<void> {
  const { index } = o.from;
  const bytes = o.entries.reduce((sum, entry) => sum + index.lengthOf(entry), 0);
  const run = new Transfer(o, bytes >= POOL_FROM_BYTES);
  try {
    const limit = Math.min(MOST_SPANS, o.from.repository.backend.traits.connections);
    await forEachLimit(packsOf(index, o.entries), limit, (pack) => run.pack(pack));
  } finally {
    await run.close();
  }
}

/** The entries, pack by pack, each pack's in the order of their offsets. */
function* packsOf(index: BlobIndex, entries: Uint32Array): Generator<Uint32Array> {
  const sorted = entries
    .slice()
    .sort((a, b) => index.packNumberOf(a) - index.packNumberOf(b) || index.offsetOf(a) - index.offsetOf(b));
  let start = 0;
  for (let i = 1; i <= sorted.length; i++) {
    if (i < sorted.length && index.packNumberOf(sorted[i]!) === index.packNumberOf(sorted[start]!)) continue;
    yield sorted.subarray(start, i);
    start = i;
  }
}

/** Runs of blobs without large gaps. */
function* spansOf(blobs: readonly BlobLocation[]): Generator<readonly BlobLocation[]> {
  let span: BlobLocation[] = [];
  for (const blob of blobs) {
    const last = span.at(-1);
    const gap = last ? blob.offset - (last.offset + last.length) : 0;
    const size = last ? blob.offset + blob.length - span[0]!.offset : 0;
    if (last && (gap > GAP_BYTES || size > SPAN_BYTES)) {
      yield span;
      span = [];
    }
    span.push(blob);
  }
  if (span.length > 0) yield span;
}

class Transfer {
  readonly #o: TransferOptions;
  readonly #codec: CodecOptions;
  readonly #pool: WorkerPool | undefined;
  readonly #source: Sealer;

  constructor(o: TransferOptions, large: boolean) {
    this.#o = o;
    this.#codec = o.codec ?? o.to.codec;
    this.#source = new Sealer(o.from.repository.key.master);
    const keys = { key: o.to.key.master, sourceKey: o.from.repository.key.master };
    this.#pool = large ? new WorkerPool({ ...keys, codec: this.#codec }, o.threads) : undefined;
  }

  async pack(entries: Uint32Array): Promise<void> {
    const blobs = Array.from(entries, (entry) => this.#o.from.index.at(entry));
    for (const span of spansOf(blobs)) {
      this.#o.signal?.throwIfAborted();
      await this.#span(span);
    }
    this.#o.onPack?.();
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  async #span(span: readonly BlobLocation[]): Promise<void> {
    const [first, last] = [span[0]!, span.at(-1)!];
    const data = await this.#load(first, last.offset + last.length - first.offset);
    if (!data) {
      for (const blob of span) await this.#fromElsewhere(blob);
      return;
    }
    const blobs = span.map(({ id, type, offset, length, uncompressedLength }, i) => ({
      ...{ id, type, offset: offset - first.offset, length, uncompressedLength },
      again: this.#o.again(span[i]!),
    }));
    const reply = await this.#reseal({ kind: 'reseal', data: transferable(data), blobs });
    const damaged = new Set(reply.damaged.map(({ blob }) => blob));
    for (const [i, blob] of span.entries()) {
      if (damaged.has(i)) await this.#fromElsewhere(blob);
      else await this.#add(blob, reply, i, first.offset);
    }
  }

  /** The bytes, or undefined where the pack does not have them. */
  async #load(first: BlobLocation, length: number): Promise<Uint8Array | undefined> {
    try {
      const handle = { type: 'pack', name: first.pack } as const;
      return await this.#o.from.repository.backend.load(handle, {
        ...this.#signal(),
        offset: first.offset,
        length,
      });
    } catch (e) {
      if (!isEngineError(e, 'not-found', 'range')) throw e;
      return undefined;
    }
  }

  #reseal(job: ResealJob): Promise<ResealReply> | ResealReply {
    if (this.#pool) return this.#pool.run(job, { transfer: [job.data.buffer as ArrayBuffer] });
    return reseal({ source: this.#source, target: this.#o.to.sealer, codec: this.#codec }, job);
  }

  async #add(blob: BlobLocation, reply: ResealReply, i: number, base: number): Promise<void> {
    const { id, type, uncompressedLength } = blob;
    const anew = reply.sealed[i];
    const [from, at] = anew ? [reply.buffer, anew] : [reply.data, blob];
    const offset = anew ? anew.offset : blob.offset - base;
    const sealed = from.subarray(offset, offset + at.length);
    await this.#store({
      id,
      type,
      sealed,
      uncompressedLength: anew?.uncompressedLength ?? uncompressedLength,
    });
  }

  async #store(blob: SealedBlob): Promise<void> {
    const plainLength = blob.uncompressedLength || blob.sealed.length;
    await this.#o.writer.add(blob, plainLength, this.#o.duplicate);
  }

  /** From another pack that holds a copy. Error: 'damaged' if none is whole. */
  async #fromElsewhere(blob: BlobLocation): Promise<void> {
    for (const copy of this.#o.from.index.copies(blob.type, blob.id)) {
      const plain = await this.#openCopy(copy);
      if (plain) return this.#store(sealBlob(this.#o.to.sealer, blob.type, blob.id, plain, this.#codec));
    }
    throw new EngineError(
      'damaged',
      `The ${blob.type} blob ${blob.id} is needed, but pack ${blob.pack} does not have it whole.`,
      {
        hint: 'Nothing was removed. Run "check --read-data" to learn what is affected, then "repair packs".',
        context: { blob: blob.id, type: blob.type, pack: blob.pack },
      },
    );
  }

  async #openCopy(copy: BlobLocation): Promise<Uint8Array | undefined> {
    // A copy in a pack that is still being built has no name yet.
    const sealed = copy.pack ? await this.#load(copy, copy.length) : undefined;
    if (!sealed) return undefined;
    try {
      return openBlob(this.#source, copy.id, sealed, copy.uncompressedLength);
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      return undefined;
    }
  }

  #signal(): CallOptions {
    return this.#o.signal ? { signal: this.#o.signal } : {};
  }
}

/** Bytes that own their buffer, which can then be handed to another thread. */
function transferable(data: Uint8Array): Uint8Array {
  return data.byteLength === data.buffer.byteLength ? data : Uint8Array.from(data);
}
