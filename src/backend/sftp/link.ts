/**
 * One SSH connection with one SFTP channel over it.
 *
 * ask     one request; many may be under way, and the server answers them in its own order
 * loss    the connection ended, or the server was silent for too long while it owed an answer: every request that waits fails with
 *         it, and every later one. ssh2 itself would let some of them wait for ever.
 */
import type { Client, SFTPWrapper, Stats } from 'ssh2';
import { EngineError, messageOf } from '../../api/errors.ts';
import { STATUS, statusOf } from './errors.ts';

/** An extension of OpenSSH's, by the name in the server's greeting. */
export type Extension = 'posix-rename@openssh.com' | 'fsync@openssh.com' | 'statvfs@openssh.com';

type Done<T> = (e: Error | null | undefined, value: T) => void;

export interface Entry {
  readonly filename: string;
  readonly attrs: Stats;
}

/** Bytes and counts, as statvfs(3) has them. */
export interface FileSystem {
  readonly free: number;
  readonly total: number;
  readonly used: number;
  readonly readOnly: boolean;
  /** No file can be added, though there may be bytes. */
  readonly noFiles: boolean;
}

function extensionsOf(sftp: SFTPWrapper): ReadonlySet<string> {
  const told: unknown = Reflect.get(sftp, '_extensions');
  return new Set(typeof told === 'object' && told !== null ? Object.keys(told) : []);
}

export class Link {
  /** How many calls use it: kept by the pool. */
  busy = 0;
  readonly #client: Client;
  readonly #sftp: SFTPWrapper;
  readonly #name: string;
  readonly #stuckMs: number;
  readonly #extensions: ReadonlySet<string>;
  readonly #waiting = new Set<(e: Error) => void>();
  #timer: NodeJS.Timeout | undefined;
  #loss: EngineError | undefined;

  constructor(client: Client, sftp: SFTPWrapper, name: string, stuckMs: number) {
    this.#client = client;
    this.#sftp = sftp;
    this.#name = name;
    this.#stuckMs = stuckMs;
    this.#extensions = extensionsOf(sftp);
    const ended = () => this.#lose(connectionLost(name));
    const failed = (e: Error) => this.#lose(connectionLost(name, e));
    client.on('error', failed).on('end', ended).on('close', ended);
    sftp.on('error', failed).on('end', ended).on('close', ended);
  }

  get alive(): boolean {
    return this.#loss === undefined;
  }

  offers(extension: Extension): boolean {
    return this.#extensions.has(extension);
  }

  /** Says goodbye; what still waits fails. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#client.once('close', resolve));
    const open = this.alive;
    this.#loss ??= connectionLost(this.#name);
    this.#client.end();
    this.#failAll(this.#loss);
    if (!open) return;
    const timer = setTimeout(() => this.#client.destroy(), GOODBYE_MS);
    await closed;
    clearTimeout(timer);
  }

  open(path: string, flags: 'r' | 'wx', mode = 0o600): Promise<Buffer> {
    return this.#ask((sftp, done: Done<Buffer>) => sftp.open(path, flags, { mode }, done));
  }

  closeFile(handle: Buffer): Promise<void> {
    return this.#ask((sftp, done: Done<void>) => sftp.close(handle, plain(done)));
  }

  /** Resolves to how many bytes came: fewer than asked for at the end of the file, and where the server likes. */
  read(handle: Buffer, into: Buffer, at: number, length: number, position: number): Promise<number> {
    return this.#ask((sftp, done: Done<number>) => sftp.read(handle, into, at, length, position, done));
  }

