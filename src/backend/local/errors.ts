/** Translates what the operating system answers into errors a person can act on. */
import { EngineError, type ErrorCode, isEngineError, messageOf } from '../../api/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly why: string;
  readonly transient?: boolean;
  readonly hint?: string;
}

const PLUGGED = 'Is the disk plugged in, or the network drive connected?';
const FULL: Meaning = {
  code: 'no-space',
  why: 'the disk is full',
  hint: 'Free some space there, or forget old snapshots and prune.',
};
const DENIED: Meaning = {
  code: 'permission',
  why: 'the operating system refuses access',
  hint: 'Check who owns the folder and which rights it has.',
};
const GONE: Meaning = { code: 'unreachable', why: 'the disk is gone', hint: PLUGGED };
const LOST: Meaning = {
  code: 'unreachable',
  why: 'the network drive does not answer',
  transient: true,
  hint: PLUGGED,
};
const BUSY: Meaning = {
  code: 'io',
  why: 'the operating system is short of something for now',
  transient: true,
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, why: 'the quota of that disk is used up' },
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: { code: 'read-only', why: 'the disk is mounted read-only' },
  ENOENT: { code: 'not-found', why: 'there is no such file' },
  ENOTDIR: { code: 'conflict', why: 'a part of the path is a file, not a folder' },
  ENODEV: GONE,
  ENXIO: GONE,
  ESTALE: LOST,
  ENOTCONN: LOST,
  ETIMEDOUT: LOST,
  EHOSTDOWN: LOST,
  EHOSTUNREACH: LOST,
  ENETUNREACH: LOST,
  EAGAIN: BUSY,
  EBUSY: BUSY,
  EINTR: BUSY,
  EMFILE: BUSY,
  ENFILE: BUSY,
  EIO: {
    code: 'io',
    why: 'the disk reports a fault',
    hint: 'The disk may be failing: look at its health before you trust it with more.',
  },
};

export function errnoOf(e: unknown): string | undefined {
  return e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : undefined;
}

/** `doing` completes "Could not …". An EngineError passes unchanged. */
export function fromErrno(e: unknown, doing: string): EngineError {
  if (isEngineError(e)) return e;
  const errno = errnoOf(e) ?? '';
  const m = Object.hasOwn(MEANINGS, errno) ? MEANINGS[errno] : undefined;
  const details = {
    transient: m?.transient ?? false,
    ...(m?.hint === undefined ? {} : { hint: m.hint }),
    ...(errno === '' ? {} : { context: { errno } }),
  };
  return new EngineError(m?.code ?? 'io', `Could not ${doing}: ${m?.why ?? messageOf(e)}.`, details, {
    cause: e,
  });
}

/** The repository's own folder is missing or is another one. */
export function rootGone(root: string, why: string, cause?: unknown): EngineError {
  return new EngineError('unreachable', `The repository at ${root} ${why}.`, { hint: PLUGGED }, { cause });
}
