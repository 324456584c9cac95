/** What the answers of a REST server mean: its numbers as errors that a person can act on. */
import { EngineError, type ErrorCode } from '../../api/errors.ts';
import type { Handle, LoadOptions } from '../backend.ts';
import { outOfRange, spanOf } from '../calls.ts';
import type { HttpAnswer } from '../http/client.ts';

export interface Asked {
  /** What we were about: "save the pack file …". */
  readonly doing: string;
  /** Where, safe to show. */
  readonly place: string;
}

export function isGood({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

interface Meaning {
  readonly code: ErrorCode;
  /** Follows "The server …". */
  readonly says: string;
  readonly transient?: boolean;
  readonly hint?: string;
}

const ASK_AGAIN = { transient: true } as const;
const IS_IT_ONE = 'Is it a REST server for restic, and is the path right?';

const MEANINGS: Readonly<Record<number, Meaning>> = {
  401: {
    code: 'auth-expired',
    says: 'does not accept the user name and password, or wants some',
    hint: 'Check both; the server’s administrator can set them anew.',
  },
  403: {
    code: 'permission',
    says: 'forbids it',
    hint: 'Ask the server’s administrator what this user may do, and whether the path belongs to it.',
  },
  404: { code: 'not-found', says: 'does not know of it', hint: IS_IT_ONE },
  405: { code: 'unsupported', says: 'has no such call', hint: IS_IT_ONE },
  408: { code: 'timeout', says: 'did not get the request in time', ...ASK_AGAIN },
  413: {
    code: 'no-space',
    says: 'takes no file of that size',
    hint: 'The space it grants is used up, or a proxy before it has a limit of its own for one request.',
  },
  429: { code: 'rate-limited', says: 'asks us to slow down', ...ASK_AGAIN },
  501: { code: 'unsupported', says: 'has no such call', hint: IS_IT_ONE },
  502: { code: 'unreachable', says: 'is not reached by the proxy before it', ...ASK_AGAIN },
  503: { code: 'rate-limited', says: 'is overloaded or being looked after', ...ASK_AGAIN },
  504: { code: 'timeout', says: 'does not answer the proxy before it', ...ASK_AGAIN },
  507: {
    code: 'no-space',
    says: 'has no room left',
    hint: 'Make room there, or remove old versions with forget and prune.',
  },
};

function meaningOf({ status, headers }: HttpAnswer): Meaning {
  const known = MEANINGS[status];
  if (known) return known;
  if (status >= 300 && status < 400) {
    const hint = `Give that address instead: ${withoutLogin(headers.location ?? '')}`;
    return { code: 'usage', says: 'sends us elsewhere', ...(headers.location ? { hint } : {}) };
  }
  // rest-server answers 400 also when the bytes that arrived do not have the sum that is their name.
  return { code: 'io', says: `answers ${status}`, transient: status >= 500 || status === 400 };
}

function withoutLogin(address: string): string {
  const url = URL.parse(address);
  return url === null ? address.replace(/[?#].*$/s, '') : url.origin + url.pathname;
}

/** An answer that is no success, as an error. */
export function failureOf(answer: HttpAnswer, { doing, place }: Asked): EngineError {
  const { code, says, transient = false, hint } = meaningOf(answer);
  const wait = transient ? secondsToWait(answer.headers['retry-after']) : undefined;
  const message = `Could not ${doing}: the server ${says} (${place}).${wordsOf(answer)}`;
  return new EngineError(code, message, {
    transient,
    ...(hint === undefined ? {} : { hint }),
    context: { status: answer.status, ...(wait === undefined ? {} : { retryAfterSeconds: wait }) },
  });
}

const MOST_WORDS = 200;

/** What the server says in its own words, if that is a short plain sentence. */
function wordsOf({ headers, body, status }: HttpAnswer): string {
  if (!headers['content-type']?.startsWith('text/plain') || body.length > MOST_WORDS) return '';
  const words = body
    .toString()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return words === '' ? '' : ` It says: “${words}” (${status}).`;
}

const LONGEST_WAIT_S = 3600;

/** Of a Retry-After: seconds, or the date when. An hour at most. */
export function secondsToWait(text: string | undefined, now = Date.now()): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\s*\d+\s*$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(LONGEST_WAIT_S, Math.max(0, Math.ceil(seconds))) : undefined;
}

interface ContentRange {
  readonly first: number;
  readonly last: number;
  /** Of the file; undefined where the server does not say. */
  readonly size: number | undefined;
}

/**
 * Of `bytes 3-6/10` and of `bytes *\/10`, where nothing is in the range (RFC 9110, 14.4). rclone writes `bytes 10-9/10` for nothing,
 * and `bytes 0--1/0` for an empty file.
 */
export function parseContentRange(text: string | undefined): Partial<ContentRange> {
  const [, first, last, size] = /^bytes (?:(\d+)-(-?\d+)|\*)\/(\d+|\*)$/.exec(text ?? '') ?? [];
  return {
    ...(first === undefined ? {} : { first: Number(first), last: Number(last) }),
    size: size === undefined || size === '*' ? undefined : Number(size),
  };
}

/** The bytes of a 206, which must be just those that were asked for. Errors: 'range', 'io'. */
export function partOf(h: Handle, o: LoadOptions | undefined, answer: HttpAnswer, asked: Asked): Buffer {
  const { body, headers } = answer;
  const { first, last, size } = parseContentRange(headers['content-range']);
  const offset = o?.offset ?? 0;
  const end = offset + body.length;
  const { length } = spanOf(h, size ?? Math.max(end, offset + (o?.length ?? 0)), o);
  if (first !== offset || last !== end - 1 || body.length > length) throw otherBytes(asked);
  if (body.length < length) throw outOfRange(h, size ?? end, { offset, length });
  return body;
}

/** The bytes out of a 200, from a server that gives only whole files. Errors: 'range'. */
export function partOfWhole(h: Handle, o: LoadOptions | undefined, { body }: HttpAnswer): Buffer {
  const { offset, length } = spanOf(h, body.length, o);
  if (length === body.length) return body;
  const part = Buffer.allocUnsafeSlow(length);
  body.copy(part, 0, offset, offset + length);
  return part;
}

function otherBytes({ doing, place }: Asked): EngineError {
  return new EngineError('io', `Could not ${doing}: the server gave other bytes than asked for (${place}).`);
}
