/**
 * What Dropbox's answers mean.
 *
 * tag       Dropbox's unions name their case in '.tag'; the case's own value lies in a field of that name, and may be a union again:
 *           {".tag": "path", "path": {".tag": "not_found"}} is here `path/not_found`
 * two 429   too_many_requests: the app asks too often, everybody waits. too_many_write_operations: two writes met in one
 *           account (its "namespace"), the later one lost
 */
import { DropboxResponseError } from 'dropbox';
import { EngineError, type ErrorCode, type ErrorDetails } from '../../api/errors.ts';
import { signInAgain } from './access.ts';

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** The tags of a union from the outside to the inside, joined by slashes; '' for what is none. */
export function tagOf(union: unknown): string {
  const fields = fieldsOf(union);
  const tag = fields['.tag'];
  if (typeof tag !== 'string') return '';
  // A struct as a case lies flat beside its tag: its `reason` goes on.
  const inner = tagOf(fields[tag]) || tagOf(fields.reason);
  return inner === '' ? tag : `${tag}/${inner}`;
}

/** The union of an answer to a failed call; undefined where it is a mere text. */
export function unionIn(body: unknown): unknown {
  return fieldsOf(body).error;
}

/** Where a session is, as its answer says: {".tag": "incorrect_offset", "correct_offset": 17}, at any depth. */
export function correctOffset(union: unknown): number | undefined {
  const fields = fieldsOf(union);
  const tag = fields['.tag'];
  if (tag === 'incorrect_offset') {
    const offset = fields.correct_offset ?? fieldsOf(fields.incorrect_offset).correct_offset;
    return typeof offset === 'number' ? offset : undefined;
  }
  return typeof tag === 'string' && tag in fields ? correctOffset(fields[tag]) : undefined;
}

/** Of a failed call. */
export interface Refusal {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed, or the text. */
  readonly body: unknown;
}

/** Two writes met: the later one may simply be made again. */
export function isWriteConflict(tag: string): boolean {
  return tag.split('/').includes('too_many_write_operations');
}

/** Seconds; undefined for another refusal than a 429 for too many requests. */
export function pauseAsked({ status, headers, body }: Refusal): number | undefined {
  if (status !== 429) return undefined;
  const union = unionIn(body);
  const reason = tagOf(union) || tagOf(fieldsOf(union).reason);
  if (isWriteConflict(reason)) return undefined;
  const told = Number(fieldsOf(union).retry_after ?? headers['retry-after']);
  return Number.isFinite(told) && told >= 0 ? told : 1;
}

/** What a person can do, by the innermost tag. */
const BY_TAG: Readonly<Record<string, readonly [code: ErrorCode, message: string, details?: ErrorDetails]>> =
  {
    insufficient_space: [
      'no-space',
      'The Dropbox is full.',
      { hint: 'Make room in it, or have it enlarged. What was removed counts until it is gone for good.' },
    ],
    team_folder_insufficient_space: ['no-space', 'The team folder is full.'],
    member_folder_insufficient_space: ['no-space', 'The folder of this member of the team is full.'],
    no_write_permission: [
      'permission',
      'Dropbox does not let us write to this folder.',
      { hint: 'Choose a folder of your own, or have yourself made an editor of this one.' },
    ],
    access_restricted: ['permission', 'Dropbox does not let us change this.'],
    team_folder: ['permission', 'A team folder can’t be changed like that.'],
    operation_suppressed: ['permission', 'Dropbox has suppressed the change.'],
    restricted_content: ['permission', 'Dropbox gives this file to nobody: its contents are restricted.'],
    locked: ['permission', 'Somebody has locked the file in Dropbox.'],
    route_access_denied: ['permission', 'This app may not make that call.'],
    no_permission: ['permission', 'Dropbox does not permit that.'],
    invalid_account_type: ['permission', 'The kind of this Dropbox account does not permit that.'],
    paper_access_denied: ['permission', 'Dropbox does not permit that.'],
    team_access_denied: ['permission', 'The team does not let this app in.'],
    email_unverified: [
      'permission',
      'The address of this Dropbox account has not been verified.',
      { hint: 'Sign in at www.dropbox.com and verify the address.' },
    ],
    malformed_path: [
      'usage',
      'Dropbox can’t have a folder of that name.',
      { hint: 'Choose another folder.' },
    ],
    disallowed_name: [
      'usage',
      'Dropbox does not allow a folder of that name.',
      { hint: 'Choose another folder.' },
    ],
    not_folder: ['conflict', 'In the Dropbox, a file is where the repository has a folder.'],
    not_file: ['conflict', 'In the Dropbox, a folder is where the repository has a file.'],
    file_ancestor: ['conflict', 'In the Dropbox, a file is where the repository has a folder.'],
    folder: ['conflict', 'In the Dropbox, a folder is where the repository has a file.'],
    file: ['conflict', 'In the Dropbox, there already is a file of that name.'],
    upload_traffic_limit_reached: [
      'rate-limited',
      'The account may not upload any more for now.',
      { hint: 'The traffic of this Dropbox account is used up. Wait, or have the limit raised.' },
    ],
    too_many_write_operations: [
      'rate-limited',
      'Others write to this Dropbox at the same time.',
      { transient: true },
    ],
    content_hash_mismatch: ['io', 'Bytes were changed on their way to Dropbox.', { transient: true }],
    internal_error: ['unreachable', 'Dropbox has a fault of its own.', { transient: true }],
    user_suspended: [
      'auth-expired',
      'This Dropbox account is suspended.',
      { hint: 'See at www.dropbox.com why, then sign in again at the destination.' },
    ],
  };

