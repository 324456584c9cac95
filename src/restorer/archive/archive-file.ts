/**
 * An archive on its way to the disk: written beside its place as `<path>.partial`, which only its owner can read, and put in place
 * when all of it is on the disk. What is at its place already is never overwritten.
 *
 * mark   how far the archive is; it can be taken back to it, where what came after could not be completed
 *
 * A process that is killed leaves the partial file; the next archive of that name begins it anew.
 */
import type { FileHandle } from 'node:fs/promises';
import fs from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { EngineError } from '../../api/errors.ts';
import type { CallOptions } from '../../backend/backend.ts';
import { errnoName, showPath, translateFsError } from '../../fs/errors.ts';
import { fromText } from '../../util/byte-string.ts';

const BUFFER_BYTES = 1 << 20;
/** The disk is waited for so often: else the end, which nothing can cut short, would wait for all of it, and the rate shown lie. */
const SYNC_BYTES = 64 << 20;

export interface Mark {
  readonly length: number;
  readonly crc: number;
}

/** Those that are being written by this process. */
const underWay = new Set<string>();

export class ArchiveFile {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  /** Bytes in the file, and those behind them in the buffer. */
  #written = 0;
  #buffered = 0;
  #unsynced = 0;
  #crc = 0;
  #closed = false;
  /** It is in its place, or gone. */
  #over = false;

  /** Errors: 'conflict' where something is at the path, 'not-found' where its folder is not there, the system's. */
  static async begin(path: string): Promise<ArchiveFile> {
    await refuseTaken(path);
    if (underWay.has(path)) throw conflict(path, 'is being written by another restore');
    underWay.add(path);
    try {
      return new ArchiveFile(path, await openPartial(path));
    } catch (e) {
      underWay.delete(path);
      throw e;
    }
  }

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#partial = partialOf(path);
    this.#file = file;
  }

  /** How far it is. */
  get mark(): Mark {
    return { length: this.#written + this.#buffered, crc: this.#crc };
  }

  /** Errors: 'no-space' and the system's. */
  readonly write = async (bytes: Uint8Array): Promise<void> => {
    this.#crc = crc32(bytes, this.#crc);
    if (bytes.length > BUFFER_BYTES - this.#buffered) await this.#flush();
    if (bytes.length > BUFFER_BYTES) return this.#append(bytes);
    this.#buffer.set(bytes, this.#buffered);
    this.#buffered += bytes.length;
  };

  async backTo({ length, crc }: Mark): Promise<void> {
    this.#crc = crc;
    this.#buffered = Math.max(0, length - this.#written);
    if (length >= this.#written) return;
    await this.#try(() => this.#file.truncate(length));
    this.#written = length;
  }

  /** Waits until the disk has all of it. */
  async sync(): Promise<void> {
    await this.#flush();
    await this.#try(() => this.#file.sync());
  }

  /** Reads it back. Errors: 'io' where the disk does not give what it was given, the signal's reason. */
  async verify(o: CallOptions & { readonly onBytes?: (bytes: number) => void } = {}): Promise<void> {
    let crc = 0;
    for (let at = 0; at < this.#written; ) {
      o.signal?.throwIfAborted();
      const read = this.#file.read(this.#buffer, 0, BUFFER_BYTES, at);
      const { bytesRead } = await this.#try(() => read);
      if (bytesRead === 0) throw otherThanWritten(this.#path);
      crc = crc32(this.#buffer.subarray(0, bytesRead), crc);
      at += bytesRead;
      o.onBytes?.(bytesRead);
    }
    if (crc !== this.#crc) throw otherThanWritten(this.#path);
  }

  /** Puts it in its place, after `sync`. Errors: 'conflict' where something has come there meanwhile, the system's. */
  async place(): Promise<void> {
    const { dev, ino } = await this.#try(() => this.#file.stat({ bigint: true }));
    await this.#close();
    const found = await this.#try(() => fs.lstat(this.#partial, { bigint: true }));
    if (found.dev !== dev || found.ino !== ino) {
      throw conflict(this.#partial, 'was replaced by another program while it was written');
    }
    await this.#claim();
    try {
      await this.#try(() => fs.rename(this.#partial, this.#path));
    } catch (e) {
      await fs.rm(this.#path, { force: true }).catch(() => {});
      throw e;
    }
    this.#end();
    await syncFolder(dirname(this.#path));
  }

  /** Leaves nothing behind, unless it is in its place. */
  async discard(): Promise<void> {
    if (this.#over) return;
    await this.#close();
    await fs.rm(this.#partial, { force: true }).catch(() => {});
    this.#end();
  }

  #end(): void {
    this.#over = true;
    underWay.delete(this.#path);
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#append(bytes);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const left = bytes.length - done;
      const write = () => this.#file.write(bytes, done, left, this.#written);
      const { bytesWritten } = await this.#try(write);
      done += bytesWritten;
      this.#written += bytesWritten;
      this.#unsynced += bytesWritten;
    }
    if (this.#unsynced < SYNC_BYTES) return;
    this.#unsynced = 0;
    await this.#try(() => this.#file.datasync());
  }

  /** An empty file takes the place first, which fails where another is; renaming alone would overwrite it. */
  async #claim(): Promise<void> {
    try {
      await (await fs.open(this.#path, 'wx', 0o600)).close();
    } catch (e) {
      if (errnoName(e) === 'EEXIST') throw conflict(this.#path, 'has come into being meanwhile');
      throw translateFsError(e, fromText(this.#path), 'write');
    }
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close().catch(() => {});
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (e) {
      throw translateFsError(e, fromText(this.#path), 'write');
    }
  }
}

function partialOf(path: string): string {
  return `${path}.partial`;
}

/** Errors: 'conflict' where something is at an archive's path, 'not-found' where its folder is not there. */
export async function refuseTaken(path: string): Promise<void> {
  const folder = dirname(path);
  const found = await fs.stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new EngineError('not-found', `There is no folder ${showPath(fromText(folder))}.`, {
      hint: 'Make it, or choose another place for the archive.',
    });
  }
  const there = await fs.lstat(path).catch(() => undefined);
  if (there) throw conflict(path, 'is there already');
}

/** What a killed process has left goes first; what is no file was left by nobody of ours. */
async function openPartial(path: string): Promise<FileHandle> {
  const partial = partialOf(path);
  const left = await fs.lstat(partial).catch(() => undefined);
  if (left && !left.isFile()) throw conflict(partial, 'is there already');
  try {
    if (left) await fs.rm(partial);
    return await fs.open(partial, 'wx+', 0o600);
  } catch (e) {
    throw translateFsError(e, fromText(path), 'write');
  }
}

/** Not every system can do it, and the archive is whole without. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {}
}

function conflict(path: string, what: string): EngineError {
  return new EngineError('conflict', `${showPath(fromText(basename(path)))} ${what}, and is left as it is.`, {
    hint: 'Choose another name for the archive.',
    context: { path },
  });
}

function otherThanWritten(path: string): EngineError {
  const what = `The disk does not give back what was written to ${showPath(fromText(path))} just now.`;
  return new EngineError('io', what, {
    hint: 'Check the health of the target disk, and choose another one for the archive.',
  });
}
