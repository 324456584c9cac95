/**
 * The one error class of Holdfast and its closed list of codes. Pure: runs in the engine, the shell and the
 * browser. Each code has a heading in docs/errors.md.
 */
export const ERROR_CODES = [
  'usage', // the call itself is wrong: unknown flag, impossible combination, malformed value
  'repository-missing', // nothing at that location
  'repository-exists', // init where a repository already is
  'wrong-password', // no key of the repository opens with it
  'locked', // another process holds a lock that excludes this one
  'lock-lost', // our own lock could not be refreshed in time; work stopped before it could do harm
  'damaged', // bytes in the repository are not what they must be
  'not-found', // a file that is not in the storage
  'range', // fewer bytes in the stored file than were asked for
  'snapshot-missing', // no snapshot answers to that id, prefix or filter
  'ambiguous', // an id prefix that fits more than one file
  'path-missing', // no such path inside a snapshot
  'no-space', // the storage or the target disk is full
  'permission', // the operating system or the service refuses
  'read-only', // the storage does not take writes
  'unreachable', // the storage does not answer
  'timeout', // it answers too late
  'rate-limited', // it asks us to slow down
  'auth-expired', // the service does not accept the login, or not any more
  'host-unverified', // a server is not known, or not the one it was: see context.fingerprint and context.changed
  'source-missing', // a source folder is gone
  'source-emptied', // a source folder is empty where the parent snapshot had files
  'source-unreadable', // some source files could not be read
  'conflict', // the target changed or exists, and the chosen rule forbids to touch it
  'unsupported', // a repository or a platform that this version can't serve
  'cancelled', // the person, a shutdown or a lost lock stopped it; see context.reason
  'io', // the operating system reports a fault that fits none above
  'internal', // a fault of Holdfast
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export type ErrorContext = Readonly<Record<string, string | number | boolean>>;

export interface ErrorDetails {
  /** The same call may succeed if it is simply made again. The only thing that retry looks at. */
  readonly transient?: boolean;
  /** The next step, as a sentence to the person. */
  readonly hint?: string;
  /** Facts for logs and programs; never a secret. */
  readonly context?: ErrorContext;
}

/** The form in which an error crosses a wire. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly transient: boolean;
  readonly hint?: string;
  readonly context?: ErrorContext;
}

export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly transient: boolean;
  readonly hint: string | undefined;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.transient = details.transient ?? false;
    this.hint = details.hint;
    this.context = details.context ?? {};
  }

  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      transient: this.transient,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(Object.keys(this.context).length === 0 ? {} : { context: this.context }),
    };
  }

  static fromWire(w: WireError): EngineError {
    return new EngineError(w.code, w.message, w);
  }
}

export function isEngineError(e: unknown, ...codes: readonly ErrorCode[]): e is EngineError {
  return e instanceof EngineError && (codes.length === 0 || codes.includes(e.code));
}

/** Whether nothing but a person helps, who signs in again or says that a server is the right one. */
export function needsSignIn(problem: Pick<WireError, 'code'> | null | undefined): boolean {
  return problem?.code === 'auth-expired' || problem?.code === 'host-unverified';
}

/** The message of anything thrown. */
export function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}

/** Anything thrown as an EngineError: itself, or `internal` with the original as its cause. */
export function asEngineError(e: unknown): EngineError {
  return e instanceof EngineError ? e : new EngineError('internal', messageOf(e), {}, { cause: e });
}

/** Closes a switch over a union: the compiler refuses the call while a case is missing. */
export function assertNever(value: never): never {
  throw new EngineError('internal', `unexpected value ${String(value)}`);
}
