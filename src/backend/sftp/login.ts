/**
 * What a login is tried with, and in which order: first what the person chose for this storage (a key, then the password), then
 * what lies around (the agent's keys, the usual files). A server closes after a handful of refusals, and an agent full of
 * other keys must not use them up.
 *
 * attempt   one thing to show to the server, with the method it belongs to
 * locked    a key file whose passphrase nobody gave; the agent may hold that key
 */
import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type AuthHandlerMiddleware, type ParsedKey } from 'ssh2';
import { EngineError, messageOf } from '../../api/errors.ts';
import type { Login } from '../registry.ts';
import type { Place } from './place.ts';

export interface Attempts {
  readonly list: readonly AnyAuthMethod[];
  /** Paths. */
  readonly locked: readonly string[];
}

type Parsed = ParsedKey | 'locked';

const LOCKED = /no passphrase given/i;
const WRONG = /integrity check failed|bad decrypt|bad passphrase|unable to authenticate data/i;

/** Errors: auth-expired for a wrong passphrase, usage for what is no private key. */
function parseKey(text: Buffer | string, passphrase: string | undefined, name: string): Parsed {
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (isKey(key) && key.isPrivateKey()) return key;
  const why = key instanceof Error ? key.message : 'it has no private part';
  if (LOCKED.test(why)) return 'locked';
  if (WRONG.test(why)) {
    throw new EngineError('auth-expired', `The passphrase does not open ${name}.`, {
      hint: 'Give the passphrase of the key again.',
    });
  }
  throw new EngineError('usage', `${name} is no private key that Holdfast can read: ${why}.`);
}

function isKey(value: unknown): value is ParsedKey {
  return typeof value === 'object' && value !== null && 'isPrivateKey' in value;
}

async function readKeyFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (e) {
    throw new EngineError('usage', `The key file ${path} can't be read: ${messageOf(e)}.`, {}, { cause: e });
  }
}

interface Keys {
  readonly keys: readonly ParsedKey[];
  readonly locked: readonly string[];
}

async function chosenKeys(place: Place, login: Login): Promise<Keys> {
  const [keys, locked]: [ParsedKey[], string[]] = [[], []];
  const sort = (parsed: Parsed, name: string) =>
    parsed === 'locked' ? locked.push(name) : keys.push(parsed);
  if (login.privateKey) {
    sort(parseKey(login.privateKey, login.passphrase, 'the key of this login'), 'the key of this login');
  }
  for (const path of place.chosenKeys) {
    sort(parseKey(await readKeyFile(path), login.passphrase, path), path);
  }
  return { keys, locked };
}

/** Those that exist and open; nobody promised that they would. */
async function usualKeys(place: Place, login: Login): Promise<Keys> {
  const [keys, locked]: [ParsedKey[], string[]] = [[], []];
  for (const path of place.usualKeys) {
    try {
      const parsed = parseKey(await readFile(path), login.passphrase, path);
      if (parsed === 'locked') locked.push(path);
      else keys.push(parsed);
    } catch (e) {
      if (e instanceof EngineError && e.code === 'auth-expired') locked.push(path);
    }
  }
  return { keys, locked };
}

function byPassword(username: string, password: string): readonly AnyAuthMethod[] {
  return [
    {
      type: 'keyboard-interactive',
      username,
      // What is typed unseen is the password; a question with an echo (a code, a choice) nobody here can answer.
      prompt: (_name, _text, _lang, prompts, finish) => finish(prompts.map((p) => (p.echo ? '' : password))),
    },
    { type: 'password', username, password },
  ];
}

/** Errors: usage for a chosen key that can't be read, auth-expired for a passphrase that does not open it. */
export async function gatherAttempts(place: Place, login: Login): Promise<Attempts> {
  const username = place.user;
  const [chosen, usual] = [await chosenKeys(place, login), await usualKeys(place, login)];
  const byKey = (key: ParsedKey) => ({ type: 'publickey', username, key }) satisfies AnyAuthMethod;
  return {
    list: [
      ...chosen.keys.map(byKey),
      ...(login.password ? byPassword(username, login.password) : []),
      ...(place.agent === undefined ? [] : [{ type: 'agent', username, agent: place.agent } as const]),
      ...usual.keys.map(byKey),
    ],
    locked: [...chosen.locked, ...usual.locked],
  };
}

/** The method, in the server's words. */
function methodOf({ type }: AnyAuthMethod): string {
  return type === 'agent' ? 'publickey' : type;
}

export interface Handler {
  /** For ssh2. */
  readonly next: AuthHandlerMiddleware;
  /** Nothing is left to try. */
  exhausted(): boolean;
  /** The server's methods, as it named them last. */
  offered(): readonly string[];
}

/**
 * Asks the server which methods it takes, then shows the attempts that fit, each once. Where a server wants two of them, it names
 * the second when the first was accepted.
 */
export function handlerOf(place: Place, attempts: Attempts): Handler {
  const left = [...attempts.list];
  let offered: readonly string[] = [];
  let done = false;
  return {
    next(methods: readonly string[] | null, _partial, next) {
      if (methods === null) return next({ type: 'none', username: place.user });
      offered = methods;
      const at = left.findIndex((attempt) => methods.includes(methodOf(attempt)));
      const attempt = at < 0 ? undefined : left.splice(at, 1)[0];
      if (attempt !== undefined) return next(attempt);
      done = true;
      return giveUp(next);
    },
    exhausted: () => done,
    offered: () => offered,
  };
}

/** ssh2 takes `false` for "nothing left"; its types have forgotten that. */
function giveUp(next: Parameters<AuthHandlerMiddleware>[2]): void {
  Reflect.apply(next, undefined, [false]);
}

/** The error of a login that nobody could make. */
export function loginRefused(
  place: Place,
  attempts: Attempts,
  offered: readonly string[],
  cause: unknown,
): EngineError {
  const nothing = attempts.list.length === 0;
  const message = nothing
    ? `There is nothing to log in to ${place.account} with: no password, no key, no agent.`
    : `${place.account} does not accept the login.`;
  const locked =
    attempts.locked.length === 0
      ? ''
      : ` The key ${attempts.locked.join(', ')} is locked: it needs its passphrase.`;
  const takes = offered.length === 0 ? '' : ` The server takes: ${offered.join(', ')}.`;
  return new EngineError(
    'auth-expired',
    `${message}${locked}`,
    {
      hint: `Set the password or the key of this storage anew.${takes}`,
      context: { methods: offered.join(','), account: place.account },
    },
    { cause },
  );
}
