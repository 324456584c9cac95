/**
 * Signing in to a service in the person's own browser, as installed programs do (RFC 8252), with proof of possession (PKCE, RFC 7636).
 *
 * loopback  the browser is sent back to a port of this computer, which listens only until it comes
 * paste     where the browser runs on another computer that address leads nowhere: the person pastes it, or the code in it
 * tokens    access: short-lived, for calls; refresh: long-lived, from which new ones are made
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EngineError, messageOf } from '../../api/errors.ts';
import { orAbort, throwIfAborted } from '../calls.ts';
import type { HttpClient } from '../http/client.ts';

/** A service's addresses, and who asks. */
export interface OAuthClient {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Of desktop programs no secret in truth; some services want it all the same. */
  readonly clientSecret?: string | undefined;
  readonly scope?: string;
  /** Further parameters of the first address: `access_type=offline`. */
  readonly extra?: Readonly<Record<string, string>>;
  /**
   * Where the browser is sent back to: any port of 127.0.0.1 unless told. A port: of localhost, for services that want the whole
   * address registered. 'none': nowhere, the service shows a code to be pasted.
   */
  readonly redirect?: { readonly port: number } | 'none';
}

export interface Tokens {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Not in every answer: the old one then stays good. */
  readonly refreshToken?: string;
}

export interface SignIn {
  /** To be opened in the browser. */
  readonly url: string;
  /**
   * Waits for the browser, or takes what was pasted: the whole address it ended at, or the bare code. May be called again after a
   * wrong paste. Errors: 'auth-expired' (refused), 'usage' (wrong paste), 'cancelled', those of the network.
   */
  tokens(o?: { readonly pasted?: string; readonly signal?: AbortSignal }): Promise<Tokens>;
  close(): void;
}

const BACK = '/holdfast';

/** Errors: 'io' where no port can be had. */
export async function beginSignIn(client: OAuthClient, http: HttpClient, now: () => number): Promise<SignIn> {
  const verifier = randomBytes(48).toString('base64url');
  const state = randomBytes(24).toString('base64url');
  const arrival = await arrivalFor(client, state);
  const { redirect } = arrival;
  const exchange = (code: string) =>
    askForTokens(client, http, now, {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      ...redirect,
    });
  return {
    url: addressFor(client, { state, redirect, challenge: challengeOf(verifier) }),
    async tokens(o = {}) {
      throwIfAborted(o.signal);
      const code = o.pasted === undefined ? await orAbort(arrival.code, o.signal) : codeIn(o.pasted, state);
      const tokens = await exchange(code);
      arrival.close();
      return tokens;
    },
    close: () => arrival.close(),
  };
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

function addressFor(
  client: OAuthClient,
  o: { readonly state: string; readonly redirect: Redirect; readonly challenge: string },
): string {
  const url = new URL(client.authorizeUrl);
  const parameters = {
    response_type: 'code',
    client_id: client.clientId,
    ...o.redirect,
    code_challenge: o.challenge,
    code_challenge_method: 'S256',
    state: o.state,
    ...(client.scope === undefined ? {} : { scope: client.scope }),
    ...client.extra,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

type Redirect = { readonly redirect_uri: string } | Record<string, never>;

interface Arrival {
  readonly redirect: Redirect;
  readonly code: Promise<string>;
  close(): void;
}

/** Where nobody is sent back the code never comes: only pasting, an abort or the end of the program ends the wait. */
async function arrivalFor({ redirect }: OAuthClient, state: string): Promise<Arrival> {
  if (redirect !== 'none') return listen(state, redirect?.port);
  return { redirect: {}, code: Promise.withResolvers<string>().promise, close: () => undefined };
}

/** Errors: 'io' where the port can't be had. */
async function listen(state: string, wanted?: number): Promise<Arrival> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // Nobody may be waiting when it comes.
  promise.catch(() => {});
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method !== 'GET' || url.pathname !== BACK || url.searchParams.get('state') !== state) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', connection: 'close' });
    try {
      resolve(codeIn(url.href, state));
      response.end(page('You are signed in. You can close this page and go back to Holdfast.'));
    } catch (e) {
      reject(e);
      response.end(page('Holdfast was not given access. You can close this page and try again.'));
    }
  });
  server.listen(wanted ?? 0, '127.0.0.1');
  await once(server, 'listening').catch(refuseListening);
  // An address that is registered names localhost: services refuse bare numbers without TLS.
  const host = wanted === undefined ? '127.0.0.1' : 'localhost';
  const redirect_uri = `http://${host}:${portOf(server)}${BACK}`;
  return { redirect: { redirect_uri }, code: promise, close: () => server.close() };
}

