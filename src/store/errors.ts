/** Faults of SQLite and of the file system under it as `EngineError`s: the one place in `src/store` that reads their codes. */
import Database from 'better-sqlite3';
import { EngineError, type ErrorCode, isEngineError, messageOf } from '../api/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly hint?: string;
  readonly transient?: true;
}

const FULL: Meaning = {
  code: 'no-space',
  reason: 'the disk is full',
  hint: 'Free some space on the disk that holds the data folder.',
};
const REFUSED: Meaning = {
  code: 'permission',
  reason: 'the operating system does not let Holdfast write there',
  hint: 'Check who owns the data folder and its files, and that the disk is not mounted read-only.',
};
const BUSY: Meaning = {
  code: 'locked',
  reason: 'another program is using it',
  hint: 'Close the program that has the file open, then try again.',
  transient: true,
};
const DAMAGED: Meaning = {
  code: 'damaged',
  reason: 'the file is damaged',
  hint: 'Start Holdfast again: it then sets the damaged file aside and takes its newest copy.',
};
const FAULT: Meaning = {
  code: 'io',
  reason: 'the disk reports a fault',
  hint: 'Check the health of the disk.',
};

/** By result code; an extended code without an entry means what its primary code (the part up to the second "_") means. */
const SQLITE: Readonly<Record<string, Meaning>> = {
  SQLITE_FULL: FULL,
  // The shared memory file of the write-ahead log could not be made larger.
  SQLITE_IOERR_SHMSIZE: FULL,
  SQLITE_BUSY: BUSY,
  SQLITE_LOCKED: BUSY,
  SQLITE_PROTOCOL: BUSY,
  SQLITE_READONLY: REFUSED,
  SQLITE_PERM: REFUSED,
  SQLITE_AUTH: REFUSED,
  SQLITE_CANTOPEN: REFUSED,
  SQLITE_CORRUPT: DAMAGED,
  SQLITE_NOTADB: DAMAGED,
  SQLITE_IOERR: FAULT,
};

const FILE_SYSTEM: Readonly<Record<string, Meaning>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, reason: 'the disk quota is used up' },
  EACCES: REFUSED,
  EPERM: REFUSED,
  EROFS: { ...REFUSED, code: 'read-only', reason: 'the disk is mounted read-only' },
  ENOENT: { code: 'not-found', reason: 'there is no such file or folder' },
  EISDIR: { code: 'conflict', reason: 'there is a folder of that name' },
  ENOTDIR: { code: 'conflict', reason: 'a part of the path is not a folder' },
  EEXIST: { code: 'conflict', reason: 'something of that name is already there' },
  EBUSY: BUSY,
  EIO: FAULT,
};

function codeOf(e: unknown): string {
  return e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : '';
}

function meaningOf(e: unknown): Meaning | undefined {
  const code = codeOf(e);
  if (!(e instanceof Database.SqliteError)) return FILE_SYSTEM[code];
  return SQLITE[code] ?? SQLITE[code.split('_').slice(0, 2).join('_')];
}

/**
 * The EngineError for anything that SQLite or Node's fs threw. `what` completes the sentence "Could not …" and comes
 * before the path. What has no meaning for a person is `internal`. An EngineError passes unchanged.
 */
export function translateStoreError(e: unknown, path: string, what: string): EngineError {
  if (isEngineError(e)) return e;
  const meaning = meaningOf(e) ?? {
    code: codeOf(e).startsWith('E') ? 'io' : 'internal',
    reason: messageOf(e),
  };
  const code = codeOf(e);
  return new EngineError(
    meaning.code,
    `Could not ${what} "${path}": ${meaning.reason}.`,
    {
      context: { path, ...(code === '' ? {} : { cause: code }) },
      ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
      ...(meaning.transient === undefined ? {} : { transient: true }),
    },
    { cause: e },
  );
}
