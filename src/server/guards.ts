/** What a request must be before anybody looks at what it wants. Pure. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { CLIENT_HEADER } from '../transport/http.ts';

/** A request that is refused, and with what. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** `sentence` is shown to whoever asked. */
  constructor(status: number, sentence: string, headers: Readonly<Record<string, string>> = {}) {
    super(sentence);
    this.name = 'Refusal';
    this.status = status;
    this.headers = headers;
  }
}

/** As large as a body may be, in bytes. */
export const LARGEST_BODY = 8 * 1024 * 1024;

/** Nothing from elsewhere, nothing in other pages' frames, no script or style in a page itself. */
const POLICY = {
  'default-src': "'self'",
  'img-src': "'self' data: blob:",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
} as const;

const policyOf = (parts: Readonly<Record<string, string>>) =>
  Object.entries(parts)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');

export const HEADERS = {
  'content-security-policy': policyOf(POLICY),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
} as const;

/** The policy of a page whose only style is the one with this hash (`sha256-…`), and that has no script. */
export function policyForStyle(hash: string): string {
  return policyOf({ ...POLICY, 'default-src': "'none'", 'style-src': `'${hash}'` });
}

export interface Place {
  /** Whether only this machine can reach the server. */
  readonly loopback: boolean;
  /** Names, beyond this machine's own, under which it is reached. */
  readonly names: readonly string[];
  /** Such as `https://backup.home`, where a proxy answers to HTTPS. */
  readonly origins: readonly string[];
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Against DNS rebinding, where a foreign name is made to point here: only known names. An address is no name, so it can't
 * be rebound. Returns the Host as it was given.
 */
export function checkHost(headers: IncomingHttpHeaders, place: Place): string {
  const host = headers.host ?? '';
  const name = /^\[([0-9a-f:.]+)\](?::\d+)?$|^([^:/?#@\s]+)(?::\d+)?$/i.exec(host);
  const hostname = (name?.[1] ?? name?.[2] ?? '').toLowerCase();
  const known =
    isLoopback(hostname) ||
    (!place.loopback && isIP(hostname) !== 0) ||
    place.names.some((one) => one.toLowerCase() === hostname) ||
    place.origins.some((origin) => new URL(origin).hostname === hostname);
  if (hostname === '' || !known) throw new Refusal(421, 'Holdfast is not known by this name.');
  return host;
}

/** Whether the browser speaks HTTPS to whatever stands before this server. */
export function isSecure(host: string, place: Place): boolean {
  return place.origins.includes(`https://${host}`);
}

function isOurs(origin: string, host: string, place: Place): boolean {
  return origin === `http://${host}` || place.origins.includes(origin);
}

/** A WebSocket is opened by pages, which say where they come from. */
export function checkSocketOrigin(headers: IncomingHttpHeaders, host: string, place: Place): void {
  if (headers.origin === undefined || !isOurs(headers.origin, host, place)) throw foreign();
}

/**
 * Against other sites that make a browser send something here: whatever changes anything must come from a page of ours, or
 * from a program that is no browser and says so by a header that no site can add.
 */
export function checkOrigin(headers: IncomingHttpHeaders, host: string, place: Place): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw foreign();
  if (headers.origin !== undefined) {
    if (!isOurs(headers.origin, host, place)) throw foreign();
  } else if (site === undefined && headers[CLIENT_HEADER] === undefined) throw foreign();
}

const foreign = () => new Refusal(403, 'This came from another site.');

/** Bodies say how long they are before they begin. */
export function checkBody(req: IncomingMessage, largest: number = LARGEST_BODY): void {
  const length = req.headers['content-length'];
  const hasBody = length !== undefined || req.headers['transfer-encoding'] !== undefined;
  if (!hasBody && req.method !== 'POST') return;
  if (length === undefined) throw new Refusal(411, 'The length of the body is missing.', CLOSE);
  if (Number(length) > largest) throw new Refusal(413, 'The body is too large.', CLOSE);
}

/** What comes of the body is not waited for. */
const CLOSE = { connection: 'close' } as const;

/**
 * The path of a request, decoded. Refused is whatever no page of ours asks for: steps up, hidden names, backslashes,
 * control characters, and what is encoded twice.
 */
export function pathOf(url: string): string {
  const [raw = ''] = url.split('?', 1);
  if (!raw.startsWith('/') || url.length > 8192) throw badPath();
  const path = decoded(raw);
  if (/[\\\u0000-\u001f\u007f]|%(?:[0-7][0-9a-f])|\/\//i.test(path)) throw badPath();
  if (path.split('/').some((segment) => segment.startsWith('.'))) throw badPath();
  return path;
}

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw badPath();
  }
}

const badPath = () => new Refusal(400, 'There is no such address.');
