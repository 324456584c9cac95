/**
 * Drive's refusals as errors of Holdfast.
 *
 * reason   the word by which Drive tells refusals apart; its status alone says little, for 403 is also "slow down":
 *          {"error": {"code": 403, "message": "…", "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}]}}
 */
import { EngineError, type ErrorCode, type ErrorDetails } from '../../api/errors.ts';
import type { HttpAnswer } from '../http/client.ts';
import { signInAgain } from '../oauth/access.ts';

export const SERVICE = 'Google Drive';

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What an answer holds, by its fields; none for what is no JSON object. */
export function bodyOf(answer: HttpAnswer): Fields {
  try {
    return fieldsOf(JSON.parse(answer.body.toString('utf8')));
  } catch {
    return {};
  }
}

interface Refusal {
  readonly reason: string;
  readonly message: string;
}

function refusalIn(answer: HttpAnswer): Refusal {
  const error = fieldsOf(bodyOf(answer).error);
  const first = fieldsOf(Array.isArray(error.errors) ? error.errors[0] : undefined);
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return { reason: text(first.reason) || text(error.status), message: text(error.message).slice(0, 200) };
}

const SLOWER = [
  'rateLimitExceeded',
  'userRateLimitExceeded',
  'sharingRateLimitExceeded',
  'RESOURCE_EXHAUSTED',
];

/** Whether all calls have to wait, for how many seconds at least; undefined for any other answer. */
export function pauseAsked(answer: HttpAnswer): number | undefined {
  const { status, headers } = answer;
  if (status !== 429 && status !== 403) return undefined;
  const { reason } = refusalIn(answer);
  if (Object.hasOwn(BY_REASON, reason)) return undefined;
  if (status === 403 && !SLOWER.includes(reason)) return undefined;
  const told = Number(headers['retry-after']);
  return Number.isFinite(told) && told > 0 ? told : 0;
}

const MAKE_ROOM: ErrorDetails = {
  hint: 'Make room in the account (the bin counts, and so do mail and photos), or have it enlarged.',
};

const TOMORROW: ErrorDetails = {
  hint: 'Google lets an account send 750 GB in a day, and read a file only so often. Go on tomorrow.',
};

/** What a person can do. */
const BY_REASON: Readonly<
  Record<string, readonly [code: ErrorCode, message: string, details?: ErrorDetails]>
> = {
  storageQuotaExceeded: ['no-space', 'The Google account is full.', MAKE_ROOM],
  quotaExceeded: ['no-space', 'The Google account is full.', MAKE_ROOM],
  teamDriveFileLimitExceeded: [
    'no-space',
    'The shared drive holds as many files as one may.',
    { hint: 'Remove what is not needed, or use another shared drive.' },
  ],
  activeItemCreationLimitExceeded: [
    'no-space',
    'The Google account holds as many files as one may.',
    { hint: 'Remove what is not needed.' },
  ],
  numChildrenInNonRootLimitExceeded: [
    'no-space',
    'A folder in Google Drive holds as many files as one may.',
    { hint: 'Remove old snapshots and prune, or begin a repository in another folder.' },
  ],
  dailyLimitExceeded: [
    'rate-limited',
    'The client id has used up what Google allows it for today.',
    TOMORROW,
  ],
  uploadLimitExceeded: ['rate-limited', 'The account may not send any more to Google Drive today.', TOMORROW],
  downloadQuotaExceeded: ['rate-limited', 'Google Drive does not give this file any more today.', TOMORROW],
  accessNotConfigured: [
    'permission',
    'The Google Drive API is not enabled for the client id.',
    { hint: 'Enable it in the project of the client id at console.cloud.google.com, and wait some minutes.' },
  ],
  insufficientPermissions: [
    'permission',
    'The login lacks the right to files in Google Drive.',
    { hint: 'Sign in again, and leave the tick at what Holdfast asks for.' },
  ],
  insufficientFilePermissions: [
    'permission',
    'The account may not change this in Google Drive.',
    { hint: 'In a shared drive, have yourself made a content manager or manager.' },
  ],
  appNotAuthorizedToFile: [
    'permission',
    'Google Drive shows Holdfast only what Holdfast made itself, and this was made by another program.',
  ],
  domainPolicy: [
    'permission',
    'The organisation of the account does not allow other programs to use Google Drive.',
    { hint: 'Ask its administrator to allow the client id.' },
  ],
  cannotDownloadAbusiveFile: [
    'permission',
    'Google takes this file for harmful, and does not give it.',
    { hint: 'A repository is encrypted, so that is an error: give the option gdrive.acknowledge-abuse=yes.' },
  ],
  teamDriveMembershipRequired: ['permission', 'The account is not a member of the shared drive.'],
  teamDrivesFolderMoveInNotSupported: ['permission', 'The shared drive does not take this folder.'],
};

/** The error of an answer that is no success. `reason` and `status` are in its context. */
export function fromAnswer(answer: HttpAnswer): EngineError {
  const { status } = answer;
  const { reason, message } = refusalIn(answer);
  const context = { status, reason: reason || `HTTP ${status}` };
  const known = Object.hasOwn(BY_REASON, reason) ? BY_REASON[reason] : undefined;
  if (known) return new EngineError(known[0], known[1], { ...known[2], context });
  const seconds = pauseAsked(answer);
  if (seconds !== undefined) return slowDown(seconds, context);
  if (status === 401) return signInAgain(SERVICE, context.reason);
  if (status === 404 || status === 410)
    return new EngineError('not-found', 'Google Drive has no such file.', { context });
  if (status >= 500 || status === 408) return ofServer(context);
  const code = status === 403 ? 'permission' : 'io';
  return new EngineError(code, `Google Drive refuses: ${message || context.reason}`, { context });
}

function slowDown(seconds: number, context: Readonly<{ status: number; reason: string }>): EngineError {
  return new EngineError('rate-limited', 'Google Drive asks us to slow down.', {
    transient: true,
    hint: 'If this lasts, the account may have sent its 750 GB of today.',
    context: { ...context, ...(seconds > 0 ? { retryAfterSeconds: seconds } : {}) },
  });
}

function ofServer(context: Readonly<{ status: number; reason: string }>): EngineError {
  return new EngineError('unreachable', `Google Drive has a fault of its own (HTTP ${context.status}).`, {
    transient: true,
    hint: 'Google tells at www.google.com/appsstatus whether Drive works.',
    context,
  });
}
