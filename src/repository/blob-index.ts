/**
 * Where every blob lies, in shared memory: worker threads ask it without a message, and a million blobs take
 * about 60 MB and no garbage collection.
 *
 * entry   12 words: the id (8), kind and pack (1), offset, sealed length, uncompressed length (0: plain)
 * slot    one word of the hash table: entry number + 1, or 0; linear probing, at most half full
 * copies  a blob may lie in several packs; each copy is an entry, found in the order of insertion
 *
 * One thread (the owner) writes; others may read at any time: an entry is written before its slot is, and neither
 * ever moves. When a table is full the owner makes a larger one and hands it out; a reader with the old one only
 * knows less.
 */
import { EngineError } from '../api/errors.ts';
import { type BlobType, type Id, type PackedBlob, SEAL_OVERHEAD } from '../format/types.ts';
import type { SharedIndexBuffers } from '../workers/protocol.ts';
import {
  ID_WORDS,
  idWords,
  KIND_PACK,
  SharedIndexReader,
  TREE_BIT,
  ENTRY_WORDS as WORDS,
} from '../workers/shared-index.ts';

const OFFSET = 9;
const LENGTH = 10;
const UNCOMPRESSED = 11;
const LEAST_CAPACITY = 1024;
/** The name of a pack that is still being built. */
const UNNAMED = '' as Id;

type Place = Omit<PackedBlob, 'id'>;

/** A blob and the pack that holds this copy. */
export interface BlobLocation extends PackedBlob {
  readonly pack: Id;
}

function wordsToId(words: Uint32Array, at: number): Id {
  let hex = '';
  for (let i = 0; i < ID_WORDS; i++) hex += words[at + i]!.toString(16).padStart(8, '0');
  return hex as Id;
}

/** The owner's side. */
export class BlobIndex {
  #shared: SharedIndexBuffers;
  #reader: SharedIndexReader;
  #entries: Uint32Array;
  #slots: Uint32Array;
  #count = 0;
  readonly #packs: Id[] = [];
  readonly #packNumbers = new Map<Id, number>();
  readonly #probe = new Uint32Array(ID_WORDS);
  /** Hears of each new pair of buffers, so that workers can be given them. */
  onGrow: ((shared: SharedIndexBuffers) => void) | undefined;

