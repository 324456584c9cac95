/**
 * Writes down which blobs lie in which stored packs. A pack enters only when it has been stored; an index file is
 * written when enough has gathered, and at the end. Losing an unwritten one loses no data: the packs' own headers
 * say the same.
 */
import type { CallOptions } from '../backend/backend.ts';
import { serializeIndex } from '../format/index-file.ts';
import type { Id, IndexPack } from '../format/types.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import type { SealedFiles } from './sealed-files.ts';

/** restic's size of a full index file, and how long it lets packs wait for theirs. */
const FULL_BLOBS = 50_000;
const LONGEST_WAIT_MS = 10 * 60_000;

export interface IndexWriterOptions extends CallOptions {
  readonly fromReserve?: boolean;
  readonly clock?: Clock;
}

export class IndexWriter {
  readonly #files: SealedFiles;
  readonly #o: IndexWriterOptions;
  readonly #saved: Id[] = [];
  #packs: IndexPack[] = [];
  #blobs = 0;
  #oldest = 0;
  readonly #clock: Clock;

  constructor(files: SealedFiles, o: IndexWriterOptions = {}) {
    const { clock = systemClock, ...callOptions } = o;
    this.#files = files;
    this.#o = callOptions;
    this.#clock = clock;
  }

  /** The index files written so far. */
  get saved(): readonly Id[] {
    return this.#saved;
  }

  async add(pack: IndexPack): Promise<void> {
    if (this.#packs.length === 0) this.#oldest = this.#clock.now();
    this.#packs.push(pack);
    this.#blobs += pack.blobs.length;
    const full = this.#blobs >= FULL_BLOBS || this.#clock.now() - this.#oldest >= LONGEST_WAIT_MS;
    if (full) await this.flush();
  }

  /** Writes what has gathered. What could not be written stays for the next try. */
  async flush(o: CallOptions & { readonly fromReserve?: boolean } = this.#o): Promise<void> {
    if (this.#packs.length === 0) return;
    const packs = this.#packs;
    this.#packs = [];
    this.#blobs = 0;
    try {
      this.#saved.push(await this.#files.save('index', serializeIndex(packs), o));
    } catch (e) {
      this.#packs = [...packs, ...this.#packs];
      throw e;
    }
  }
}
