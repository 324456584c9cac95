/**
 * A repository on a server over SSH. Same files, names and rights as restic's SFTP backend, so that both can use it.
 *
 * link        a connection (see link.ts); the pool hands them out
 * temporary   a file being written, `<name>-tmp-<digits>` beside its final name; lists never show it
 * root        the repository's folder. Where its config was seen and is missing now, a disk was unmounted on the server: nothing may
 *             be written, and an empty list would be a lie.
 */
import { randomInt } from 'node:crypto';
import { posix } from 'node:path';
import type { Stats } from 'ssh2';
import { EngineError, isEngineError } from '../../api/errors.ts';
import { type FileType, isId } from '../../format/types.ts';
import {
  type Backend,
  type CallOptions,
  type CleanOptions,
  type FileInfo,
  type Handle,
  type LoadOptions,
  NO_FACTS,
  type StorageFacts,
  type StorageSpace,
  type Traits,
} from '../backend.ts';
import { cancellation, describe, notFound, spanOf, throwIfAborted, totalLength } from '../calls.ts';
import { allFolders, folderOf, newFolders, segmentsOf } from '../layout.ts';
import type { StorageSetting } from '../registry.ts';
import { FULL, fromStatus, READ_ONLY, rootGone, STATUS, statusOf } from './errors.ts';
import type { Entry, Link } from './link.ts';
import { type Place, readPlace } from './place.ts';
import { type Kind, Pool } from './pool.ts';
import { replace } from './replace.ts';
import { readFile, writeFile } from './transfer.ts';

export { rememberHost } from './known-hosts.ts';

interface Modes {
  readonly file: number;
  readonly folder: number;
}

const PRIVATE: Modes = { file: 0o400, folder: 0o700 };
const SHARED: Modes = { file: 0o440, folder: 0o770 };
/** Each is an open handle on the server; OpenSSH allows a thousand, others fewer. */
const FOLDERS_AT_ONCE = 64;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
const TEMPORARY = /^(?:[0-9a-f]{64}|config)-tmp-[0-9]+$/;
/** Of a path whose length one request could not carry. */
const DATA = 64 << 10;

function* chunksOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

const isMissing = (e: unknown): boolean => statusOf(e) === STATUS.noSuchFile;

/** `found` of a missing file is undefined; other errors pass. */
async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  return found.catch((e: unknown) => {
    if (isMissing(e)) return undefined;
    throw e;
  });
}

class Sftp implements Backend {
  readonly location: string;
  readonly traits: Traits;
  readonly #place: Place;
  readonly #pool: Pool;
  readonly #modes: Modes;
  /** The config was seen. */
  #hasConfig: boolean;
  /** What goes on after its caller was told of an abort. */
  readonly #behind = new Set<Promise<unknown>>();

  constructor(place: Place, pool: Pool, traits: Traits, config: Stats | undefined) {
    this.location = place.location;
    this.traits = traits;
    this.#place = place;
    this.#pool = pool;
    this.#modes = config !== undefined && (config.mode & 0o040) !== 0 ? SHARED : PRIVATE;
    this.#hasConfig = config !== undefined;
  }

  async save(h: Handle, data: readonly Uint8Array[], o?: CallOptions): Promise<void> {
    const path = this.#pathOf(h);
    throwIfAborted(o?.signal);
    const commit = { begun: false };
    const kind = totalLength(data) > DATA ? 'data' : 'question';
    const saving = this.#pool.use(kind, (link) => this.#saveOver(link, h, path, data, { ...o, commit }));
    await this.#orAbort(saving, o?.signal, () => !commit.begun);
    if (h.type === 'config') this.#hasConfig = true;
  }

