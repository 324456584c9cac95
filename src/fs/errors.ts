/**
 * Faults of the operating system as `EngineError`s: the one place in `src/fs` that reads errno names.
 */
import { constants } from 'node:os';
import { EngineError, type ErrorCode, messageOf } from '../api/errors.ts';
import { type ByteString, toText } from '../util/byte-string.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly hint?: string;
  readonly transient?: true;
}

const GONE: Meaning = { code: 'not-found', reason: 'there is no such file or folder' };
const REFUSED: Meaning = {
  code: 'permission',
  reason: 'the operating system refuses access',
  hint: 'Run as a user who may access it, or change its permissions.',
};
const FULL: Meaning = {
  code: 'no-space',
  reason: 'the disk is full',
  hint: 'Free some space there, or choose another disk.',
};
const BUSY = { code: 'io', transient: true } as const;
const CUT_OFF = { code: 'unreachable', transient: true } as const;
const LACKING: Meaning = { code: 'unsupported', reason: 'the file system does not support this' };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: GONE,
  ENOTDIR: { code: 'not-found', reason: 'a part of the path is not a folder' },
  EACCES: REFUSED,
  EPERM: REFUSED,
  ENOSPC: FULL,
  EDQUOT: { ...FULL, reason: 'the disk quota is used up' },
  EFBIG: { code: 'no-space', reason: 'the file is larger than the file system allows' },
  EROFS: { code: 'read-only', reason: 'the file system is read-only' },
  EEXIST: { code: 'conflict', reason: 'something with that name is already there' },
  ENOTEMPTY: { code: 'conflict', reason: 'the folder is not empty' },
  EISDIR: { code: 'conflict', reason: 'it is a folder' },
  ELOOP: { code: 'conflict', reason: 'it is a symbolic link, or the path leads in a circle' },
  ENOTSUP: LACKING,
  EOPNOTSUPP: LACKING,
  ENOSYS: LACKING,
  ENAMETOOLONG: { code: 'unsupported', reason: 'the name or the path is too long' },
  EINVAL: { code: 'io', reason: 'the file system does not accept this name or value' },
  EIO: { code: 'io', reason: 'the disk reports a fault', hint: 'Check the health of the disk.' },
  ETXTBSY: { ...BUSY, reason: 'the program is running' },
  EBUSY: { ...BUSY, reason: 'it is in use' },
  EAGAIN: { ...BUSY, reason: 'it is in use' },
  EINTR: { ...BUSY, reason: 'the call was interrupted' },
  ENOMEM: { ...BUSY, reason: 'memory is short' },
  EMFILE: { ...BUSY, reason: 'this program has too many files open' },
  ENFILE: { ...BUSY, reason: 'the system has too many files open' },
  ETIMEDOUT: { code: 'timeout', reason: 'the storage did not answer in time', transient: true },
  ESTALE: { ...CUT_OFF, reason: 'the network file system lost track of it' },
  ENOTCONN: { ...CUT_OFF, reason: 'the mounted storage is not connected' },
  EHOSTDOWN: { ...CUT_OFF, reason: 'the file server is down' },
  EHOSTUNREACH: { ...CUT_OFF, reason: 'the file server does not answer' },
  ENODEV: { ...CUT_OFF, reason: 'the device is gone' },
  ENXIO: { ...CUT_OFF, reason: 'the device is gone' },
};

/** Names by number on this machine. Node's own list lacks some of them (EDQUOT), so the number has the word. */
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'EOPNOTSUPP')
    .map(([name, number]) => [number, name]),
);

/** What a call through the foreign function interface throws: the shape of Node's own system errors. */
export class SystemError extends Error {
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;

  /** `errno` is positive, as in C. */
  constructor(errno: number, syscall: string) {
    const code = NAMES.get(errno) ?? `E${errno}`;
    super(`${code}: ${syscall}`);
    this.name = 'SystemError';
    this.errno = -errno;
    this.code = code;
    this.syscall = syscall;
  }
}

/** The errno name of anything thrown by Node's fs or by an FFI call ('ENOENT' …), '' for anything else. */
export function errnoName(e: unknown): string {
  if (!(e instanceof Error)) return '';
  const number = 'errno' in e && typeof e.errno === 'number' ? NAMES.get(-e.errno) : undefined;
  if (number !== undefined) return number;
  return 'code' in e && typeof e.code === 'string' ? e.code : '';
}

const UNSAFE = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;

/** A path for a message: in quotes, and without characters that would steer a terminal or reverse the text. */
export function showPath(path: ByteString): string {
  const escaped = toText(path).replace(UNSAFE, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
  return `"${escaped}"`;
}

/**
 * The EngineError for a fault that Node's fs or an FFI call threw. `what` completes the sentence "Could not …"
 * and comes before the path: `translateFsError(e, path, 'read the folder')`. An EngineError passes unchanged.
 */
export function translateFsError(e: unknown, path: ByteString, what: string): EngineError {
  if (e instanceof EngineError) return e;
  const name = errnoName(e);
  const meaning = MEANINGS[name] ?? { code: 'io', reason: messageOf(e).replace(UNSAFE, '?') };
  const message = `Could not ${what} ${showPath(path)}: ${meaning.reason}.`;
  const details = {
    context: { path: toText(path), ...(name === '' ? {} : { errno: name }) },
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
    ...(meaning.transient === undefined ? {} : { transient: true }),
  };
  return new EngineError(meaning.code, message, details, { cause: e });
}