function refuseListening(e: unknown): never {
  throw new EngineError('io', `No port for the sign-in: ${messageOf(e)}.`, {}, { cause: e });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function page(sentence: string): string {
  return `<!doctype html><meta charset="utf-8"><title>Holdfast</title><p style="font: 1.1rem system-ui; margin: 4rem auto; max-width: 30rem">${sentence}</p>`;
}

/** Errors: 'auth-expired' where the service says no, 'usage' for what is neither an address with a code nor a code. */
function codeIn(text: string, state: string): string {
  const trimmed = text.trim();
  if (!/^https?:/i.test(trimmed)) {
    if (/^[\w\-./+=%~]{8,}$/.test(trimmed)) return trimmed;
    throw wrongPaste();
  }
  const { searchParams } = URL.canParse(trimmed) ? new URL(trimmed) : { searchParams: new URLSearchParams() };
  const refusal = searchParams.get('error');
  if (refusal !== null) throw refused(refusal);
  const code = searchParams.get('code');
  if (code === null || searchParams.get('state') !== state) throw wrongPaste();
  return code;
}

function wrongPaste(): EngineError {
  return new EngineError('usage', 'That is not the address that this sign-in ends at, nor its code.', {
    hint: 'Copy the whole address out of the browser, after the service has let you in.',
  });
}

function refused(reason: string): EngineError {
  return new EngineError('auth-expired', 'The service did not give Holdfast access.', {
    hint: 'Sign in again, and allow Holdfast what it asks for.',
    context: { reason },
  });
}

/** Errors: 'auth-expired' where the refresh token is not good any more, those of the network. */
export async function refreshTokens(
  client: OAuthClient,
  http: HttpClient,
  now: () => number,
  refreshToken: string,
  signal?: AbortSignal,
): Promise<Tokens> {
  const tokens = await askForTokens(
    client,
    http,
    now,
    { grant_type: 'refresh_token', refresh_token: refreshToken },
    signal,
  );
  return { refreshToken, ...tokens };
}

async function askForTokens(
  client: OAuthClient,
  http: HttpClient,
  now: () => number,
  fields: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Tokens> {
  const secret = client.clientSecret === undefined ? {} : { client_secret: client.clientSecret };
  const form = new URLSearchParams({ ...fields, client_id: client.clientId, ...secret });
  const asked = now();
  const answer = await http.request({
    method: 'POST',
    url: client.tokenUrl,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: [Buffer.from(form.toString())],
    signal,
  });
  const said = parse(answer.body);
  if (answer.status !== 200) throw tokenError(answer.status, answer.headers, said);
  const { access_token, expires_in, refresh_token } = said;
  if (typeof access_token !== 'string') throw new EngineError('io', 'The service gave no access token.');
  const seconds = typeof expires_in === 'number' ? expires_in : 3600;
  return {
    accessToken: access_token,
    expiresAt: asked + seconds * 1000,
    ...(typeof refresh_token === 'string' ? { refreshToken: refresh_token } : {}),
  };
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function tokenError(
  status: number,
  headers: Readonly<Record<string, string>>,
  said: Readonly<Record<string, unknown>>,
): EngineError {
  const reason = typeof said.error === 'string' ? said.error : `HTTP ${status}`;
  if (status === 429 || status >= 500) {
    const after = Number(headers['retry-after']);
    const pause = after > 0 ? { retryAfterSeconds: after } : {};
    return new EngineError(
      status === 429 ? 'rate-limited' : 'unreachable',
      `The sign-in service answered ${reason}.`,
      {
        transient: true,
        context: pause,
      },
    );
  }
  const ofClient = reason === 'invalid_client' || reason === 'unauthorized_client';
  const message = ofClient
    ? 'The service does not accept the client id and its secret.'
    : 'The login is not accepted any more.';
  const hint = ofClient
    ? 'See whether both are still right, then sign in again at the destination.'
    : 'Sign in again at the destination.';
  return new EngineError('auth-expired', message, { hint, context: { reason } });
}
