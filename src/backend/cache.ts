/**
 * Keeps on the local disk what is read again in each run: index and snapshot files whole, and the ranges of packs
 * that a caller marks as cacheable (trees). Locks, keys and the config are never kept.
 *
 * entry    one kept file: `<dir>/<repository id>/{index,snapshots}/<name>`, or
 *          `<dir>/<repository id>/data/<two digits>/<name>.<offset>-<length>` with a SHA-256 before the bytes
 *
 * An entry is proven before each use: an index or snapshot by its name, which is the SHA-256 of its bytes, a range
 * by its own sum. One that fails is dropped and the storage is asked. A cache that can't be written or read (full
 * disk, no rights) costs time, never a call.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileType, Id } from '../format/types.ts';
import {
  type Backend,
  type CallOptions,
  type FileInfo,
  type Handle,
  type LoadOptions,
  passOn,
} from './backend.ts';
import { spanOf } from './calls.ts';
import { folderOf, segmentsOf } from './layout.ts';
import { replaceFile } from './local/write-file.ts';

export interface CachingBackend extends Backend {
  /**
   * Drops what is kept of a file, and keeps nothing of it again while this backend lives: for a caller to whom the
   * bytes looked damaged, before it loads once more from the storage.
   */
  forget(h: Handle): Promise<void>;
}

export interface CacheOptions {
  /** Told once, when the cache stops keeping anything because its disk refuses. */
  readonly onProblem?: (error: unknown) => void;
}

/** Lets `forget` be found behind the plain interface. */
export function isCaching(b: Backend): b is CachingBackend {
  return 'forget' in b && typeof b.forget === 'function';
}

type Kept = 'index' | 'snapshot' | 'pack';

const SUM_BYTES = 32;
const TAG =
  'Signature: 8a477f597d28d172789f06886806bc55\n# Copies of files of a backup repository. They can be deleted.\n';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const isKept = (type: FileType): type is Kept => type === 'index' || type === 'snapshot' || type === 'pack';

/** The folder of one repository's entries. Its methods never fail: they miss. */
class Entries {
  readonly #base: string;
  readonly #root: string;
  readonly #onProblem: (error: unknown) => void;
  readonly #forgotten = new Set<string>();
  #writable = true;

  constructor(base: string, id: Id, onProblem: (error: unknown) => void) {
    this.#base = base;
    this.#root = join(base, id);
    this.#onProblem = onProblem;
  }

  async wholeFile(h: Handle): Promise<Buffer | undefined> {
    const bytes = await this.#read(this.#pathOf(h));
    if (bytes === undefined || sha256(bytes).toString('hex') === h.name) return bytes;
    await this.drop(h);
    return undefined;
  }

  /** Bytes that do not fit the name are damaged in the storage, and not kept. */
  async keepWhole(h: Handle, data: readonly Uint8Array[]): Promise<void> {
    const sum = createHash('sha256');
    for (const d of data) sum.update(d);
    if (sum.digest('hex') === h.name) await this.#write(h, this.#pathOf(h), data);
  }

  async range(h: Handle, offset: number, length: number): Promise<Uint8Array | undefined> {
    const path = this.#rangePath(h, offset, length);
    const entry = await this.#read(path);
    if (entry === undefined) return undefined;
    const bytes = entry.subarray(SUM_BYTES);
    if (bytes.length === length && sha256(bytes).equals(entry.subarray(0, SUM_BYTES))) return bytes;
    await fs.rm(path, { force: true }).catch(() => undefined);
    return undefined;
  }

  async keepRange(h: Handle, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#write(h, this.#rangePath(h, offset, bytes.length), [sha256(bytes), bytes]);
  }