/** An error of one entry of a batch, or of a call that answered 409. */
export function fromTag(tag: string, doing: string): EngineError {
  const known = tag
    .split('/')
    .reverse()
    .map((part) => (Object.hasOwn(BY_TAG, part) ? BY_TAG[part] : undefined))
    .find((found) => found !== undefined);
  const context = { reason: tag };
  if (known === undefined) return new EngineError('io', `Dropbox can't ${doing}: ${tag}.`, { context });
  const [code, message, details] = known;
  return new EngineError(code, message, { ...details, context });
}

function missingScope(union: unknown): EngineError {
  const { required_scope: scope } = fieldsOf(union);
  const name = typeof scope === 'string' ? scope : 'a permission';
  return new EngineError('permission', `The app at Dropbox lacks the permission ${name}.`, {
    hint: 'Give the app that permission at www.dropbox.com/developers/apps, then sign in again.',
    context: { reason: 'missing_scope', scope: name },
  });
}

/** A failed call, by its status. */
export function fromRefusal(refusal: Refusal, doing: string, cause?: unknown): EngineError {
  const { code, message, transient, hint, context } = meaningOf(refusal, doing);
  return new EngineError(
    code,
    message,
    { transient, context, ...(hint === undefined ? {} : { hint }) },
    { cause },
  );
}

function meaningOf(refusal: Refusal, doing: string): EngineError {
  const { status, body } = refusal;
  const union = unionIn(body);
  const tag = tagOf(union);
  if (tag === 'missing_scope') return missingScope(union);
  if (status === 429) return tooMany(refusal);
  if (status >= 500) return ofServer(status);
  if (tag !== '' && (status !== 401 || Object.hasOwn(BY_TAG, tag))) return fromTag(tag, doing);
  if (status === 401) return signInAgain(tag || 'HTTP 401');
  const code = status === 403 ? 'permission' : 'io';
  const said = typeof body === 'string' ? body.slice(0, 200) : `HTTP ${status}`;
  return new EngineError(code, `Dropbox can't ${doing}: ${said}`, { context: { status } });
}

function tooMany(refusal: Refusal): EngineError {
  const seconds = pauseAsked(refusal);
  if (seconds === undefined) return fromTag('too_many_write_operations', '');
  return new EngineError('rate-limited', 'Dropbox asks us to slow down.', {
    transient: true,
    context: { reason: 'too_many_requests', retryAfterSeconds: seconds },
  });
}

function ofServer(status: number): EngineError {
  return new EngineError('unreachable', `Dropbox has a fault of its own (HTTP ${status}).`, {
    transient: true,
    hint: 'Dropbox tells at status.dropbox.com whether it works.',
    context: { status },
  });
}

/** What the SDK throws for an answer that is no success; undefined for anything else. */
export function refusalIn(e: unknown): Refusal | undefined {
  if (!(e instanceof DropboxResponseError)) return undefined;
  const headers: unknown = e.headers;
  const flat = headers instanceof Headers ? Object.fromEntries(headers) : {};
  return { status: e.status, headers: flat, body: e.error };
}
