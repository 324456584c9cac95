/** What the process tells its caller. The numbers are restic's, so that scripts can rely on them. */
import type { ErrorCode } from '../api/errors.ts';
import { isEngineError } from '../api/errors.ts';

export const EXIT = {
  ok: 0,
  fatal: 1,
  /** A snapshot was made, or some were removed, but not all that was asked for. */
  incomplete: 3,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  /** Whoever read our output went away; what a shell reports for a program that SIGPIPE ended. */
  outputClosed: 141,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_ERROR: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  'repository-missing': EXIT.noRepository,
  locked: EXIT.locked,
  'wrong-password': EXIT.wrongPassword,
  'source-unreadable': EXIT.incomplete,
  cancelled: EXIT.interrupted,
};

/** The exit code for anything thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  return isEngineError(error) ? (BY_ERROR[error.code] ?? EXIT.fatal) : EXIT.fatal;
}
