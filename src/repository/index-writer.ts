/**
 * Writes down which blobs lie in which stored packs. A pack enters only when it has been stored; an index file is
 * written when enough has gathered, and at the end. Losing an unwritten one loses no data: the packs' own headers
 * say the same.
 */
import type { CallOptions } from '../backend/backend.ts';
import { serializeIndex } from '../format/index-file.ts';
import type { Id, IndexPack } from '../format/types.ts';
import type { SealedFiles } from './sealed-files.ts';

/** restic's size of a full index file. */
const FULL_BLOBS = 50_000;

export interface IndexWriterOptions extends CallOptions {
  readonly fromReserve?: boolean;
}

export class IndexWriter {
  readonly #files: SealedFiles;
  readonly #o: IndexWriterOptions;
  readonly #saved: Id[] = [];
  #packs: IndexPack[] = [];
  #blobs = 0;

  constructor(files: SealedFiles, o: IndexWriterOptions = {}) {
    this.#files = files;
    this.#o = o;
  }

  /** The index files written so far. */
  get saved(): readonly Id[] {
    return this.#saved;
  }

  async add(pack: IndexPack): Promise<void> {
    this.#packs.push(pack);
    this.#blobs += pack.blobs.length;
    if (this.#blobs >= FULL_BLOBS) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#packs.length === 0) return;
    const packs = this.#packs;
    this.#packs = [];
    this.#blobs = 0;
    const content = serializeIndex(packs);
    this.#saved.push(await this.#files.save('index', content, this.#o));
  }
}
