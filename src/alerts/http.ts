/**
 * Requests to webhooks, ntfy and monitors. An address may itself be the secret (its path is the key of many services), so
 * errors name only its host.
 */
import { EngineError } from '../api/errors.ts';
import { connectionError } from './network.ts';

export interface HttpMessage {
  readonly url: string;
  readonly method?: 'POST' | 'GET';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sent as a bearer token, to the host of `url` only. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** Enough for http → https and an added slash. */
const MOST_REDIRECTS = 3;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Longer than that a server cannot make us wait. */
const MOST_RETRY_AFTER_SECONDS = 6 * 3600;

/** The address, if it is one that may be used. Errors: 'usage'. */
export function addressOf(url: string): URL {
  if (!URL.canParse(url))
    throw new EngineError('usage', 'This is not an address. It has to begin with https://.');
  const address = new URL(url);
  if (address.protocol !== 'https:' && address.protocol !== 'http:') {
    throw new EngineError('usage', 'The address has to begin with https:// or http://.');
  }
  if (address.username !== '' || address.password !== '') {
    throw new EngineError(
      'usage',
      'The address holds a user name or a password. Take it out, and enter the token as the secret of this channel.',
    );
  }
  return address;
}

/**
 * Sends it, following redirects within the same host only. Resolves when the server has taken it (2xx).
 * Errors: 'usage', 'permission', 'not-found', 'unsupported'; transient: 'unreachable', 'rate-limited', 'io'.
 */
export async function sendHttp(message: HttpMessage): Promise<void> {
  let address = addressOf(message.url);
  const headers = { ...message.headers, ...authorization(message.token) };
  for (let hop = 0; ; hop++) {
    const response = await request(address, message, headers);
    // The answer itself says nothing that we need; left unread it would hold the connection.
    await response.body?.cancel();
    if (response.ok) return;
    const next = REDIRECTS.includes(response.status) ? response.headers.get('location') : null;
    if (next === null) throw statusError(response, address);
    if (hop === MOST_REDIRECTS) throw new EngineError('usage', `${address.host} redirects in circles.`);
    address = redirected(address, next);
  }
}

function authorization(token: string | undefined): Record<string, string> {
  if (token === undefined) return {};
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new EngineError('usage', 'The token holds blanks or letters that no token has. Enter it again.');
  }
  return { authorization: `Bearer ${token}` };
}

async function request(
  address: URL,
  message: HttpMessage,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  try {
    return await fetch(address, {
      method: message.method ?? 'POST',
      headers: { 'user-agent': 'Holdfast', ...headers },
      ...(message.body === undefined ? {} : { body: message.body }),
      redirect: 'manual',
      signal: message.signal,
    });
  } catch (e) {
    throw connectionError(codeOf(e), address.host);
  }
}

function codeOf(e: unknown): string | undefined {
  const cause = e instanceof Error ? e.cause : undefined;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

/** The secret and the message are for this host: whoever it points to must be entered by the person. */
function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href))
    throw new EngineError('usage', `${from.host} redirects to no address.`);
  const to = addressOf(new URL(location, from).href);
  const upgraded = from.protocol === to.protocol || to.protocol === 'https:';
  const samePort = from.port === to.port || from.protocol !== to.protocol;
  if (to.hostname === from.hostname && upgraded && samePort) return to;
  throw new EngineError(
    'usage',
    `${from.host} redirects to ${to.protocol}//${to.host}, which was not followed. If you trust it, enter that address instead.`,
  );
}

function statusError(response: Response, address: URL): EngineError {
  const { status } = response;
  const { host } = address;
  if (status === 401 || status === 403) {
    return new EngineError(
      'permission',
      `${host} refuses access (${status}). See whether the token is right.`,
    );
  }
  if (status === 404 || status === 410) {
    return new EngineError(
      'not-found',
      `${host} has nothing at this address (${status}). See whether it is right.`,
    );
  }
  if (status === 429) {
    const context = retryAfter(response.headers.get('retry-after'));
    return new EngineError('rate-limited', `${host} gets too many messages (429).`, {
      transient: true,
      context,
    });
  }
  if (status >= 500 || status === 408 || status === 425) {
    const context = retryAfter(response.headers.get('retry-after'));
    return new EngineError('io', `${host} has a fault of its own (${status}). Try again later.`, {
      transient: true,
      context,
    });
  }
  return new EngineError(
    'unsupported',
    `${host} does not take the message (${status}). See whether the address is meant for this kind of channel.`,
    { context: { status } },
  );
}

/** Only the form in seconds; a date would need the server's clock to be right. */
function retryAfter(header: string | null): { readonly retryAfterSeconds?: number } {
  if (header === null || !/^\d{1,9}$/.test(header)) return {};
  return { retryAfterSeconds: Math.min(Number(header), MOST_RETRY_AFTER_SECONDS) };
}
