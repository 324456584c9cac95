/**
 * A repository in a folder of this machine: a disk, a stick, a mounted network drive. Same files, names and rights
 * as restic's local backend.
 *
 * root        the repository's folder; every call makes sure that it is still the one that was opened
 * temporary   a file being written, `<name>-tmp-<digits>` beside its final name; lists never show it
 * reserve     a file that keeps room on the disk for the writes that free space (see reserve.ts)
 */
import type { Stats } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { EngineError, isEngineError } from '../../api/errors.ts';
import { type FileType, isId } from '../../format/types.ts';
import type {
  Backend,
  CallOptions,
  CleanOptions,
  FileInfo,
  Handle,
  LoadOptions,
  Traits,
} from '../backend.ts';
import { describe, notFound, outOfRange, type Span, spanOf, throwIfAborted, totalLength } from '../calls.ts';
import { allFolders, folderOf, newFolders, segmentsOf } from '../layout.ts';
import { errnoOf, fromErrno } from './errors.ts';
import { makeReserve, RESERVE_BYTES, shrinkReserve } from './reserve.ts';
import { type Root, watchRoot } from './root.ts';
import { replaceFile, syncFolder, TEMPORARY } from './write-file.ts';

export interface LocalOptions {
  /** Wait for the disk at each save; true unless told otherwise. Without it a power cut may lose what was saved. */
  readonly syncFiles?: boolean;
  /** Size of the reserve in bytes; 0 for none. 8 MiB unless told otherwise. */
  readonly reserveBytes?: number;
}

export interface LocalBackend extends Backend {
  cleanTemporary(o?: CleanOptions): Promise<number>;
}

interface Modes {
  readonly file: number;
  readonly folder: number;
}

const TRAITS: Traits = { connections: 4, atomicReplace: true, listLag: false };
const STATS_AT_ONCE = 32;
const READ_AT_ONCE = 16 << 20;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/** Read-only for the owner; and for the group, if it may read the config: restic's rule. */
async function modesFor(root: string): Promise<Modes> {
  const config = await fs.stat(join(root, 'config')).catch(() => undefined);
  const shared = config !== undefined && (config.mode & 0o040) !== 0;
  return shared ? { file: 0o440, folder: 0o770 } : { file: 0o400, folder: 0o700 };
}

function* chunksOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

async function readSpan(file: FileHandle, h: Handle, o: LoadOptions | undefined): Promise<Uint8Array> {
  const { size } = await file.stat();
  const span: Span = spanOf(h, size, o);
  // Not from Node's shared pool, so that the buffer can be handed to a worker.
  const bytes = Buffer.allocUnsafeSlow(span.length);
  for (let done = 0; done < span.length; ) {
    throwIfAborted(o?.signal);
    const want = Math.min(span.length - done, READ_AT_ONCE);
    const { bytesRead } = await file.read(bytes, done, want, span.offset + done);
    if (bytesRead === 0) throw outOfRange(h, span.offset + done, span);
    done += bytesRead;
  }
  return bytes;
}

class Local implements LocalBackend {
  readonly location: string;
  readonly traits = TRAITS;
  readonly #root: Root;
  readonly #modes: Modes;
  readonly #sync: boolean;
  readonly #reserveBytes: number;
  #changed = false;

  constructor(root: Root, modes: Modes, o: LocalOptions) {
    this.location = root.path;
    this.#root = root;
    this.#modes = modes;
    this.#sync = o.syncFiles ?? true;
    this.#reserveBytes = o.reserveBytes ?? RESERVE_BYTES;
  }

  async save(h: Handle, data: readonly Uint8Array[], o?: CallOptions): Promise<void> {
    const path = this.#pathOf(h);
    this.#changed = true;
    try {
      await this.#write(h, path, data, o);
    } catch (e) {
      if (!o?.fromReserve || !isEngineError(e, 'no-space')) throw e;
      await this.#writeFromReserve(h, path, data, o, e);
    }
    if (h.type === 'config') await this.#root.noteConfig();
  }

