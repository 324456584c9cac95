/**
 * What the answers of S3 services mean: their codes as errors that a person can act on. Sources: Amazon's "Error responses"
 * (S3 API reference), and the codes that MinIO, Ceph and others add.
 */
import { asEngineError, EngineError, type ErrorCode, messageOf } from '../../api/errors.ts';
import type { HttpAnswer } from '../http/client.ts';
import { secondsToWait } from '../rest/answers.ts';

export interface Asked {
  /** What we were about: "save the pack file …". */
  readonly doing: string;
  /** Where, safe to show. */
  readonly place: string;
}

interface Meaning {
  readonly code: ErrorCode;
  /** Follows "Could not …:". */
  readonly says: string;
  readonly transient?: boolean;
  readonly hint?: string;
}

const AGAIN = { transient: true } as const;
const KEY_REFUSED: Meaning = {
  code: 'auth-expired',
  says: 'the service does not accept the access key',
  hint: 'Check access key and secret key; they may have been deleted, or belong to another service.',
};
const TOKEN_OLD: Meaning = {
  code: 'auth-expired',
  says: 'the key is no longer valid',
  hint: 'It was a passing one with a session token: get a new one, or use an access key that lasts.',
};
const FORBIDDEN: Meaning = {
  code: 'permission',
  says: 'the service forbids it',
  hint: 'The access key needs the rights to list the bucket, and to read, write and delete its objects.',
};
const FULL: Meaning = {
  code: 'no-space',
  says: 'there is no room left',
  hint: 'Make room there, raise the quota, or remove old versions with forget and prune.',
};
const SLOWER: Meaning = { code: 'rate-limited', says: 'the service asks us to slow down', ...AGAIN };
const GARBLED: Meaning = { code: 'io', says: 'other bytes arrived than were sent', ...AGAIN };
const NO_CALL: Meaning = {
  code: 'unsupported',
  says: 'the service has no such call',
  hint: 'Is it an S3 service, and is the address right?',
};
const FAULT: Meaning = { code: 'io', says: 'the service reports a fault of its own', ...AGAIN };
const LATE: Meaning = { code: 'timeout', says: 'the service did not get it all in time', ...AGAIN };
const CUT: Meaning = { code: 'unreachable', says: 'the connection broke off', ...AGAIN };
const NO_BUCKET: Meaning = {
  code: 'repository-missing',
  says: 'there is no such bucket',
  hint: 'Check its name and the address of the service.',
};
const OTHER_REGION: Meaning = {
  code: 'usage',
  says: 'the bucket is in another region',
  hint: 'Give the region with -o s3.region=… (or in the destination’s settings).',
};
const CLOCK: Meaning = {
  code: 'permission',
  says: 'the clock of this computer and that of the service differ too much',
  hint: 'Set the date and the time of this computer right.',
};
const FROZEN: Meaning = {
  code: 'permission',
  says: 'it lies in an archive, from where files have to be fetched first',
  hint: 'Have it restored in the console of the service, and take the rule away that moves backups there.',
};