  constructor(capacity: number = LEAST_CAPACITY) {
    this.#shared = allocate(Math.max(LEAST_CAPACITY, capacity));
    [this.#entries, this.#slots, this.#reader] = views(this.#shared);
  }

  get shared(): SharedIndexBuffers {
    return this.#shared;
  }

  /** How many entries there are, copies included. */
  get size(): number {
    return this.#count;
  }

  get packs(): readonly Id[] {
    return this.#packs;
  }

  hasPack(pack: Id): boolean {
    return this.#packNumbers.has(pack);
  }

  /** The place of a pack in `packs`. */
  numberOfPack(pack: Id): number | undefined {
    return this.#packNumbers.get(pack);
  }

  has(type: BlobType, id: Id): boolean {
    return this.#reader.has(type, id);
  }

  /** The first copy of a blob. */
  get(type: BlobType, id: Id): BlobLocation | undefined {
    const entry = this.#reader.find(type, idWords(id, this.#probe), 0);
    return entry < 0 ? undefined : this.at(entry, id);
  }

  /** All copies of a blob. */
  copies(type: BlobType, id: Id): BlobLocation[] {
    const found: BlobLocation[] = [];
    const words = idWords(id);
    for (let skip = 0; ; skip++) {
      const entry = this.#reader.find(type, words, skip);
      if (entry < 0) return found;
      found.push(this.at(entry));
    }
  }

  /** The number of the first copy's entry (0 … size-1), or -1: a compact name for marks kept beside the index. */
  entryOf(type: BlobType, id: Id): number {
    return this.#reader.find(type, idWords(id, this.#probe), 0);
  }

  /** The entry with that number. Whoever knows its id says it, and saves the time to spell it again. */
  at(entry: number, id?: Id): BlobLocation {
    const at = entry * WORDS;
    const e = this.#entries;
    const kindPack = e[at + KIND_PACK]!;
    return {
      id: id ?? wordsToId(e, at),
      type: kindPack & TREE_BIT ? 'tree' : 'data',
      pack: this.#packs[kindPack & 0x7fff_ffff]!,
      offset: e[at + OFFSET]!,
      length: e[at + LENGTH]!,
      uncompressedLength: e[at + UNCOMPRESSED]!,
    };
  }

  /** The number of the first copy of the blob that this entry is a copy of: `entryOf`, without the detour of an id. */
  firstOf(entry: number): number {
    const at = entry * WORDS;
    return this.#reader.find(this.typeOf(entry), this.#entries.subarray(at, at + ID_WORDS), 0);
  }

  /** Which of `packs` holds this copy. */
  packNumberOf(entry: number): number {
    return this.#entries[entry * WORDS + KIND_PACK]! & 0x7fff_ffff;
  }

  typeOf(entry: number): BlobType {
    return this.#entries[entry * WORDS + KIND_PACK]! & TREE_BIT ? 'tree' : 'data';
  }

  offsetOf(entry: number): number {
    return this.#entries[entry * WORDS + OFFSET]!;
  }

  /** Sealed bytes. */
  lengthOf(entry: number): number {
    return this.#entries[entry * WORDS + LENGTH]!;
  }

  isCompressed(entry: number): boolean {
    return this.#entries[entry * WORDS + UNCOMPRESSED]! !== 0;
  }

  /** Bytes of the blob when it is opened and unfolded. */
  plainLengthOf(entry: number): number {
    const at = entry * WORDS;
    return this.#entries[at + UNCOMPRESSED]! || this.#entries[at + LENGTH]! - SEAL_OVERHEAD;
  }

  *[Symbol.iterator](): IterableIterator<BlobLocation> {
    for (let entry = 0; entry < this.#count; entry++) yield this.at(entry);
  }

  /** Adds a copy; the same copy twice is kept once. */
  add(pack: Id, blob: PackedBlob): void {
    const words = idWords(blob.id, this.#probe);
    const number = this.#packNumber(pack);
    if (!this.#isKnown(blob, words, number)) this.#append(blob, words, number);
  }

  /** The same for many blobs of one pack, with ids as 32 bytes that may be overwritten afterwards. */
  adder(
    pack: Id,
  ): (id: Uint8Array, type: BlobType, offset: number, length: number, uncompressed: number) => void {
    const number = this.#packNumber(pack);
    const words = this.#probe;
    return (id, type, offset, length, uncompressedLength) => {
      const view = new DataView(id.buffer, id.byteOffset, 32);
      for (let i = 0; i < ID_WORDS; i++) words[i] = view.getUint32(i * 4);
      const place = { type, offset, length, uncompressedLength };
      if (!this.#isKnown(place, words, number)) this.#append(place, words, number);
    };
  }

  /** A number for a pack that is still being built and has no name yet. */
  openPack(): number {
    this.#packs.push(UNNAMED);
    return this.#packs.length - 1;
  }

  /** Adds a blob of a pack that is being built. */
  addToOpenPack(number: number, blob: PackedBlob): void {
    this.#append(blob, idWords(blob.id, this.#probe), number);
  }

  /** The pack has been finished and stored under this name. */
  namePack(number: number, pack: Id): void {
    this.#packs[number] = pack;
    this.#packNumbers.set(pack, number);
  }

  #packNumber(pack: Id): number {
    let number = this.#packNumbers.get(pack);
    if (number === undefined) {
      number = this.#packs.length;
      if (number >= TREE_BIT) throw new EngineError('unsupported', 'The repository has too many packs.');
      this.#packs.push(pack);
      this.#packNumbers.set(pack, number);
    }
    return number;
  }

  #isKnown(blob: Place, words: Uint32Array, packNumber: number): boolean {
    for (let skip = 0; ; skip++) {
      const entry = this.#reader.find(blob.type, words, skip);
      if (entry < 0) return false;
      const at = entry * WORDS;
      const samePack = (this.#entries[at + KIND_PACK]! & 0x7fff_ffff) === packNumber;
      if (samePack && this.#entries[at + OFFSET] === blob.offset) return true;
    }
  }

  #append(blob: Place, words: Uint32Array, packNumber: number): void {
    if ((this.#count + 1) * 2 > this.#slots.length) this.#grow();
    const at = this.#count * WORDS;
    const e = this.#entries;
    e.set(words, at);
    e[at + KIND_PACK] = (blob.type === 'tree' ? TREE_BIT : 0) | packNumber;
    e[at + OFFSET] = blob.offset;
    e[at + LENGTH] = blob.length;
    e[at + UNCOMPRESSED] = blob.uncompressedLength;
    this.#count++;
    link(this.#slots, words[0]!, this.#count);
  }

  #grow(): void {
    const larger = allocate((this.#slots.length / 2) * 2);
    const [entries, slots, reader] = views(larger);
    entries.set(this.#entries.subarray(0, this.#count * WORDS));
    for (let entry = 0; entry < this.#count; entry++) link(slots, entries[entry * WORDS]!, entry + 1);
    [this.#shared, this.#entries, this.#slots, this.#reader] = [larger, entries, slots, reader];
    this.onGrow?.(larger);
  }
}

function allocate(capacity: number): SharedIndexBuffers {
  const rounded = 2 ** Math.ceil(Math.log2(capacity));
  return {
    entries: new SharedArrayBuffer(rounded * WORDS * 4),
    slots: new SharedArrayBuffer(rounded * 2 * 4),
  };
}

function views(shared: SharedIndexBuffers): [Uint32Array, Uint32Array, SharedIndexReader] {
  return [new Uint32Array(shared.entries), new Uint32Array(shared.slots), new SharedIndexReader(shared)];
}

/** Publishes an entry: an atomic store, so that a reader who sees the number sees the entry. */
function link(slots: Uint32Array, firstWord: number, number: number): void {
  const mask = slots.length - 1;
  let slot = firstWord & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  Atomics.store(slots, slot, number);
}