  /** Takes more and more of the reserve: some file systems give blocks back only in large pieces. */
  async #writeFromReserve(
    h: Handle,
    path: string,
    data: readonly Uint8Array[],
    o: CallOptions,
    noSpace: EngineError,
  ): Promise<void> {
    let last = noSpace;
    for (let bytes = totalLength(data); ; bytes = Math.max(1 << 16, bytes) * 4) {
      const shrink = shrinkReserve(this.#root.path, bytes);
      if (!(await this.#translate(shrink, 'make room from the reserve'))) throw last;
      try {
        return await this.#write(h, path, data, o);
      } catch (e) {
        if (!isEngineError(e, 'no-space')) throw e;
        last = e;
      }
    }
  }

  async load(h: Handle, o?: LoadOptions): Promise<Uint8Array> {
    const path = this.#pathOf(h);
    throwIfAborted(o?.signal);
    try {
      const file = await fs.open(path, 'r');
      try {
        return await readSpan(file, h, o);
      } finally {
        await file.close();
      }
    } catch (e) {
      throw await this.#failure(e, h, 'read');
    }
  }

  async stat(h: Handle, o?: CallOptions): Promise<FileInfo> {
    const path = this.#pathOf(h);
    throwIfAborted(o?.signal);
    try {
      const stats = await fs.stat(path);
      if (stats.isDirectory()) throw folderInPlace(path);
      return { name: h.name, size: stats.size };
    } catch (e) {
      throw await this.#failure(e, h, 'look at');
    }
  }

  async *list(type: FileType, o?: CallOptions): AsyncGenerator<FileInfo> {
    await this.#ready(o);
    if (type === 'config') yield* this.#statAll(this.location, ['config'], o);
    else {
      for (const folder of await this.#foldersOf(type)) {
        const names = (await this.#namesIn(folder)).filter((n) => this.#belongs(type, folder, n));
        yield* this.#statAll(folder, names, o);
      }
    }
    // A disk that went away half-way through must not pass for one that holds no more.
    await this.#root.check();
  }

  async remove(h: Handle, o?: CallOptions): Promise<void> {
    const path = this.#pathOf(h);
    await this.#ready(o);
    this.#changed = true;
    try {
      await fs.unlink(path);
      // The order in which prune removes things has a meaning after a power cut too; packs come last and are many.
      if (this.#sync && h.type !== 'pack') await syncFolder(dirname(path));
    } catch (e) {
      if (errnoOf(e) !== 'ENOENT') throw fromErrno(e, `remove ${describe(h)}`);
    }
  }

  /** Also makes the reserve anew, if this backend wrote, the reserve is missing and there is room. */
  async close(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    try {
      await this.#root.check();
      await makeReserve(this.#root.path, this.#reserveBytes);
    } catch {
      // The reserve is a courtesy to a later run; all that was saved is safe without it.
    }
  }

  async cleanTemporary(o: CleanOptions = {}): Promise<number> {
    await this.#ready(o);
    const before = (o.now ?? Date.now()) - (o.olderThanMs ?? WEEK_MS);
    let removed = 0;
    for (const folder of [[], ...allFolders()]) {
      throwIfAborted(o.signal);
      const path = join(this.location, ...folder);
      for (const name of (await this.#namesIn(path)).filter((n) => TEMPORARY.test(n))) {
        const found = await fs.lstat(join(path, name)).catch(() => undefined);
        if (!found?.isFile() || found.mtimeMs > before) continue;
        await this.#translate(fs.rm(join(path, name), { force: true }), `remove ${join(path, name)}`);
        removed++;
      }
    }
    return removed;
  }

  #pathOf(h: Handle): string {
    return join(this.location, ...segmentsOf(h));
  }

  async #ready(o: CallOptions | undefined): Promise<void> {
    throwIfAborted(o?.signal);
    await this.#root.check();
    throwIfAborted(o?.signal);
  }

  async #translate<T>(work: Promise<T>, doing: string): Promise<T> {
    return work.catch((e: unknown) => {
      throw fromErrno(e, doing);
    });
  }

  /** What an error means once it is known whether the repository is still there. */
  async #failure(e: unknown, h: Handle, verb: string): Promise<EngineError> {
    if (isEngineError(e)) return e;
    try {
      await this.#root.check();
    } catch (gone) {
      return fromErrno(gone, `${verb} ${describe(h)}`);
    }
    return errnoOf(e) === 'ENOENT' ? notFound(h, e) : fromErrno(e, `${verb} ${describe(h)}`);
  }

  async #write(h: Handle, path: string, data: readonly Uint8Array[], o: CallOptions | undefined) {
    await this.#ready(o);
    // Checked again with the file open: from then on the disk under it cannot be unmounted unnoticed.
    const how = {
      sync: this.#sync,
      mode: this.#modes.file,
      signal: o?.signal,
      opened: () => this.#root.check(),
    };
    const write = () => replaceFile(path, data, how);
    try {
      await write().catch(async (e: unknown) => {
        if (errnoOf(e) !== 'ENOENT') throw e;
        await this.#makeFolders(h);
        await write();
      });
    } catch (e) {
      const failure = fromErrno(e, `write ${describe(h)} (${totalLength(data)} bytes) to ${this.location}`);
      throw failure.code === 'not-found' ? await this.#failure(e, h, 'write') : failure;
    }
  }

  /** The folders above a file, from the root on: never the root itself. */
  async #makeFolders(h: Handle): Promise<void> {
    let path = this.location;
    for (const segment of segmentsOf(h).slice(0, -1)) {
      await this.#root.check();
      const parent = path;
      path = join(path, segment);
      await fs.mkdir(path, { mode: this.#modes.folder }).catch((e: unknown) => {
        if (errnoOf(e) !== 'EEXIST') throw e;
      });
      if (this.#sync) await syncFolder(parent);
    }
  }

  async #namesIn(path: string): Promise<readonly string[]> {
    try {
      return await fs.readdir(path);
    } catch (e) {
      if (errnoOf(e) !== 'ENOENT' && errnoOf(e) !== 'ENOTDIR') throw fromErrno(e, `list ${path}`);
      return [];
    }
  }

  async #foldersOf(type: FileType): Promise<readonly string[]> {
    const top = join(this.location, folderOf(type) ?? '');
    if (type !== 'pack') return [top];
    return (await this.#namesIn(top)).filter((n) => /^[0-9a-f]{2}$/.test(n)).map((n) => join(top, n));
  }

  /** Whether a name in a folder is a file that `load` would find again. */
  #belongs(type: FileType, folder: string, name: string): boolean {
    return isId(name) && (type !== 'pack' || folder.endsWith(name.slice(0, 2)));
  }

  async *#statAll(folder: string, names: readonly string[], o?: CallOptions): AsyncGenerator<FileInfo> {
    for (const some of chunksOf(names, STATS_AT_ONCE)) {
      throwIfAborted(o?.signal);
      const found = await Promise.all(some.map((n) => this.#statOrNothing(join(folder, n))));
      for (const [i, stats] of found.entries()) {
        if (stats?.isFile()) yield { name: some[i] === 'config' ? '' : some[i]!, size: stats.size };
      }
    }
  }

  /** Nothing for a file removed between the listing and this. */
  async #statOrNothing(path: string): Promise<Stats | undefined> {
    return fs.stat(path).catch((e: unknown) => {
      if (errnoOf(e) === 'ENOENT') return undefined;
      throw fromErrno(e, `look at ${path}`);
    });
  }
}