const BY_CODE: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: KEY_REFUSED,
  SignatureDoesNotMatch: KEY_REFUSED,
  InvalidSecurity: KEY_REFUSED,
  NotSignedUp: KEY_REFUSED,
  ExpiredToken: TOKEN_OLD,
  InvalidToken: TOKEN_OLD,
  TokenRefreshRequired: TOKEN_OLD,
  AccessDenied: FORBIDDEN,
  AllAccessDisabled: FORBIDDEN,
  AccountProblem: FORBIDDEN,
  BucketAlreadyExists: {
    code: 'permission',
    says: 'a bucket of that name belongs to somebody else',
    hint: 'Choose another name: all customers of the service share them.',
  },
  TooManyBuckets: {
    code: 'no-space',
    says: 'the account has as many buckets as it may',
    hint: 'Use one that is there.',
  },
  InvalidBucketName: { code: 'usage', says: 'a bucket can’t have that name' },
  NoSuchBucket: NO_BUCKET,
  RequestTimeTooSkewed: CLOCK,
  RequestExpired: CLOCK,
  SlowDown: SLOWER,
  SlowDownRead: SLOWER,
  SlowDownWrite: SLOWER,
  ServiceUnavailable: SLOWER,
  Throttling: SLOWER,
  ThrottlingException: SLOWER,
  TooManyRequests: SLOWER,
  RequestLimitExceeded: SLOWER,
  BandwidthLimitExceeded: SLOWER,
  InternalError: FAULT,
  OperationAborted: { code: 'io', says: 'something else was done with the same name just then', ...AGAIN },
  ConditionalRequestConflict: {
    code: 'io',
    says: 'something else was done with the same name just then',
    ...AGAIN,
  },
  NoSuchUpload: { code: 'io', says: 'the service has dropped what was sent so far', ...AGAIN },
  RequestTimeout: LATE,
  IncompleteBody: CUT,
  BadDigest: GARBLED,
  InvalidDigest: GARBLED,
  XAmzContentSHA256Mismatch: GARBLED,
  XAmzContentChecksumMismatch: GARBLED,
  EntityTooLarge: {
    code: 'no-space',
    says: 'the service takes no object of that size',
    hint: 'A smaller pack size helps.',
  },
  QuotaExceeded: FULL,
  QuotaExceededException: FULL,
  StorageQuotaExceeded: FULL,
  InsufficientStorage: FULL,
  XMinioStorageFull: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
  PermanentRedirect: OTHER_REGION,
  TemporaryRedirect: OTHER_REGION,
  AuthorizationHeaderMalformed: OTHER_REGION,
  IllegalLocationConstraintException: OTHER_REGION,
  InvalidRegion: OTHER_REGION,
  MethodNotAllowed: NO_CALL,
  NotImplemented: NO_CALL,
  InvalidObjectState: FROZEN,
};

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  301: OTHER_REGION,
  307: OTHER_REGION,
  401: KEY_REFUSED,
  403: FORBIDDEN,
  405: NO_CALL,
  407: {
    code: 'unreachable',
    says: 'the proxy wants a login',
    hint: 'Put it into the address in HTTPS_PROXY.',
  },
  408: LATE,
  413: FULL,
  429: SLOWER,
  501: NO_CALL,
  502: { code: 'unreachable', says: 'the service is not reached by the proxy before it', ...AGAIN },
  503: SLOWER,
  504: { code: 'timeout', says: 'the service does not answer the proxy before it', ...AGAIN },
  507: FULL,
};

/** The code that a service gives: '' where its answer has none, as those to HEAD. */
export function codeOf(e: unknown): string {
  if (!(e instanceof Error)) return '';
  const code = 'Code' in e && typeof e.Code === 'string' ? e.Code : e.name;
  return /^(Error|NotFound|Forbidden|BadRequest|UnknownError|Unknown|\d+)$/.test(code) ? '' : code;
}

function meaningOf(code: string, status: number): Meaning {
  const known = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : BY_STATUS[status];
  if (known !== undefined) return known;
  const says = `the service answers ${status}${code === '' ? '' : ` (${code})`}`;
  return { code: 'io', says, transient: status >= 500 };
}

/** Of an error of ours: the number in the answer that it was made of. */
export function statusOf(e: unknown): number | undefined {
  const status = e instanceof EngineError ? e.context.status : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** Of an error of ours: the service's code, if it gave one. */
export function reasonOf(e: unknown): string | undefined {
  const reason = e instanceof EngineError ? e.context.reason : undefined;
  return typeof reason === 'string' ? reason : undefined;
}

/** Anything that the SDK throws as an error of ours. `answer`: the last one that came, if one did. */
export function failureOf(e: unknown, answer: HttpAnswer | undefined, { doing, place }: Asked): EngineError {
  if (e instanceof EngineError) return e;
  if (answer === undefined) return keyFailure(e) ?? asEngineError(e);
  const { status } = answer;
  const code = codeOf(e);
  const { says, transient = false, hint, code: ours } = meaningOf(code, status);
  const wait = transient ? secondsToWait(answer.headers['retry-after']) : undefined;
  const context = {
    status,
    ...(code === '' ? {} : { reason: code }),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  };
  const message = `Could not ${doing}: ${says} (${place}).`;
  const details = { transient, context, ...(hint === undefined ? {} : { hint }) };
  return new EngineError(ours, message, details, { cause: e });
}

/** Of the SDK's own ways to a key, which are gone before anything is asked. */
function keyFailure(e: unknown): EngineError | undefined {
  if (!(e instanceof Error) || !/Credentials|Token|SSO/.test(e.name)) return undefined;
  const message = `No access key for S3 could be had: ${messageOf(e)}`;
  const hint = 'Sign in anew with the tool that keeps the profile (such as `aws sso login`).';
  return new EngineError('auth-expired', message, { hint }, { cause: e });
}
