/** The sign-in of the Dropbox of tests: OAuth 2 with PKCE, as Dropbox's guide tells. The person consents at once. */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface DropboxApp {
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly redirects: readonly string[];
  readonly scopes: readonly string[];
}

interface Grant {
  readonly challenge: string | undefined;
  readonly redirect: string | undefined;
  readonly offline: boolean;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const fresh = (kind: string): string => `${kind}.${randomBytes(24).toString('base64url')}`;

export class DropboxLogin {
  readonly app: DropboxApp;
  /** What the person answers. */
  consents = true;
  /** How many access tokens were given for refresh tokens. */
  refreshed = 0;
  /** Answers to the next calls of the token address. */
  readonly trouble: Reply[] = [];
  readonly #codes = new Map<string, Grant>();
  readonly #refresh = new Set<string>();
  readonly #access = new Map<string, 'good' | 'expired' | 'revoked'>();

  constructor(app: DropboxApp) {
    this.app = app;
  }

  /** A login as after a sign-in. */
  grant(): { readonly accessToken: string; readonly refreshToken: string } {
    const refreshToken = fresh('refresh');
    this.#refresh.add(refreshToken);
    return { accessToken: this.#newAccess(), refreshToken };
  }

  expireAll(): void {
    for (const [token, state] of this.#access) if (state === 'good') this.#access.set(token, 'expired');
  }

  revokeAll(): void {
    for (const token of this.#access.keys()) this.#access.set(token, 'revoked');
    this.#refresh.clear();
  }

  /** The tag of what is wrong with the token; undefined: it is good. */
  faultOf(token: string | undefined): string | undefined {
    const state = token === undefined ? undefined : this.#access.get(token);
    if (state === 'good') return undefined;
    return state === 'expired' ? 'expired_access_token' : 'invalid_access_token';
  }

  /** The page at /oauth2/authorize. */
  authorize(url: URL, response: ServerResponse): void {
    const q = Object.fromEntries(url.searchParams);
    const wrong = this.#wrongIn(q);
    if (wrong) return void response.writeHead(400).end(wrong);
    const { redirect_uri: redirect, state } = q;
    if (redirect === undefined) return void response.end(`Your code: ${this.#codeFor(q)}`);
    const back = new URL(redirect);
    if (state !== undefined) back.searchParams.set('state', state);
    if (this.consents) back.searchParams.set('code', this.#codeFor(q));
    else back.searchParams.set('error', 'access_denied');
    response.writeHead(302, { location: back.href }).end();
  }

  #wrongIn(q: Readonly<Record<string, string>>): string | undefined {
    if (q.response_type !== 'code') return 'response_type';
    if (q.client_id !== this.app.clientId) return 'client_id';
    if (q.redirect_uri !== undefined && !this.app.redirects.includes(q.redirect_uri)) return 'redirect_uri';
    if (q.code_challenge_method !== 'S256' && this.app.clientSecret === undefined) return 'PKCE is required';
    if (!['online', 'offline', 'legacy', undefined].includes(q.token_access_type)) return 'token_access_type';
    return undefined;
  }

  #codeFor(q: Readonly<Record<string, string>>): string {
    const code = randomBytes(24).toString('base64url');
    this.#codes.set(code, {
      challenge: q.code_challenge,
      redirect: q.redirect_uri,
      offline: q.token_access_type === 'offline',
    });
    return code;
  }

  /** A call of /oauth2/token; the fields come in the body, or as some clients have it, in the address. */
  token(fields: URLSearchParams, request: IncomingMessage): Reply {
    const trouble = this.trouble.shift();
    if (trouble) return trouble;
    const [id, secret] = basicAuth(request) ?? [fields.get('client_id'), fields.get('client_secret')];
    if (id !== this.app.clientId) return refusal('invalid_client');
    if (secret && secret !== this.app.clientSecret) return refusal('invalid_client');
    const type = fields.get('grant_type');
    if (type === 'refresh_token') return this.#byRefresh(fields.get('refresh_token'));
    if (type === 'authorization_code') return this.#byCode(fields, Boolean(secret));
    return refusal('unsupported_grant_type');
  }

  #byRefresh(token: string | null): Reply {
    if (token === null || !this.#refresh.has(token)) return refusal('invalid_grant');
    this.refreshed++;
    return { status: 200, body: this.#answer({}) };
  }

  #byCode(fields: URLSearchParams, secret: boolean): Reply {
    const code = fields.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    if (grant === undefined) return refusal('invalid_grant');
    if ((fields.get('redirect_uri') ?? undefined) !== grant.redirect) return refusal('invalid_grant');
    const verifier = fields.get('code_verifier') ?? '';
    const proven = createHash('sha256').update(verifier).digest('base64url') === grant.challenge;
    if (grant.challenge === undefined ? !secret : !proven) return refusal('invalid_grant');
    if (!grant.offline) return { status: 200, body: this.#answer({}) };
    const refresh_token = fresh('refresh');
    this.#refresh.add(refresh_token);
    return { status: 200, body: this.#answer({ refresh_token }) };
  }

  #newAccess(): string {
    const token = fresh('access');
    this.#access.set(token, 'good');
    return token;
  }

  #answer(more: object): object {
    return {
      access_token: this.#newAccess(),
      token_type: 'bearer',
      expires_in: 14_400,
      scope: this.app.scopes.join(' '),
      uid: '1',
      account_id: 'dbid:holdfast',
      ...more,
    };
  }
}

function refusal(error: string): Reply {
  return { status: 400, body: { error, error_description: error } };
}

function basicAuth({ headers }: IncomingMessage): readonly [string, string] | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':');
  return [id, secret];
}