function fileInPlace(path: string): EngineError {
  return new EngineError('conflict', `${path} is a file; a repository is a folder.`, {
    hint: 'Choose a folder.',
  });
}

function folderInPlace(path: string): EngineError {
  return new EngineError('conflict', `${path} is a folder; a repository has a file there.`, {
    hint: 'Choose another folder.',
  });
}

/**
 * A repository's folder as a backend. Whether it holds a repository shows when its config is loaded.
 * Errors: repository-missing (no such folder), permission, unreachable, io.
 */
export async function openLocal(path: string, o: LocalOptions = {}): Promise<LocalBackend> {
  const root = resolve(path);
  try {
    const watched = await watchRoot(root);
    if (!(await fs.stat(root)).isDirectory()) throw fileInPlace(root);
    return new Local(watched, await modesFor(root), o);
  } catch (e) {
    if (errnoOf(e) !== 'ENOENT' && errnoOf(e) !== 'ENOTDIR') throw fromErrno(e, `open ${root}`);
    throw new EngineError(
      'repository-missing',
      `There is no folder ${root}.`,
      { hint: 'If it lies on a disk or a network drive, connect that first.' },
      { cause: e },
    );
  }
}

/** Node's own way of it hides why a disk refuses, and never comes back where folders can't be made at all (/proc). */
async function makeWithThoseAbove(path: string): Promise<void> {
  try {
    await fs.mkdir(path, { mode: 0o700 });
  } catch (e) {
    if (errnoOf(e) === 'EEXIST') return;
    if (errnoOf(e) !== 'ENOENT' || dirname(path) === path) throw e;
    await makeWithThoseAbove(dirname(path));
    await fs.mkdir(path, { mode: 0o700 });
  }
}

async function makeRepository(root: string, o: LocalOptions): Promise<void> {
  await makeWithThoseAbove(root);
  const folders = newFolders().map((segments) => join(root, ...segments));
  for (const folder of folders) await makeWithThoseAbove(folder);
  if (o.syncFiles === false) return;
  for (const folder of [join(root, folderOf('pack') ?? ''), root, dirname(root)]) await syncFolder(folder);
}

/**
 * Makes the folders of a new repository, and the reserve if the disk has room for it several times over. The
 * config is the caller's to save. Errors: repository-exists, and those of a save.
 */
export async function createLocal(path: string, o: LocalOptions = {}): Promise<LocalBackend> {
  const root = resolve(path);
  const config = await fs.lstat(join(root, 'config')).catch(() => undefined);
  if (config !== undefined) {
    throw new EngineError('repository-exists', `There already is a repository at ${root}.`);
  }
  try {
    await makeRepository(root, o);
    await makeReserve(root, o.reserveBytes ?? RESERVE_BYTES);
  } catch (e) {
    throw fromErrno(e, `make a repository at ${root}`);
  }
  return openLocal(root, o);
}
