/** Writes a file so that it appears whole or not at all, also after a power cut. */
import { randomInt } from 'node:crypto';
import fs, { type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { throwIfAborted } from '../calls.ts';
import { errnoOf } from './errors.ts';

/** restic's form of a temporary name: the final one, this, and digits. */
export const TEMPORARY = /^(?:[0-9a-f]{64}|config|\.holdfast-reserve)-tmp-[0-9]+$/;

export interface ReplaceOptions {
  /** Wait until the disk has the bytes, and then the name. */
  readonly sync: boolean;
  /** Permission bits of the finished file. */
  readonly mode: number;
  readonly signal?: AbortSignal | undefined;
  /** Runs between the opening of the temporary file and the first byte; what it throws undoes the write. */
  readonly opened?: () => Promise<void>;
}

// Below IOV_MAX of all systems, and small enough that an abort is seen soon.
const BATCH_BUFFERS = 512;
const BATCH_BYTES = 16 << 20;

/** Writes all of `batch`, also where the system takes only a part of it at once. */
async function writeBatch(file: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
  let rest = [...batch];
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest);
    while (rest[0] !== undefined && bytesWritten >= rest[0].length) {
      bytesWritten -= rest[0].length;
      rest = rest.slice(1);
    }
    if (rest[0] !== undefined && bytesWritten > 0) rest[0] = rest[0].subarray(bytesWritten);
  }
}

async function writeAll(file: FileHandle, data: Iterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of data) {
    if (piece.length === 0) continue;
    batch.push(piece);
    bytes += piece.length;
    if (batch.length < BATCH_BUFFERS && bytes < BATCH_BYTES) continue;
    throwIfAborted(signal);
    await writeBatch(file, batch);
    batch = [];
    bytes = 0;
  }
  throwIfAborted(signal);
  await writeBatch(file, batch);
}

/** Errors by which file systems say that they know no such request; nothing can be done about it. */
const NOT_SUPPORTED = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY']);
const NO_FOLDER_SYNC = new Set([...NOT_SUPPORTED, 'EINVAL', 'EISDIR', 'EBADF', 'EACCES', 'EPERM', 'ENOENT']);
const NO_CHMOD = new Set([...NOT_SUPPORTED, 'EPERM', 'EACCES', 'EINVAL']);

async function unless(refusals: ReadonlySet<string>, work: Promise<void>): Promise<void> {
  await work.catch((e: unknown) => {
    if (!refusals.has(errnoOf(e) ?? '')) throw e;
  });
}

/** Makes the names in a folder last. Where a file system or a system refuses it, nothing happens. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await fs.open(path, 'r').catch((e: unknown) => {
    if (NO_FOLDER_SYNC.has(errnoOf(e) ?? '')) return undefined;
    throw e;
  });
  if (folder === undefined) return;
  try {
    await unless(NO_FOLDER_SYNC, folder.sync());
  } finally {
    await folder.close();
  }
}

async function fill(file: FileHandle, data: Iterable<Uint8Array>, o: ReplaceOptions): Promise<void> {
  try {
    await o.opened?.();
    await writeAll(file, data, o.signal);
    if (process.platform !== 'win32') await unless(NO_CHMOD, file.chmod(o.mode));
    if (o.sync) await unless(NOT_SUPPORTED, file.sync());
  } finally {
    await file.close();
  }
}

/**
 * Puts a file with these bytes at `path`, in place of one that may be there. `data` is read once, and never
 * joined. Errors: those of the operating system, untranslated, and the abort's; the temporary file is then gone.
 */
export async function replaceFile(
  path: string,
  data: Iterable<Uint8Array>,
  o: ReplaceOptions,
): Promise<void> {
  const temporary = `${path}-tmp-${randomInt(2 ** 47)}`;
  const file = await fs.open(temporary, 'wx', 0o600);
  try {
    await fill(file, data, o);
    throwIfAborted(o.signal);
    await fs.rename(temporary, path);
  } catch (e) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw e;
  }
  if (o.sync) await syncFolder(dirname(path));
}
