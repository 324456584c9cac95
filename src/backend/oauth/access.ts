/** Access tokens: one good for the moment, and a new one when it is not, asked for once however many calls want it. */
import { EngineError, messageOf } from '../../api/errors.ts';
import type { Clock } from '../../util/clock.ts';
import type { HttpClient } from '../http/client.ts';
import type { Login, LoginKeeper } from '../registry.ts';
import { type OAuthClient, refreshTokens, type Tokens } from './oauth.ts';

export interface AccessParts {
  /** As people call it: "Google Drive". */
  readonly service: string;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly keeper: LoginKeeper | undefined;
  readonly warn: ((sentence: string) => void) | undefined;
}

/** What is known at the start. */
export interface Credentials {
  /** As it is kept: fields that are unknown here stay in it. */
  readonly login: Login;
  readonly accessToken: string | undefined;
  /** Milliseconds since the epoch; undefined: not told. */
  readonly expiresAt: number | undefined;
  readonly refreshToken: string | undefined;
  readonly client: OAuthClient | undefined;
}

/** A token that dies while its call is under way costs that call twice. */
const EARLY_MS = 60_000;

export class Access {
  readonly #parts: AccessParts;
  readonly #credentials: Credentials;
  #token: string | undefined;
  #expiresAt: number;
  #refreshToken: string | undefined;
  #renewing: Promise<string> | undefined;

  constructor(parts: AccessParts, credentials: Credentials) {
    this.#parts = parts;
    this.#credentials = credentials;
    this.#token = credentials.accessToken;
    this.#expiresAt = credentials.expiresAt ?? Number.POSITIVE_INFINITY;
    this.#refreshToken = credentials.refreshToken;
  }

  /** Errors: 'auth-expired', those of the network. */
  async token(): Promise<string> {
    const good = this.#parts.clock.now() < this.#expiresAt - EARLY_MS || !this.#canRenew;
    return this.#token !== undefined && good ? this.#token : this.#renew();
  }

  /** Another than `refused`. Errors: 'auth-expired', those of the network. */
  async tokenAfter(refused: string): Promise<string> {
    if (this.#token !== undefined && this.#token !== refused) return this.#token;
    return this.#renew();
  }

  get #canRenew(): boolean {
    return this.#refreshToken !== undefined && this.#credentials.client !== undefined;
  }

  #renew(): Promise<string> {
    this.#renewing ??= this.#askForToken().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #askForToken(): Promise<string> {
    const { client } = this.#credentials;
    const { http, clock, service } = this.#parts;
    if (client === undefined || this.#refreshToken === undefined)
      throw signInAgain(service, 'no refresh token');
    const tokens = await refreshTokens(client, http, () => clock.now(), this.#refreshToken);
    this.#token = tokens.accessToken;
    this.#expiresAt = tokens.expiresAt;
    this.#refreshToken = tokens.refreshToken ?? this.#refreshToken;
    await this.#keep(tokens);
    return tokens.accessToken;
  }

  /** That it can't be kept spoils nothing now: the next process asks for a token of its own. */
  async #keep(tokens: Tokens): Promise<void> {
    const { keeper, warn, service } = this.#parts;
    const refresh = this.#refreshToken === undefined ? {} : { refreshToken: this.#refreshToken };
    const login = {
      ...this.#credentials.login,
      ...refresh,
      accessToken: tokens.accessToken,
      expiresAt: String(tokens.expiresAt),
    };
    try {
      await keeper?.put(login);
    } catch (e) {
      warn?.(`The new access token of ${service} can't be kept: ${messageOf(e)}`);
    }
  }
}

export function signInAgain(service: string, reason: string): EngineError {
  return new EngineError('auth-expired', `${service} does not accept the login any more.`, {
    hint: `Sign in to ${service} again at the destination.`,
    context: { reason },
  });
}