  async drop(h: Handle): Promise<void> {
    const path = this.#pathOf(h);
    if (h.type !== 'pack') return void (await fs.rm(path, { force: true }).catch(() => undefined));
    const folder = dirname(path);
    const entries = (await this.#namesIn(folder)).filter((n) => n.startsWith(h.name));
    for (const n of entries) await fs.rm(join(folder, n), { force: true }).catch(() => undefined);
  }

  async forget(h: Handle): Promise<void> {
    this.#forgotten.add(`${h.type}/${h.name}`);
    await this.drop(h);
  }

  /** Drops all entries of files that are not in `present`, and what broken-off writes left. */
  async keepOnly(type: Kept, present: ReadonlySet<string>): Promise<void> {
    const top = join(this.#root, folderOf(type) ?? '');
    const folders = type === 'pack' ? (await this.#namesIn(top)).map((n) => join(top, n)) : [top];
    for (const folder of folders) {
      for (const entry of await this.#namesIn(folder)) {
        if (present.has(entry.slice(0, 64)) && !entry.includes('-tmp-')) continue;
        await fs.rm(join(folder, entry), { force: true }).catch(() => undefined);
      }
    }
  }

  #pathOf(h: Handle): string {
    return join(this.#root, ...segmentsOf(h));
  }

  #rangePath(h: Handle, offset: number, length: number): string {
    return `${this.#pathOf(h)}.${offset}-${length}`;
  }

  async #namesIn(folder: string): Promise<readonly string[]> {
    return fs.readdir(folder).catch(() => []);
  }

  async #read(path: string): Promise<Buffer | undefined> {
    return fs.readFile(path).catch(() => undefined);
  }

  async #write(h: Handle, path: string, data: readonly Uint8Array[]): Promise<void> {
    if (!this.#writable || this.#forgotten.has(`${h.type}/${h.name}`)) return;
    try {
      await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await replaceFile(path, data, { sync: false, mode: 0o600 });
      await this.#tag();
    } catch (e) {
      this.#writable = false;
      this.#onProblem(e);
    }
  }

  #tagged = false;

  /** Marks the folder as one that backups leave out. See https://bford.info/cachedir/ */
  async #tag(): Promise<void> {
    if (this.#tagged) return;
    this.#tagged = true;
    await fs
      .writeFile(join(this.#base, 'CACHEDIR.TAG'), TAG, { flag: 'wx', mode: 0o600 })
      .catch(() => undefined);
  }
}

async function loadWhole(inner: Backend, entries: Entries, h: Handle, o: LoadOptions | undefined) {
  let bytes: Uint8Array | undefined = await entries.wholeFile(h);
  if (bytes === undefined) {
    bytes = await inner.load(h, o?.signal === undefined ? {} : { signal: o.signal });
    await entries.keepWhole(h, [bytes]);
  }
  const { offset, length } = spanOf(h, bytes.length, o);
  return bytes.subarray(offset, offset + length);
}

async function loadRange(inner: Backend, entries: Entries, h: Handle, o: LoadOptions, length: number) {
  const offset = o.offset ?? 0;
  const kept = await entries.range(h, offset, length);
  if (kept !== undefined) return kept;
  const bytes = await inner.load(h, o);
  await entries.keepRange(h, offset, bytes);
  return bytes;
}

async function* listAndEvict(
  inner: Backend,
  entries: Entries,
  type: Kept,
  o: CallOptions | undefined,
): AsyncGenerator<FileInfo> {
  const present = new Set<string>();
  for await (const file of inner.list(type, o)) {
    present.add(file.name);
    yield file;
  }
  // Reached only when the storage told all and the reader heard all.
  await entries.keepOnly(type, present);
}

/** Keeps entries for the repository `id` below `dir`, which may serve many repositories at once. */
export function cache(dir: string, id: Id, o: CacheOptions = {}): (inner: Backend) => CachingBackend {
  return (inner) => {
    const entries = new Entries(dir, id, o.onProblem ?? (() => undefined));
    return {
      location: inner.location,
      traits: inner.traits,
      async save(h, data, c) {
        await inner.save(h, data, c);
        if (h.type === 'index' || h.type === 'snapshot') await entries.keepWhole(h, data);
      },
      async load(h, c) {
        segmentsOf(h);
        if (c?.signal?.aborted) return inner.load(h, c);
        if (h.type === 'index' || h.type === 'snapshot') return loadWhole(inner, entries, h, c);
        const { cacheable, length } = c ?? {};
        if (h.type !== 'pack' || !cacheable || length === undefined) return inner.load(h, c);
        return loadRange(inner, entries, h, c ?? {}, length);
      },
      stat: (h, c) => inner.stat(h, c),
      list: (type, c) => (isKept(type) ? listAndEvict(inner, entries, type, c) : inner.list(type, c)),
      async remove(h, c) {
        await inner.remove(h, c);
        if (isKept(h.type)) await entries.drop(h);
      },
      forget: (h) => entries.forget(h),
      ...passOn(inner),
      close: () => inner.close(),
    };
  };
}
