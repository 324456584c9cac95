/**
 * The repository's files other than packs: sealed whole, compressed in version 2, named by the SHA-256 of what is
 * stored. Snapshots, indexes, locks and the config are such files; keys are stored in the clear.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Backend, CallOptions, FileInfo, ListOptions } from '../backend/backend.ts';
import { isCaching } from '../backend/cache.ts';
import type { Sealer } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import { type FileType, type Id, isId } from '../format/types.ts';
import { type Compression, compress, decompress } from '../util/zstd.ts';

/** What unfolds to more than this is no index, snapshot or lock that anybody wrote. */
const MAX_FILE_BYTES = 2 * 1024 ** 3;
/** The first byte of a compressed file; a plain one starts with JSON's '{' or '['. */
const COMPRESSED = 2;

export type SealedFileType = Exclude<FileType, 'pack' | 'key'>;

export interface SaveFileOptions extends CallOptions {
  readonly fromReserve?: boolean;
}

export class SealedFiles {
  readonly backend: Backend;
  readonly #sealer: Sealer;
  readonly #version: 1 | 2;
  readonly #compression: Compression;

  constructor(backend: Backend, sealer: Sealer, version: 1 | 2, compression: Compression) {
    this.backend = backend;
    this.#sealer = sealer;
    this.#version = version;
    this.#compression = compression;
  }

  /** The plain content. Errors: 'not-found', 'damaged', and the backend's. */
  async load(type: SealedFileType, id: Id | '', o?: CallOptions): Promise<Uint8Array> {
    const stored = await loadVerified(this.backend, type, id, o);
    try {
      const plain = this.#sealer.open(stored);
      return type === 'config' ? plain : this.#unfold(plain);
    } catch (cause) {
      throw damaged(type, id, cause);
    }
  }

  /** Seals, proves that it opens again, stores; returns the name. Errors: the backend's. */
  async save(type: SealedFileType, plain: Uint8Array, o?: SaveFileOptions): Promise<Id> {
    const sealed = this.#sealer.seal(type === 'config' ? plain : this.#fold(plain));
    this.#prove(type, sealed, plain);
    const id = sha256(sealed);
    await this.backend.save({ type, name: type === 'config' ? '' : id }, [sealed], o);
    return id;
  }

  async remove(type: FileType, id: Id, o?: CallOptions): Promise<void> {
    await this.backend.remove({ type, name: id }, o);
  }

  /** The files of a type whose names are ids; what else lies there is not ours. */
  async *list(type: FileType, o?: ListOptions): AsyncIterable<FileInfo & { readonly name: Id }> {
    for await (const file of this.backend.list(type, o)) {
      const { name } = file;
      if (isId(name)) yield { ...file, name };
    }
  }

  async ids(type: FileType, o?: CallOptions): Promise<Id[]> {
    const ids: Id[] = [];
    for await (const { name } of this.list(type, o)) ids.push(name);
    return ids.sort();
  }

  #fold(plain: Uint8Array): Uint8Array {
    if (this.#version < 2) return plain;
    return Buffer.concat([Uint8Array.of(COMPRESSED), compress(plain, this.#compression)]);
  }

  #unfold(stored: Uint8Array): Uint8Array {
    if (this.#version < 2 || stored.length === 0 || stored[0] === 0x5b || stored[0] === 0x7b) return stored;
    if (stored[0] !== COMPRESSED) throw new EngineError('damaged', 'The file has an unknown encoding.');
    return decompress(stored.subarray(1), MAX_FILE_BYTES);
  }

  #prove(type: SealedFileType, sealed: Uint8Array, plain: Uint8Array): void {
    const opened = this.#sealer.open(sealed);
    const back = type === 'config' ? opened : this.#unfold(opened);
    if (!Buffer.from(back.buffer, back.byteOffset, back.length).equals(plain)) {
      throw new EngineError(
        'internal',
        `A ${type} file did not survive its own sealing. This points to faulty memory.`,
      );
    }
  }
}

/**
 * The stored bytes, which must have the hash that is their name (config: none). A mismatch is read once more,
 * because a cable or a cache may be at fault rather than the file.
 */
export async function loadVerified(
  backend: Backend,
  type: FileType,
  id: Id | '',
  o?: CallOptions,
): Promise<Uint8Array> {
  const handle = { type, name: id };
  const first = await backend.load(handle, o);
  if (id === '' || sha256(first) === id) return first;
  if (isCaching(backend)) await backend.forget(handle);
  const second = await backend.load(handle, o);
  if (sha256(second) === id) return second;
  throw damaged(type, id, undefined);
}

function damaged(type: FileType, id: string, cause: unknown): EngineError {
  const reason = isEngineError(cause) ? ` ${cause.message}` : '';
  return new EngineError(
    'damaged',
    `The ${type} file${id ? ` ${id}` : ''} is damaged: its content does not fit its name or seal.${reason}`,
    { context: { type, id } },
    { cause },
  );
}
