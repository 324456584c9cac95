/**
 * The logins by which the command line reaches clouds without a destination: in a sealed file of their own, since a running host
 * holds the one of the destinations.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Login } from '../api/model/destination.ts';
import { type LoginKeeper, parseLocation, type StorageSetting } from '../backend/registry.ts';
import { dataDirectory } from '../fs/platform.ts';
import { fileKey, openSealedFile } from '../secrets/sealed-file.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { systemClock } from '../util/clock.ts';
import { accountAt } from './asking.ts';
import { loginName, newPlaceAt, storedLogin, writeLogin } from './logins.ts';
import { SCHEMES } from './schemes.ts';
import { SignIns } from './sign-ins.ts';

export interface LoginRequest {
  /** Of the storage; 'gdrive:' is enough. */
  readonly location: string;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly options: ReadonlyMap<string, string>;
  /** Absolute. */
  readonly dataDir: string;
}

export interface CliSignIn {
  /** To be opened in a browser. */
  readonly url: string;
  /** Waits for the browser, or takes what was pasted; then keeps the login. Returns whose it is. Errors: those of `SignIns.ended`. */
  done(o: { readonly pasted?: string; readonly signal: AbortSignal }): Promise<string | null>;
  close(): void;
}

type Env = NonNullable<StorageSetting['env']>;

function fileIn(dataDir: string): string {
  return path.join(dataDir, 'logins.sealed');
}

async function openLogins(dataDir: string, env: Env): Promise<Secrets> {
  const key = await fileKey({ env, keyFile: path.join(dataDir, 'secrets.key') });
  return openSealedFile(fileIn(dataDir), key);
}

const nameOf = (scheme: string) => loginName(`cli:${scheme}`);

/**
 * What `holdfast login` has stored for the kind of a location; undefined for kinds that are not signed in to in a browser, and where the
 * environment holds a login, which was given for this very call.
 */
export function cliLogin(location: string, env: Env): LoginKeeper | undefined {
  const { scheme } = parseLocation(location, SCHEMES);
  const inEnvironment = env[`HOLDFAST_${scheme.scheme.toUpperCase()}_REFRESH_TOKEN`];
  if (!scheme.signIn || inEnvironment) return undefined;
  const dataDir = dataDirectory({ env, platform: process.platform, home: env.HOME || homedir() });
  let keeper: LoginKeeper | undefined;
  return {
    async get() {
      // Only to look makes no key.
      if (!existsSync(fileIn(dataDir))) return undefined;
      keeper ??= storedLogin(await openLogins(dataDir, env), nameOf(scheme.scheme));
      return keeper.get();
    },
    put: async (login) => keeper?.put(login),
  };
}

/** Keeps the login for the command line. Errors: those of the sealed file. */
async function keepCliLogin(dataDir: string, env: Env, scheme: string, login: Login): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await writeLogin(await openLogins(dataDir, env), nameOf(scheme), login);
}

/** Errors: those of `SignIns.begin`, 'unsupported' for a location of another kind. */
export async function beginCliSignIn(o: LoginRequest, env: Env): Promise<CliSignIn> {
  // A bare “gdrive:” says enough.
  const { scheme } = parseLocation(o.location.replace(/:$/, ':.'), SCHEMES);
  const options = Object.fromEntries(o.options);
  const signIns = new SignIns({
    schemes: SCHEMES,
    clock: systemClock,
    env,
    newId: randomUUID,
    accountOf: (kind, said, login, signal) =>
      accountAt(kind, { ...newPlaceAt('', said, login), env }, signal),
  });
  const { clientId, clientSecret } = o;
  const { signInId, url } = await signIns.begin({ kind: scheme.scheme, clientId, clientSecret, options });
  return {
    url,
    async done({ pasted, signal }) {
      const { account } = await signIns.ended(signInId, pasted, signal);
      await keepCliLogin(o.dataDir, env, scheme.scheme, signIns.loginOf(signInId));
      return account;
    },
    close: () => signIns.close(),
  };
}