  /** `data` is copied before this returns. */
  write(handle: Buffer, data: Buffer, position: number): Promise<void> {
    return this.#ask((sftp, done: Done<void>) =>
      sftp.write(handle, data, 0, data.length, position, plain(done)),
    );
  }

  sizeOf(handle: Buffer): Promise<Stats> {
    return this.#ask((sftp, done: Done<Stats>) => sftp.fstat(handle, done));
  }

  setMode(handle: Buffer, mode: number): Promise<void> {
    return this.#ask((sftp, done: Done<void>) => sftp.fchmod(handle, mode, plain(done)));
  }

  sync(handle: Buffer): Promise<void> {
    return this.#ask((sftp, done: Done<void>) => sftp.ext_openssh_fsync(handle, plain(done)));
  }

  stat(path: string): Promise<Stats> {
    return this.#ask((sftp, done: Done<Stats>) => sftp.stat(path, done));
  }

  lstat(path: string): Promise<Stats> {
    return this.#ask((sftp, done: Done<Stats>) => sftp.lstat(path, done));
  }

  /**
   * All entries, with what lstat tells. Two requests are under way at once: most folders are small, and the second tells that there
   * is no more.
   */
  async list(path: string): Promise<readonly Entry[]> {
    const handle = await this.#ask((sftp, done: Done<Buffer>) => sftp.opendir(path, done));
    const all: Entry[] = [];
    try {
      for (;;) {
        const parts = await Promise.all([this.#listMore(handle), this.#listMore(handle)]);
        for (const part of parts) if (part !== undefined) all.push(...part);
        if (parts.includes(undefined)) return all;
      }
    } finally {
      this.closeFile(handle).catch(() => undefined);
    }
  }

  /** undefined: there is no more. */
  async #listMore(handle: Buffer): Promise<readonly Entry[] | undefined> {
    try {
      return await this.#ask((sftp, done: Done<readonly Entry[]>) => sftp.readdir(handle, done));
    } catch (e) {
      if (statusOf(e) === STATUS.endOfFile) return undefined;
      throw e;
    }
  }

  unlink(path: string): Promise<void> {
    return this.#ask((sftp, done: Done<void>) => sftp.unlink(path, plain(done)));
  }

  mkdir(path: string, mode: number): Promise<void> {
    return this.#ask((sftp, done: Done<void>) => sftp.mkdir(path, { mode }, plain(done)));
  }

  /** Replaces what is there, in one step, with the extension; without it, servers refuse where something is. */
  rename(from: string, to: string): Promise<void> {
    const posix = this.offers('posix-rename@openssh.com');
    return this.#ask((sftp, done: Done<void>) =>
      posix ? sftp.ext_openssh_rename(from, to, plain(done)) : sftp.rename(from, to, plain(done)),
    );
  }

  /** undefined where the server does not tell. */
  async fileSystem(path: string): Promise<FileSystem | undefined> {
    if (!this.offers('statvfs@openssh.com')) return undefined;
    const told = await this.#ask((sftp, done: Done<unknown>) => sftp.ext_openssh_statvfs(path, done));
    return readFileSystem(told);
  }

  #ask<T>(begin: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T> {
    if (this.#loss) return Promise.reject(this.#loss);
    return new Promise<T>((resolve, reject) => {
      const answered: Done<T> = (e, value) => {
        if (!this.#waiting.delete(reject)) return;
        this.#watch();
        if (e) reject(e);
        else resolve(value);
      };
      this.#waiting.add(reject);
      if (this.#timer === undefined) this.#watch();
      try {
        begin(this.#sftp, answered);
      } catch (e) {
        answered(e instanceof Error ? e : new Error(messageOf(e)), undefined as T);
      }
    });
  }

  /** Silence is counted from the last answer, and only while one is owed. */
  #watch(): void {
    if (this.#waiting.size === 0 || this.#loss) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#lose(silence(this.#name, this.#stuckMs)), this.#stuckMs);
  }

  #lose(loss: EngineError): void {
    if (this.#loss) return;
    this.#loss = loss;
    this.#client.destroy();
    this.#failAll(loss);
  }

  #failAll(e: EngineError): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    this.#watch();
    for (const reject of all) reject(e);
  }
}

const GOODBYE_MS = 2_000;

function plain(done: Done<void>): (e?: Error | null) => void {
  return (e) => done(e, undefined);
}

function numberIn(record: object, key: string): number {
  const value: unknown = Reflect.get(record, key);
  return typeof value === 'number' ? value : Number(value ?? 0);
}

const READ_ONLY = 1;

function readFileSystem(told: unknown): FileSystem | undefined {
  if (typeof told !== 'object' || told === null) return undefined;
  const block = numberIn(told, 'f_frsize') || numberIn(told, 'f_bsize');
  const total = numberIn(told, 'f_blocks') * block;
  return {
    free: numberIn(told, 'f_bavail') * block,
    total,
    used: total - numberIn(told, 'f_bfree') * block,
    readOnly: (numberIn(told, 'f_flag') & READ_ONLY) !== 0,
    // File systems that make inodes as they need them tell of none at all.
    noFiles: numberIn(told, 'f_files') > 0 && numberIn(told, 'f_favail') === 0,
  };
}

export function connectionLost(name: string, cause?: unknown): EngineError {
  const why = cause === undefined ? '' : ` (${messageOf(cause)})`;
  return new EngineError(
    'unreachable',
    `The connection to ${name} was lost${why}.`,
    { transient: true, hint: 'Is the computer online, and does the server run?' },
    { cause },
  );
}

export function silence(name: string, ms: number): EngineError {
  return new EngineError('timeout', `${name} has not answered for ${Math.ceil(ms / 1000)} seconds.`, {
    transient: true,
  });
}
