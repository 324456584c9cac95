/**
 * Index files: in which pack each blob lies. An index may list a million blobs, so it is read by a visitor, without
 * an object for each of them; `parseIndex` collects them for callers that want values.
 *
 * Forms that are read: `{"packs":[…]}` with or without `supersedes`, with keys in any order, and the bare list of
 * packs from restic's first year.
 */
import { ID_BYTES, idFromBytes } from './id.ts';
import { JsonScanner } from './json-scanner.ts';
import type { BlobType, Id, IndexFile, IndexPack, PackedBlob } from './types.ts';

const WHAT = 'an index';

/** Characters that are gathered before they become bytes. */
const PIECE = 1 << 20;

export interface IndexVisitor {
  /** An older index that this one replaces. Only old versions of restic wrote such. */
  onSupersedes?(id: Id): void;
  /** Comes before the pack's blobs. */
  onPack?(id: Id): void;
  /** `id` is 32 bytes in a buffer that the next call overwrites; `uncompressedLength` is 0 for a plain blob. */
  onBlob?(id: Uint8Array, type: BlobType, offset: number, length: number, uncompressedLength: number): void;
}

/** Walks through an index file (opened and unpacked). Error: 'damaged', perhaps after some calls were made. */
export function visitIndex(bytes: Uint8Array, visitor: IndexVisitor): void {
  const scanner = new JsonScanner(bytes, WHAT);
  const reader = new IndexReader(bytes, visitor);
  if (scanner.startsList()) reader.packs(scanner);
  else reader.index(scanner);
  scanner.expectEnd();
}

class IndexReader {
  readonly #bytes: Uint8Array;
  readonly #visitor: IndexVisitor;
  readonly #id = new Uint8Array(ID_BYTES);
  /** What the blob at hand has shown so far; -1 and '' for nothing yet. */
  #seenId = false;
  #type: BlobType | '' = '';
  #offset = -1;
  #length = -1;
  #uncompressed = 0;

  constructor(bytes: Uint8Array, visitor: IndexVisitor) {
    this.#bytes = bytes;
    this.#visitor = visitor;
  }

  index(scanner: JsonScanner): void {
    scanner.object((key) => {
      if (key === 'packs') this.packs(scanner);
      else if (key === 'supersedes') scanner.list(() => this.#supersedes(scanner));
      else scanner.skip();
    });
  }

  #supersedes(scanner: JsonScanner): void {
    const id = this.#takeId(scanner);
    this.#visitor.onSupersedes?.(id);
  }

  packs(scanner: JsonScanner): void {
    scanner.list(() => this.#pack(scanner));
  }

  /** Blobs that stand before the id of their pack are passed over and read once it is known. */
  #pack(scanner: JsonScanner): void {
    let known = false;
    let postponed = -1;
    scanner.object((key) => {
      if (key === 'id') {
        if (known) scanner.fail('has a pack with two ids');
        known = true;
        const id = this.#takeId(scanner);
        this.#visitor.onPack?.(id);
      } else if (key !== 'blobs') scanner.skip();
      else if (known) this.#blobs(scanner);
      else {
        if (postponed >= 0) scanner.fail('has a pack with two lists of blobs');
        postponed = scanner.position;
        scanner.skip();
      }
    });
    if (!known) scanner.fail('has a pack without an id');
    if (postponed >= 0) this.#blobs(new JsonScanner(this.#bytes, WHAT, postponed));
  }

  #takeId(scanner: JsonScanner): Id {
    scanner.id(this.#id);
    return idFromBytes(this.#id);
  }

  #blobs(scanner: JsonScanner): void {
    const member = (key: string): void => this.#blobMember(scanner, key);
    scanner.list(() => {
      this.#seenId = false;
      this.#type = '';
      this.#offset = -1;
      this.#length = -1;
      this.#uncompressed = 0;
      scanner.object(member);
      this.#deliver(scanner);
    });
  }

  #blobMember(scanner: JsonScanner, key: string): void {
    switch (key) {
      case 'id':
        scanner.id(this.#id);
        this.#seenId = true;
        break;
      case 'type':
        this.#type = blobType(scanner);
        break;
      case 'offset':
        this.#offset = scanner.uint32();
        break;
      case 'length':
        this.#length = scanner.uint32();
        break;
      case 'uncompressed_length':
        this.#uncompressed = scanner.uint32();
        break;
      default:
        scanner.skip();
    }
  }

  #deliver(scanner: JsonScanner): void {
    if (!this.#seenId || this.#type === '' || this.#offset < 0 || this.#length < 0) {
      scanner.fail('has a blob that lacks its id, type, offset or length');
    }
    this.#visitor.onBlob?.(this.#id, this.#type, this.#offset, this.#length, this.#uncompressed);
  }
}

function blobType(scanner: JsonScanner): BlobType {
  const type = scanner.text();
  if (type !== 'data' && type !== 'tree') scanner.fail('has a blob of an unknown type');
  return type;
}

/** The whole index as values. Error: 'damaged'. */
export function parseIndex(bytes: Uint8Array): IndexFile {
  const supersedes: Id[] = [];
  const packs: { readonly id: Id; readonly blobs: PackedBlob[] }[] = [];
  visitIndex(bytes, {
    onSupersedes: (id) => supersedes.push(id),
    onPack: (id) => packs.push({ id, blobs: [] }),
    onBlob: (id, type, offset, length, uncompressedLength) => {
      packs.at(-1)!.blobs.push({ id: idFromBytes(id), type, offset, length, uncompressedLength });
    },
  });
  return { supersedes, packs };
}

/** The index file as restic's JSON, with a newline at its end. Takes packs and blobs in the order they come. */
export function serializeIndex(packs: Iterable<IndexPack>, supersedes: readonly Id[] = []): Buffer {
  const pieces: Buffer[] = [];
  let text = supersedes.length === 0 ? '{"packs":[' : `{"supersedes":["${supersedes.join('","')}"],"packs":[`;
  let separator = '';
  for (const pack of packs) {
    text += `${separator}{"id":"${pack.id}","blobs":[${pack.blobs.map(serializeBlob).join(',')}]}`;
    separator = ',';
    if (text.length < PIECE) continue;
    pieces.push(Buffer.from(text, 'latin1'));
    text = '';
  }
  pieces.push(Buffer.from(`${text}]}\n`, 'latin1'));
  return Buffer.concat(pieces);
}

function serializeBlob(b: PackedBlob): string {
  const uncompressed = b.uncompressedLength === 0 ? '' : `,"uncompressed_length":${b.uncompressedLength}`;
  return `{"id":"${b.id}","type":"${b.type}","offset":${b.offset},"length":${b.length}${uncompressed}}`;
}
