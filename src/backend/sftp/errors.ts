/**
 * Translates what an SFTP server answers into errors a person can act on. Codes: draft-ietf-secsh-filexfer-02, section 7. Version 3
 * of the protocol has one word, "failure", for all that it did not foresee, full disks included.
 */
import { EngineError, type ErrorCode, isEngineError, messageOf } from '../../api/errors.ts';

export const STATUS = {
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

interface Meaning {
  readonly code: ErrorCode;
  readonly why: string;
  readonly transient?: boolean;
  readonly hint?: string;
}

export const FULL: Meaning = {
  code: 'no-space',
  why: 'the disk of the server is full',
  hint: 'Free some space there, or forget old snapshots and prune.',
};
export const READ_ONLY: Meaning = { code: 'read-only', why: 'the disk of the server is mounted read-only' };

const LOST: Meaning = { code: 'unreachable', why: 'the server lost its own connection', transient: true };
const MEANINGS: Readonly<Record<number, Meaning>> = {
  [STATUS.noSuchFile]: { code: 'not-found', why: 'the server has no such file' },
  [STATUS.permissionDenied]: {
    code: 'permission',
    why: 'the server does not allow it',
    hint: 'Check who owns the folder on the server and which rights this login has.',
  },
  [STATUS.failure]: {
    code: 'io',
    why: 'the server failed and did not say why',
    hint: 'A quota may be used up, or the disk of the server may have a fault: its log tells.',
  },
  [STATUS.noConnection]: LOST,
  [STATUS.connectionLost]: LOST,
  [STATUS.unsupported]: { code: 'unsupported', why: 'the server does not know this request' },
};

/** The code of the answer; undefined for errors that are none. */
export function statusOf(e: unknown): number | undefined {
  return e instanceof Error && 'code' in e && typeof e.code === 'number' ? e.code : undefined;
}

/** `doing` completes "Could not …". An EngineError passes unchanged. */
export function fromStatus(e: unknown, doing: string, meaning?: Meaning): EngineError {
  if (isEngineError(e)) return e;
  const status = statusOf(e);
  const m = meaning ?? MEANINGS[status ?? -1];
  return new EngineError(
    m?.code ?? 'io',
    `Could not ${doing}: ${m?.why ?? messageOf(e)}.`,
    {
      transient: m?.transient ?? false,
      ...(m?.hint === undefined ? {} : { hint: m.hint }),
      ...(status === undefined ? {} : { context: { status } }),
    },
    { cause: e },
  );
}

export function rootGone(location: string, cause?: unknown): EngineError {
  return new EngineError(
    'unreachable',
    `The repository at ${location} is gone from the server.`,
    { hint: 'Is the disk of the server plugged in and mounted?' },
    { cause },
  );
}
