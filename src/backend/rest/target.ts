/**
 * What `rest:` is followed by, as restic spells it: `https://user:password@host:8000/path/`, or a socket of this machine,
 * `http+unix:///run/server.sock:/path/`. The options and the login beside it.
 */
import { EngineError } from '../../api/errors.ts';
import type { Login, StorageSetting } from '../registry.ts';

export interface RestTarget {
  /** Ends with a slash; holds no login. */
  readonly base: string;
  readonly socketPath: string | undefined;
  readonly login: { readonly username: string; readonly password: string } | undefined;
  /** The address without the password. */
  readonly shown: string;
}

interface Address {
  readonly base: string;
  readonly socketPath?: string;
  readonly username: string;
  readonly password: string;
}

const HINT = 'It looks like rest:https://host:8000/path/, or rest:http+unix:///run/server.sock:/path/.';

function wrong(why: string): EngineError {
  return new EngineError('usage', `The address of the REST server ${why}.`, { hint: HINT });
}

/** Errors: 'usage' for what is no address of such a server. */
export async function parseTarget(target: string, o: StorageSetting): Promise<RestTarget> {
  const address = /^http\+unix:/i.test(target) ? parseSocket(target) : parseUrl(target);
  const login = loginOf(address, (await o.login?.get()) ?? {}, o.env ?? {});
  return {
    base: address.base,
    socketPath: address.socketPath,
    login,
    shown: `rest:${shownAddress(address)}`,
  };
}

// As in `redactLocation`: nobody escapes the slashes and at-signs of a password, so all up to the last at-sign belongs to it.
const WITH_PASSWORD = /^(https?:\/\/)([^:/@?#]*):(?!\d+\/)(.*)@([^@]*)$/is;

function parseUrl(target: string): Address {
  const [, scheme, user, password, place] = WITH_PASSWORD.exec(target) ?? [];
  const url = urlOf(scheme === undefined ? target : `${scheme}${place}`);
  return {
    base: withSlash(url.origin + url.pathname),
    username: decoded(user ?? url.username),
    password: decoded(password ?? url.password),
  };
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw wrong('is not one of http or https');
  }
  if (url.search !== '' || url.hash !== '') throw wrong('may not hold ? or #');
  return url;
}

function parseSocket(target: string): Address {
  const [, socketPath, path = '/'] = /^http\+unix:\/\/(\/[^:]+)(?::(\/.*)?)?$/i.exec(target) ?? [];
  if (socketPath === undefined) throw wrong('names no socket');
  const url = urlOf(`http://localhost${path}`);
  return { base: withSlash(url.origin + url.pathname), socketPath, username: '', password: '' };
}

const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

/** A percent sign that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function shownAddress({ base, socketPath, username, password }: Address): string {
  const { origin, pathname, protocol, host } = new URL(base);
  if (socketPath !== undefined) return `http+unix://${socketPath}:${pathname}`;
  if (username === '' && password === '') return origin + pathname;
  return `${protocol}//${encodeURIComponent(username)}${password === '' ? '' : ':***'}@${host}${pathname}`;
}

/** The address wins over the login, and that over the environment; a password may come from further down than its name. */
function loginOf(address: Address, kept: Login, env: NonNullable<StorageSetting['env']>) {
  const variable = (name: string) => env[`HOLDFAST_REST_${name}`] || env[`RESTIC_REST_${name}`] || '';
  const username = address.username || kept.username || variable('USERNAME');
  const password = address.password || kept.password || variable('PASSWORD');
  return username === '' && password === '' ? undefined : { username, password };
}

export interface RestOptions {
  readonly connections: number;
}

const KNOWN = ['rest.connections'];
const CONNECTIONS = { usual: 5, most: 100 } as const;

/** Errors: 'usage' for an option of `rest.` that there is not, or a number that is none. */
export function parseOptions(options: ReadonlyMap<string, string> = new Map()): RestOptions {
  const unknown = [...options.keys()].find((name) => name.startsWith('rest.') && !KNOWN.includes(name));
  if (unknown !== undefined) {
    const hint = `There is: ${KNOWN.join(', ')}.`;
    throw new EngineError('usage', `REST servers have no option ${unknown}.`, { hint });
  }
  const text = options.get('rest.connections') ?? String(CONNECTIONS.usual);
  const connections = Number(text);
  if (!/^\d+$/.test(text) || connections < 1 || connections > CONNECTIONS.most) {
    const message = `rest.connections is a number from 1 to ${CONNECTIONS.most}, not “${text}”.`;
    throw new EngineError('usage', message);
  }
  return { connections };
}