  async load(h: Handle, o?: LoadOptions): Promise<Uint8Array> {
    const path = this.#pathOf(h);
    const kind = (o?.length ?? DATA) >= DATA ? 'data' : 'question';
    return this.#call(kind, o, async (link) => {
      try {
        return await this.#loadOver(link, h, path, o);
      } catch (e) {
        throw await this.#failure(link, e, h, 'read');
      }
    });
  }

  async stat(h: Handle, o?: CallOptions): Promise<FileInfo> {
    const path = this.#pathOf(h);
    return this.#call('question', o, async (link) => {
      try {
        const stats = await link.stat(path);
        if (stats.isDirectory()) throw folderInPlace(path);
        return { name: h.name, size: stats.size };
      } catch (e) {
        throw await this.#failure(link, e, h, 'look at');
      }
    });
  }

  async *list(type: FileType, o?: CallOptions): AsyncGenerator<FileInfo> {
    throwIfAborted(o?.signal);
    if (type === 'config') yield* this.#listConfig(o);
    else {
      for (const folders of chunksOf(await this.#foldersOf(type, o), FOLDERS_AT_ONCE)) {
        const found = await Promise.all(folders.map((folder) => this.#filesIn(type, folder, o)));
        for (const file of found.flat()) {
          throwIfAborted(o?.signal);
          yield file;
        }
      }
    }
    // A disk that went away half-way through must not pass for one that holds no more.
    await this.#call('question', o, (link) => this.#checkRoot(link));
  }

  async remove(h: Handle, o?: CallOptions): Promise<void> {
    const path = this.#pathOf(h);
    throwIfAborted(o?.signal);
    const commit = { begun: false };
    const removing = this.#pool.use('question', async (link) => {
      throwIfAborted(o?.signal);
      commit.begun = true;
      try {
        await link.unlink(path);
      } catch (e) {
        if (!isMissing(e)) throw await this.#refusal(link, e, `remove ${describe(h)}`);
        await this.#checkRoot(link);
      }
    });
    await this.#orAbort(removing, o?.signal, () => !commit.begun);
    if (h.type === 'config') this.#hasConfig = false;
  }

  async cleanTemporary(o: CleanOptions = {}): Promise<number> {
    const before = (o.now ?? Date.now()) - (o.olderThanMs ?? WEEK_MS);
    let removed = 0;
    for (const folders of chunksOf([[], ...allFolders()], FOLDERS_AT_ONCE)) {
      const counts = folders.map((folder) => this.#cleanFolder(this.#join(...folder), before, o));
      for (const count of await Promise.all(counts)) removed += count;
    }
    return removed;
  }

  async space(o?: CallOptions): Promise<StorageSpace> {
    const found = await this.#call('question', o, (link) =>
      this.#translate(link.fileSystem(this.#place.folder), 'ask for the space of the disk'),
    );
    return { free: found?.free ?? null, total: found?.total ?? null, used: found?.used ?? null };
  }

  async facts(o?: CallOptions): Promise<StorageFacts> {
    throwIfAborted(o?.signal);
    return { ...NO_FACTS, account: this.#place.account };
  }

  async close(): Promise<void> {
    await this.#tidied();
    await this.#pool.close();
  }

  /** What was stopped takes away what it had begun; a server that does not answer is not waited for. */
  async #tidied(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TIDY_MS);
    });
    await Promise.race([Promise.allSettled(this.#behind), patience]);
    clearTimeout(timer);
  }

  #join(...segments: readonly string[]): string {
    return posix.join(this.#place.folder, ...segments);
  }

  #pathOf(h: Handle): string {
    return this.#join(...segmentsOf(h));
  }

  /** A call that changes nothing: an abort ends it at once. */
  async #call<T>(kind: Kind, o: CallOptions | undefined, work: (link: Link) => Promise<T>): Promise<T> {
    throwIfAborted(o?.signal);
    const working = this.#pool.use(kind, (link) => {
      throwIfAborted(o?.signal);
      return work(link);
    });
    return this.#orAbort(working, o?.signal, () => true);
  }

  /** An abort need not wait for a slow server: what is under way ends behind the caller's back, while `mayLeave`. */
  async #orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined, mayLeave: () => boolean): Promise<T> {
    const tracked = work.then(
      () => undefined,
      () => undefined,
    );
    this.#behind.add(tracked);
    void tracked.then(() => this.#behind.delete(tracked));
    if (signal === undefined) return work;
    let onAbort = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        if (mayLeave()) reject(cancellation(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #saveOver(
    link: Link,
    h: Handle,
    path: string,
    data: readonly Uint8Array[],
    o: SaveOptions,
  ): Promise<void> {
    const temporary = `${path}-tmp-${randomInt(2 ** 47)}`;
    const doing = `write ${describe(h)} (${totalLength(data)} bytes) to ${this.location}`;
    try {
      const handle = await this.#openNew(link, h, temporary, o);
      await this.#fill(link, handle, data, o);
      throwIfAborted(o.signal);
      o.commit.begun = true;
      await replace(link, temporary, path);
    } catch (e) {
      // Asked before the temporary file is removed, or the disk would not be full any more.
      const failure = await this.#refusal(link, e, doing, totalLength(data));
      await link.unlink(temporary).catch(() => undefined);
      throw failure.code === 'not-found' ? rootGone(this.location, e) : failure;
    }
  }

  async #openNew(link: Link, h: Handle, temporary: string, o: SaveOptions): Promise<Buffer> {
    throwIfAborted(o.signal);
    // The other files' folders show by themselves that the root is there; the config lies in the root.
    if (h.type === 'config') await this.#checkRoot(link);
    const first = await unlessMissing(link.open(temporary, 'wx'));
    if (first !== undefined) return first;
    await this.#checkRoot(link);
    await this.#makeFolders(link, h);
    throwIfAborted(o.signal);
    return link.open(temporary, 'wx');
  }

  /** Writes and closes the file. */
  async #fill(link: Link, handle: Buffer, data: readonly Uint8Array[], o: SaveOptions): Promise<void> {
    let closing = false;
    const last = () => {
      closing = true;
      const sync = link.offers('fsync@openssh.com') ? [unlessUnsupported(link.sync(handle))] : [];
      return [unlessRefused(link.setMode(handle, this.#modes.file)), ...sync, link.closeFile(handle)];
    };
    try {
      await writeFile(link, handle, data, last, o);
    } catch (e) {
      if (!closing) await link.closeFile(handle).catch(() => undefined);
      throw e;
    }
  }

  /** The folders above a file, from the root on: never the root itself. */
  async #makeFolders(link: Link, h: Handle): Promise<void> {
    const above = segmentsOf(h).slice(0, -1);
    for (let i = 1; i <= above.length; i++) {
      await makeFolder(link, this.#join(...above.slice(0, i)), this.#modes.folder);
    }
  }

  async #loadOver(link: Link, h: Handle, path: string, o: LoadOptions | undefined): Promise<Uint8Array> {
    const handle = await link.open(path, 'r');
    try {
      const sizing = sizeOf(link, handle, path);
      return await (o?.length === undefined
        ? loadUnmeasured(link, handle, h, sizing, o)
        : loadMeasured(link, handle, h, sizing, { ...o, length: o.length }));
    } finally {
      // Nobody need wait for that.
      link.closeFile(handle).catch(() => undefined);
    }
  }

  async *#listConfig(o: CallOptions | undefined): AsyncGenerator<FileInfo> {
    const found = await this.#call('question', o, (link) =>
      this.#translate(unlessMissing(link.stat(this.#join('config'))), 'look at the config file'),
    );
    if (found?.isFile()) yield { name: '', size: found.size };
  }

  async #foldersOf(type: FileType, o: CallOptions | undefined): Promise<readonly string[]> {
    const top = this.#join(folderOf(type) ?? '');
    if (type !== 'pack') return [top];
    const names = (await this.#entriesIn(top, o)).map(({ filename }) => filename);
    return names.filter((n) => /^[0-9a-f]{2}$/.test(n)).map((n) => posix.join(top, n));
  }

  async #filesIn(type: FileType, folder: string, o: CallOptions | undefined): Promise<readonly FileInfo[]> {
    const entries = (await this.#entriesIn(folder, o)).filter(({ filename }) =>
      belongs(type, folder, filename),
    );
    const files: FileInfo[] = [];
    for (const { filename, attrs } of entries) {
      const stats = attrs.isFile() ? attrs : await this.#behindLink(posix.join(folder, filename), o);
      if (stats?.isFile()) files.push({ name: filename, size: stats.size });
    }
    return files;
  }

  /** For links, and for servers whose lists tell less than they should. */
  async #behindLink(path: string, o: CallOptions | undefined): Promise<Stats | undefined> {
    return this.#call('question', o, (link) =>
      this.#translate(unlessMissing(link.stat(path)), `look at ${path}`),
    );
  }

  async #entriesIn(path: string, o: CallOptions | undefined): Promise<readonly Entry[]> {
    const found = await this.#call('question', o, (link) =>
      this.#translate(unlessMissing(link.list(path)), `list ${path}`),
    );
    return found ?? [];
  }

  async #cleanFolder(path: string, before: number, o: CleanOptions): Promise<number> {
    let removed = 0;
    for (const { filename, attrs } of await this.#entriesIn(path, o)) {
      if (!TEMPORARY.test(filename) || !attrs.isFile() || attrs.mtime * 1000 > before) continue;
      const file = posix.join(path, filename);
      await this.#call('question', o, (link) =>
        this.#translate(unlessMissing(link.unlink(file)), `remove ${file}`),
      );
      removed++;
    }
    return removed;
  }

  async #translate<T>(work: Promise<T>, doing: string): Promise<T> {
    return work.catch((e: unknown) => {
      throw fromStatus(e, doing);
    });
  }

  /** Errors: unreachable. */
  async #checkRoot(link: Link): Promise<void> {
    if (!this.#hasConfig) return;
    const config = await this.#translate(
      unlessMissing(link.stat(this.#join('config'))),
      'reach the config file',
    );
    // Removed by ourselves meanwhile, it is not missed.
    if (config === undefined && this.#hasConfig) throw rootGone(this.location);
  }

  /** What a failed look means once it is known whether the repository is still there. */
  async #failure(link: Link, e: unknown, h: Handle, verb: string): Promise<EngineError> {
    if (isEngineError(e)) return e;
    if (!isMissing(e)) return fromStatus(e, `${verb} ${describe(h)}`);
    try {
      await this.#checkRoot(link);
      return notFound(h, e);
    } catch (gone) {
      return fromStatus(gone, `${verb} ${describe(h)}`);
    }
  }

  /** What a failed change means: "failure" can be a full disk, or one that is mounted read-only, so the server is asked. */
  async #refusal(link: Link, e: unknown, doing: string, bytes = 0): Promise<EngineError> {
    const status = statusOf(e);
    if (isEngineError(e) || (status !== STATUS.failure && status !== STATUS.permissionDenied)) {
      return fromStatus(e, doing);
    }
    const disk = await link.fileSystem(this.#place.folder).catch(() => undefined);
    if (disk?.readOnly) return fromStatus(e, doing, READ_ONLY);
    // Other writes may have given up their room by now.
    const full =
      disk !== undefined && (disk.noFiles || disk.free < ROOM + bytes * (this.#place.connections + 1));
    return fromStatus(e, doing, full && status === STATUS.failure ? FULL : undefined);
  }
}

async function sizeOf(link: Link, handle: Buffer, path: string): Promise<number> {
  const stats = await link.sizeOf(handle);
  if (stats.isDirectory()) throw folderInPlace(path);
  return stats.size;
}

/** Asks for size and bytes at once: with a distant server each wait counts. Errors: as of a load. */
async function loadMeasured(
  link: Link,
  handle: Buffer,
  h: Handle,
  sizing: Promise<number>,
  o: LoadOptions & { readonly length: number },
): Promise<Uint8Array> {
  const span = { offset: o.offset ?? 0, length: o.length };
  // Counts that are none must not be sent.
  if (!Number.isSafeInteger(span.offset + span.length) || Math.min(span.offset, span.length) < 0) {
    spanOf(h, await sizing, o);
  }
  // Not from Node's shared pool, so that the buffer can be handed to a worker.
  const bytes = Buffer.allocUnsafeSlow(span.length);
  const reading = readFile(link, handle, h, span, bytes, o);
  reading.catch(() => undefined);
  spanOf(h, await sizing, o);
  await reading;
  return bytes;
}

/** Most files of unknown length are small and come whole with their size. Errors: as of a load. */
async function loadUnmeasured(
  link: Link,
  handle: Buffer,
  h: Handle,
  sizing: Promise<number>,
  o: LoadOptions | undefined,
): Promise<Uint8Array> {
  const offset = o?.offset ?? 0;
  const first = Buffer.allocUnsafe(EARLY);
  const early =
    Number.isSafeInteger(offset) && offset >= 0 ? link.read(handle, first, 0, EARLY, offset) : undefined;
  early?.catch(() => undefined);
  const span = spanOf(h, await sizing, o);
  const got = Math.min(span.length, (await early) ?? 0);
  await o?.pace?.down(got, o.signal);
  const bytes = Buffer.allocUnsafeSlow(span.length);
  first.copy(bytes, 0, 0, got);
  const rest = { offset: span.offset + got, length: span.length - got };
  await readFile(link, handle, h, rest, bytes.subarray(got), { signal: o?.signal, pace: o?.pace });
  return bytes;
}

interface SaveOptions extends CallOptions {
  /** Set at the moment from which the file may be there. */
  readonly commit: { begun: boolean };
}

const ROOM = 1 << 20;
const TIDY_MS = 2_000;
/** Bytes that are asked for before a file's size is known. */
const EARLY = 4 << 10;

/** Whether a name in a folder is a file that `load` would find again. */
function belongs(type: FileType, folder: string, name: string): boolean {
  return isId(name) && (type !== 'pack' || folder.endsWith(name.slice(0, 2)));
}

const NOT_KNOWN = new Set<number | undefined>([STATUS.unsupported, STATUS.badMessage]);

/** File systems that can't sync a file answer that the request has no sense. */
async function unlessUnsupported(work: Promise<void>): Promise<void> {
  await work.catch((e: unknown) => {
    if (!NOT_KNOWN.has(statusOf(e))) throw e;
  });
}

/** Rights are a courtesy: some file systems and servers have none. */
async function unlessRefused(work: Promise<void>): Promise<void> {
  await work.catch((e: unknown) => {
    if (statusOf(e) === undefined) throw e;
  });
}

function folderInPlace(path: string): EngineError {
  return new EngineError('conflict', `${path} is a folder on the server; a repository has a file there.`, {
    hint: 'Choose another folder.',
  });
}

function fileInPlace(location: string): EngineError {
  return new EngineError('conflict', `${location} is a file; a repository is a folder.`, {
    hint: 'Choose a folder.',
  });
}

/** A folder that is there already is as good. Errors: the server's. */
async function makeFolder(link: Link, path: string, mode: number): Promise<void> {
  try {
    await link.mkdir(path, mode);
  } catch (e) {
    const found = await link.stat(path).catch(() => undefined);
    if (!found?.isDirectory()) throw e;
  }
}

async function makeWithThoseAbove(link: Link, path: string): Promise<void> {
  try {
    await makeFolder(link, path, PRIVATE.folder);
  } catch (e) {
    const above = posix.dirname(path);
    if (!isMissing(e) || above === path) throw e;
    await makeWithThoseAbove(link, above);
    await makeFolder(link, path, PRIVATE.folder);
  }
}

function traitsOf(place: Place, link: Link): Traits {
  return {
    connections: place.connections,
    atomicReplace: link.offers('posix-rename@openssh.com'),
    listLag: false,
    paced: true,
  };
}

/** Makes the first connection for `work`, and keeps the pool only if that succeeds. */
async function withPool(
  target: string,
  o: StorageSetting,
  work: (link: Link, place: Place, pool: Pool) => Promise<Backend>,
): Promise<Backend> {
  throwIfAborted(o.signal);
  const place = await readPlace(target, o);
  const pool = new Pool(place);
  const onAbort = () => void pool.close();
  o.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await pool.use('question', (link) => work(link, place, pool));
  } catch (e) {
    await pool.close();
    throwIfAborted(o.signal);
    throw fromStatus(e, `open ${place.location}`);
  } finally {
    o.signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * A folder on a server as a backend. Whether it holds a repository shows when its config is loaded. `target`: see target.ts.
 * Options: sftp.connections, sftp.identity-file, sftp.known-hosts, sftp.agent. Login: password, privateKey, passphrase, hostKey.
 * Errors: usage, repository-missing (no such folder), host-unverified, auth-expired, permission, unreachable, timeout, io.
 */
export async function openSftp(target: string, o: StorageSetting = {}): Promise<Backend> {
  return withPool(target, o, async (link, place, pool) => {
    const root = await unlessMissing(link.stat(place.folder));
    if (root === undefined) {
      throw new EngineError('repository-missing', `There is no folder ${place.folder} on ${place.account}.`, {
        hint: 'Check the path. If it lies on a disk of the server, that may not be mounted.',
      });
    }
    if (!root.isDirectory()) throw fileInPlace(place.location);
    const config = await unlessMissing(link.stat(posix.join(place.folder, 'config')));
    return new Sftp(place, pool, traitsOf(place, link), config);
  });
}

/**
 * Makes the folders of a new repository. The config is the caller's to save. Errors: repository-exists, those of `openSftp`, and
 * those of a save.
 */
export async function createSftp(target: string, o: StorageSetting = {}): Promise<Backend> {
  return withPool(target, o, async (link, place, pool) => {
    const config = await unlessMissing(link.lstat(posix.join(place.folder, 'config')));
    if (config !== undefined) {
      throw new EngineError('repository-exists', `There already is a repository at ${place.location}.`);
    }
    await makeWithThoseAbove(link, place.folder);
    const [top, inner] = [
      newFolders().filter((f) => f.length === 1),
      newFolders().filter((f) => f.length > 1),
    ];
    for (const folders of [top, inner]) {
      const paths = folders.map((segments) => posix.join(place.folder, ...segments));
      await Promise.all(paths.map((path) => makeFolder(link, path, PRIVATE.folder)));
    }
    return new Sftp(place, pool, traitsOf(place, link), undefined);
  });
}
