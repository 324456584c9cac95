/**
 * The logins of destinations: flat records of texts, whose names only the storages know, kept as JSON in the secret store.
 *
 * place   where a storage is, with all that it needs to be reached
 * keeper  how a storage gets its login, and hands back what the service has renewed
 */
import { Login } from '../api/model/destination.ts';
import type { LoginKeeper, StorageSetting } from '../backend/registry.ts';
import type { Secrets } from '../secrets/secrets.ts';

export interface Place extends Pick<StorageSetting, 'options' | 'login' | 'tls' | 'env'> {
  readonly location: string;
}

/** A bare location needs nothing else. */
export function placeOf(somewhere: string | Place): Place {
  return typeof somewhere === 'string' ? { location: somewhere } : somewhere;
}

export const loginName = (destinationId: string) => `login:${destinationId}`;

/** undefined for none, and for what is no login. */
export async function readLogin(secrets: Pick<Secrets, 'get'>, name: string): Promise<Login | undefined> {
  const text = await secrets.get(name);
  return text === undefined ? undefined : parseLogin(text);
}

function parseLogin(text: string): Login | undefined {
  try {
    return Login.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** A field that is set to nothing goes; without any, none is kept. */
export async function writeLogin(secrets: Secrets, name: string, login: Login): Promise<void> {
  const filled = Object.fromEntries(Object.entries(login).filter(([, value]) => value !== ''));
  if (Object.keys(filled).length === 0) await secrets.remove(name);
  else await secrets.set(name, JSON.stringify(filled));
}

/**
 * The login in the secret store. Renewed tokens of a login that was meanwhile replaced or removed are dropped: what is there now
 * is newer.
 */
export function storedLogin(secrets: Secrets, name: string): LoginKeeper {
  let seen: string | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = async (login: Login) => {
    if (seen === undefined || (await secrets.get(name)) !== seen) return;
    const text = JSON.stringify(login);
    await secrets.set(name, text);
    seen = text;
  };
  return {
    async get() {
      seen = await secrets.get(name);
      return seen === undefined ? undefined : parseLogin(seen);
    },
    put(login) {
      const done = writing.then(() => write(login));
      writing = done.catch(() => undefined);
      return done;
    },
  };
}

/** A login that is tried before it is known whether it is any good: held in memory, until it is kept. */
export class TriedLogin implements LoginKeeper {
  #login: Login;
  #kept: LoginKeeper | undefined;

  constructor(login: Login) {
    this.#login = login;
  }

  async get(): Promise<Login> {
    return this.#login;
  }

  async put(login: Login): Promise<void> {
    this.#login = login;
    await this.#kept?.put(login);
  }

  /** It is good: from now on it lies in the secret store, and what is renewed goes there. */
  async keep(secrets: Secrets, name: string): Promise<void> {
    await writeLogin(secrets, name, this.#login);
    this.#kept = storedLogin(secrets, name);
    await this.#kept.get();
  }
}

/** A place that is no destination yet, with a login that is kept nowhere yet. */
export interface NewPlace extends Place {
  readonly login?: TriedLogin;
}

export function newPlaceAt(
  location: string,
  options: Readonly<Record<string, string>>,
  login: Login | undefined,
): NewPlace {
  const tried = login === undefined ? {} : { login: new TriedLogin(login) };
  return { location, options: new Map(Object.entries(options)), ...tried };
}
