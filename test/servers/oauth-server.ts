/** The sign-in of the Google of tests: OAuth 2 for installed programs, with PKCE. The person consents at once. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OAuthClient } from '../../src/backend/oauth/oauth.ts';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Grant {
  readonly clientId: string;
  readonly challenge: string;
  readonly redirect: string;
  readonly scope: string;
  readonly offline: boolean;
}

interface Token {
  readonly clientId: string;
  readonly scope: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

const AUTHORIZE = ['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'code_challenge'];
const OPTIONAL = ['code_challenge_method', 'access_type', 'prompt', 'login_hint', 'include_granted_scopes'];
const LIVES_SECONDS = 3599;

const fresh = (kind: string): string => `${kind}.${randomBytes(24).toString('base64url')}`;

export class GoogleLogin {
  readonly clientId = '1234-test.apps.googleusercontent.com';
  readonly clientSecret = 'not-a-secret';
  /** What the person answers. */
  consents = true;
  /** How many access tokens were given for refresh tokens. */
  refreshed = 0;
  /** Each answer to a refresh brings a new refresh token, and the old one dies. */
  rotates = false;
  /** Answers to the next calls of the token address. */
  readonly trouble: Reply[] = [];
  readonly #now: () => number;
  readonly #codes = new Map<string, Grant>();
  readonly #refresh = new Map<string, Grant>();
  readonly #access = new Map<string, Token>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A login as after a sign-in. */
  grant(scope = 'https://www.googleapis.com/auth/drive.file', clientId = this.clientId) {
    const refreshToken = fresh('refresh');
    const grant = { clientId, scope, challenge: '', redirect: '', offline: true };
    this.#refresh.set(refreshToken, grant);
    return { accessToken: this.#newAccess(grant), refreshToken };
  }

  expireAll(): void {
    for (const [token, state] of this.#access) this.#access.set(token, { ...state, until: 0 });
  }

  revokeAll(): void {
    this.#access.clear();
    this.#refresh.clear();
  }

  /** undefined: nobody's, or not any more. */
  tokenFor(authorization: string | undefined): Token | undefined {
    const [, text = ''] = /^Bearer (\S+)$/.exec(authorization ?? '') ?? [];
    const token = this.#access.get(text);
    return token && this.#now() < token.until ? token : undefined;
  }

  /** Whether the request was one of the sign-in's. */
  async serve(url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (url.pathname === '/o/oauth2/v2/auth' && request.method === 'GET') this.#authorize(url, response);
    else if (url.pathname === '/token' && request.method === 'POST') await this.#token(request, response);
    else if (url.pathname === '/revoke' && request.method === 'POST') await this.#revoke(request, response);
    else return false;
    return true;
  }

  #authorize(url: URL, response: ServerResponse): void {
    const q = Object.fromEntries(url.searchParams);
    const wrong = this.#wrongIn(q);
    if (wrong !== undefined) {
      response.writeHead(400).end(`Error 400: invalid_request: ${wrong}`);
      return;
    }
    const back = new URL(q.redirect_uri ?? '');
    back.searchParams.set('state', q.state ?? '');
    if (this.consents) back.searchParams.set('code', this.#codeFor(q));
    else back.searchParams.set('error', 'access_denied');
    response.writeHead(302, { location: back.href }).end();
  }

  #wrongIn(q: Readonly<Record<string, string>>): string | undefined {
    const missing = AUTHORIZE.find((name) => !q[name]);
    if (missing !== undefined) return missing;
    const unknown = Object.keys(q).find((name) => ![...AUTHORIZE, ...OPTIONAL].includes(name));
    if (unknown !== undefined) return unknown;
    if (q.response_type !== 'code') return 'response_type';
    if (q.client_id !== this.clientId) return 'client_id';
    if (!/^http:\/\/(127\.0\.0\.1|localhost):\d+(\/|$)/.test(q.redirect_uri ?? '')) return 'redirect_uri';
    if (q.code_challenge_method !== 'S256') return 'code_challenge_method';
    if (!/^https:\/\/www\.googleapis\.com\/auth\/drive(\.\w+)?$/.test(q.scope ?? '')) return 'scope';
    return undefined;
  }

  #codeFor(q: Readonly<Record<string, string>>): string {
    const code = `4/${randomBytes(24).toString('base64url')}`;
    this.#codes.set(code, {
      clientId: q.client_id ?? '',
      challenge: q.code_challenge ?? '',
      redirect: q.redirect_uri ?? '',
      scope: q.scope ?? '',
      // Google gives a refresh token for certain only where it asked the person.
      offline: q.access_type === 'offline' && q.prompt === 'consent',
    });
    return code;
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = new URLSearchParams(await textOf(request));
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    const reply =
      this.trouble.shift() ?? (isForm ? this.#tokensFor(fields, request) : refusal('invalid_request'));
    response.writeHead(reply.status, { 'content-type': 'application/json; charset=utf-8', ...reply.headers });
    response.end(JSON.stringify(reply.body));
  }

  #tokensFor(fields: URLSearchParams, request: IncomingMessage): Reply {
    const [id, secret] = basicAuth(request) ?? [fields.get('client_id'), fields.get('client_secret')];
    if (id !== this.clientId || secret !== this.clientSecret) return refusal('invalid_client', 401);
    const type = fields.get('grant_type');
    if (type === 'refresh_token') return this.#byRefresh(fields.get('refresh_token') ?? '');
    if (type === 'authorization_code') return this.#byCode(fields);
    return refusal('unsupported_grant_type');
  }

  #byRefresh(token: string): Reply {
    const grant = this.#refresh.get(token);
    if (grant === undefined) return refusal('invalid_grant');
    this.refreshed++;
    if (!this.rotates) return { status: 200, body: this.#answer(grant, {}) };
    this.#refresh.delete(token);
    return { status: 200, body: this.#answer(grant, { refresh_token: this.#newRefresh(grant) }) };
  }

  #byCode(fields: URLSearchParams): Reply {
    const code = fields.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    if (grant === undefined) return refusal('invalid_grant');
    if (fields.get('redirect_uri') !== grant.redirect) return refusal('redirect_uri_mismatch');
    const verifier = fields.get('code_verifier') ?? '';
    if (!/^[\w.~-]{43,128}$/.test(verifier)) return refusal('invalid_request');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (challenge !== grant.challenge) return refusal('invalid_grant');
    const more = grant.offline ? { refresh_token: this.#newRefresh(grant) } : {};
    return { status: 200, body: this.#answer(grant, more) };
  }

  async #revoke(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = new URLSearchParams(await textOf(request)).get('token') ?? '';
    const known = this.#refresh.delete(token) || this.#access.delete(token);
    response.writeHead(known ? 200 : 400).end('{}');
  }

  #newRefresh(grant: Grant): string {
    const token = fresh('refresh');
    this.#refresh.set(token, grant);
    return token;
  }

  #newAccess({ clientId, scope }: Grant): string {
    const token = fresh('access');
    this.#access.set(token, { clientId, scope, until: this.#now() + LIVES_SECONDS * 1000 });
    return token;
  }

  #answer(grant: Grant, more: object): object {
    return {
      access_token: this.#newAccess(grant),
      token_type: 'Bearer',
      expires_in: LIVES_SECONDS,
      scope: grant.scope,
      ...more,
    };
  }
}

/** The sign-in alone, on a port of its own. */
export class OAuthServer implements AsyncDisposable {
  readonly login: GoogleLogin;
  readonly #server: Server;

  private constructor() {
    this.login = new GoogleLogin(() => Date.now());
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://google');
      void this.login.serve(url, request, response).then((served) => served || response.writeHead(404).end());
    });
  }

  static async start(): Promise<OAuthServer> {
    const server = new OAuthServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get client(): OAuthClient {
    const origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return {
      authorizeUrl: `${origin}/o/oauth2/v2/auth`,
      tokenUrl: `${origin}/token`,
      clientId: this.login.clientId,
      clientSecret: this.login.clientSecret,
      scope: 'https://www.googleapis.com/auth/drive.file',
      extra: { access_type: 'offline', prompt: 'consent' },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function refusal(error: string, status = 400): Reply {
  return { status, body: { error, error_description: error } };
}

function basicAuth({ headers }: IncomingMessage): readonly [string, string] | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':').map(decodeURIComponent);
  return [id, secret];
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text;
}
