/**
 * Signing in to clouds: from the address that a person opens in the browser to a login that opens the storage.
 *
 * sign-in  begun for one kind of storage; held in memory for an hour at most, with the login once it has ended well
 */
import { EngineError } from '../api/errors.ts';
import type { Login, StorageOptions } from '../api/model/destination.ts';
import { createHttpClient, type HttpClient } from '../backend/http/client.ts';
import { beginSignIn, type SignIn } from '../backend/oauth/oauth.ts';
import type { SchemeTable, SignInWay, StorageSetting } from '../backend/registry.ts';
import type { Clock } from '../util/clock.ts';

export interface SignInPorts {
  readonly schemes: SchemeTable;
  readonly clock: Clock;
  readonly env: NonNullable<StorageSetting['env']>;
  newId(): string;
  /** Whom the login leads to; null where the service does not say. Errors: those of opening the storage. */
  accountOf(
    kind: string,
    options: StorageOptions,
    login: Login,
    signal?: AbortSignal,
  ): Promise<string | null>;
}

export interface SignInInput {
  readonly kind: string;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly options: StorageOptions;
}

/** The person's own client: as given, else by an option (which the storage knows), else by the variables. */
function clientOf({ kind, clientId, clientSecret, options }: SignInInput, env: SignInPorts['env']) {
  const variable = (name: string) => env[`HOLDFAST_${kind.toUpperCase()}_CLIENT_${name}`] || undefined;
  if (clientId) return { clientId, clientSecret };
  const byOption = options[`${kind}.client-id`] !== undefined;
  return {
    clientId: byOption ? undefined : variable('ID'),
    clientSecret: clientSecret ?? variable('SECRET'),
  };
}

interface Entry {
  readonly kind: string;
  readonly options: StorageOptions;
  readonly way: SignInWay;
  readonly signIn: SignIn;
  readonly http: HttpClient;
  /** Ends what waits for it. */
  readonly over: AbortController;
  login?: Login;
  account?: string | null;
}

const KEEP_MS = 3_600_000;
const MOST = 10;

export class SignIns {
  readonly #ports: SignInPorts;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();

  constructor(ports: SignInPorts) {
    this.#ports = ports;
  }

  /** Errors: 'usage' where no client id is known, 'unsupported' for a storage without browsers, 'io'. */
  async begin(o: SignInInput): Promise<{ readonly signInId: string; readonly url: string }> {
    const { schemes, clock, env, newId } = this.#ports;
    const scheme = schemes.find((one) => one.scheme === o.kind);
    if (!scheme?.signIn)
      throw new EngineError('unsupported', `“${o.kind}” is not signed in to in a browser.`);
    const way = await scheme.signIn({ ...clientOf(o, env), options: new Map(Object.entries(o.options)) });
    // One that was left: services may know only one address to send the browser back to.
    for (const [id, entry] of this.#entries) if (entry.kind === o.kind && !entry.login) this.#drop(id);
    const http = await createHttpClient({ connections: 2, env });
    const signIn = await beginSignIn(way.client, http, () => clock.now());
    const signInId = newId();
    this.#entries.set(signInId, {
      kind: o.kind,
      options: o.options,
      way,
      signIn,
      http,
      over: new AbortController(),
    });
    for (const id of [...this.#entries.keys()].slice(0, -MOST)) this.#drop(id);
    this.#dropLater(signInId);
    return { signInId, url: signIn.url };
  }

  /**
   * Waits until the person is back, or takes what they pasted. May be asked again. Errors: 'not-found', 'auth-expired' where they
   * refused, 'usage' for a wrong paste, 'timeout' when the hour is over, the network's.
   */
  async ended(
    signInId: string,
    pasted?: string,
    signal?: AbortSignal,
  ): Promise<{ readonly account: string | null }> {
    const entry = this.#named(signInId);
    const over = AbortSignal.any([this.#stop.signal, entry.over.signal, ...(signal ? [signal] : [])]);
    if (!entry.login) {
      const tokens = await entry.signIn.tokens({ ...(pasted === undefined ? {} : { pasted }), signal: over });
      entry.login = entry.way.loginOf(tokens);
    }
    entry.account ??= await this.#ports.accountOf(entry.kind, entry.options, entry.login, over);
    return { account: entry.account };
  }

  /** What opens the storage. Errors: 'not-found', 'usage' for one that has not ended. */
  loginOf(signInId: string): Login {
    const { login } = this.#named(signInId);
    if (login) return login;
    throw new EngineError('usage', 'The sign-in in the browser has not ended yet.', {
      hint: 'Go through with it in the browser first.',
    });
  }

  close(): void {
    this.#stop.abort(new EngineError('cancelled', 'Holdfast is shutting down.'));
    for (const id of [...this.#entries.keys()]) this.#drop(id);
  }

  #named(signInId: string): Entry {
    const entry = this.#entries.get(signInId);
    if (entry) return entry;
    throw new EngineError('not-found', 'This sign-in is over: it took too long, or others were begun.', {
      hint: 'Sign in again.',
    });
  }

  #dropLater(signInId: string): void {
    this.#ports.clock.sleep(KEEP_MS, this.#stop.signal).then(
      () => this.#drop(signInId),
      () => undefined,
    );
  }

  #drop(signInId: string): void {
    const entry = this.#entries.get(signInId);
    this.#entries.delete(signInId);
    entry?.over.abort(new EngineError('timeout', 'This sign-in is over.', { hint: 'Sign in again.' }));
    entry?.signIn.close();
    entry?.http.close();
  }
}
