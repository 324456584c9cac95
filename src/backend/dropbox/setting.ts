/** What a Dropbox storage is told: where, with which settings, and who asks. */
import { EngineError } from '../../api/errors.ts';
import type { OAuthClient } from '../oauth/oauth.ts';
import type { Login, SignInRequest, StorageSetting } from '../registry.ts';

export interface Addresses {
  /** Of calls. */
  readonly api: string;
  /** Of bytes. */
  readonly content: string;
  readonly authorize: string;
  readonly token: string;
}

export interface DropboxSetting {
  /** '' or '/folder/path', as the service wants it. */
  readonly root: string;
  readonly addresses: Addresses;
  readonly connections: number;
}

type Options = ReadonlyMap<string, string>;

const PREFIX = 'dropbox.';
const KNOWN = [
  'client-id',
  'endpoint',
  'content-endpoint',
  'auth-url',
  'token-url',
  'connections',
  'redirect-port',
] as const;

type Known = (typeof KNOWN)[number];

const CONNECTIONS = { usual: 4, most: 64 } as const;

const HOW_TO_MAKE_AN_APP =
  'Make an app at www.dropbox.com/developers/apps (Scoped access, App folder) with the permissions ' +
  'files.metadata.read, files.content.read, files.content.write and account_info.read, and give its app key ' +
  'as dropbox.client-id.';

function optionOf(options: Options | undefined, name: Known): string | undefined {
  return options?.get(PREFIX + name);
}

/** Errors: 'usage' for unknown ones. */
function checkNames(options: Options): void {
  const known: readonly string[] = KNOWN.map((name) => PREFIX + name);
  for (const name of options.keys()) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    throw new EngineError('usage', `There is no option ${name} for Dropbox.`, {
      hint: `The options are: ${known.join(', ')}.`,
    });
  }
}

function addressIn(options: Options | undefined, name: Known, usual: string): string {
  const text = optionOf(options, name) ?? usual;
  if (URL.canParse(text) && /^https?:/i.test(text)) return text.replace(/\/+$/, '');
  throw new EngineError('usage', `${PREFIX}${name} is not an http(s) address: ${text}`);
}

function addressesIn(options: Options | undefined): Addresses {
  const api = addressIn(options, 'endpoint', 'https://api.dropboxapi.com');
  return {
    api,
    content: addressIn(options, 'content-endpoint', 'https://content.dropboxapi.com'),
    authorize: addressIn(options, 'auth-url', 'https://www.dropbox.com/oauth2/authorize'),
    token: addressIn(options, 'token-url', `${api}/oauth2/token`),
  };
}

function countIn(options: Options | undefined, name: Known, most: number): number | undefined {
  const text = optionOf(options, name);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= most) return count;
  throw new EngineError('usage', `${PREFIX}${name} is a number from 1 to ${most}, not "${text}".`);
}

/** The path that calls begin with. Errors: 'usage' for what Dropbox can't have as a folder. */
function rootOf(target: string): string {
  const segments = target.split('/').filter((segment) => segment !== '');
  for (const segment of segments) {
    const bad = /^\.{1,2}$|[\\\0-\x1f\x7f]|[\s.]$/.test(segment) || segment.length > 255;
    if (!bad) continue;
    throw new EngineError('usage', `Dropbox can't have a folder ${JSON.stringify(segment)}.`, {
      hint: 'Write the folder as folder/path, below the folder of the app (or the top of the Dropbox).',
    });
  }
  return segments.map((segment) => `/${segment}`).join('');
}

/** Errors: 'usage'. */
export function settingOf(target: string, { options }: StorageSetting): DropboxSetting {
  checkNames(options ?? new Map());
  return {
    root: rootOf(target),
    addresses: addressesIn(options),
    connections: countIn(options, 'connections', CONNECTIONS.most) ?? CONNECTIONS.usual,
  };
}

/** What is known of who asks: the login first, then settings, then the environment. */
export interface Credentials {
  readonly login: Login;
  readonly accessToken: string | undefined;
  /** Milliseconds since the epoch; undefined: not told. */
  readonly expiresAt: number | undefined;
  readonly refreshToken: string | undefined;
  readonly client: OAuthClient | undefined;
}

/** Errors: 'auth-expired' where nothing could let us in. */
export async function credentialsOf(o: StorageSetting, addresses: Addresses): Promise<Credentials> {
  const login = (await o.login?.get()) ?? {};
  const refreshToken = login.refreshToken || o.env?.HOLDFAST_DROPBOX_REFRESH_TOKEN || undefined;
  const clientId = login.clientId || clientIdOf(o.options, o.env);
  const accessToken = login.accessToken || undefined;
  if (accessToken === undefined && refreshToken === undefined) throw nobodySignedIn();
  if (accessToken === undefined && clientId === undefined) throw noClient();
  const expiresAt = Number(login.expiresAt || Number.NaN);
  return {
    login,
    accessToken,
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : undefined,
    refreshToken,
    client: clientId === undefined ? undefined : clientFor(addresses, clientId, login.clientSecret),
  };
}

function clientIdOf(options: Options | undefined, env: StorageSetting['env']): string | undefined {
  return optionOf(options, 'client-id') || env?.HOLDFAST_DROPBOX_CLIENT_ID || undefined;
}

function nobodySignedIn(): EngineError {
  return new EngineError('auth-expired', 'Nobody is signed in to Dropbox.', {
    hint: 'Sign in at the destination, or give HOLDFAST_DROPBOX_CLIENT_ID and HOLDFAST_DROPBOX_REFRESH_TOKEN.',
  });
}

function noClient(): EngineError {
  return new EngineError('usage', 'Holdfast has no app of its own at Dropbox: it needs the key of yours.', {
    hint: HOW_TO_MAKE_AN_APP,
  });
}

function clientFor(addresses: Addresses, clientId: string, clientSecret?: string): OAuthClient {
  return {
    authorizeUrl: addresses.authorize,
    tokenUrl: addresses.token,
    clientId,
    clientSecret: clientSecret || undefined,
    extra: { token_access_type: 'offline' },
  };
}

/**
 * Without a port Dropbox shows a code to paste, for it sends nobody to an address that isn't registered with the app; with one
 * http://localhost:<port>/holdfast has to be.
 */
export function signInClient(o: SignInRequest): OAuthClient {
  checkNames(o.options);
  const clientId = o.clientId || optionOf(o.options, 'client-id');
  if (!clientId) throw noClient();
  const port = countIn(o.options, 'redirect-port', 65_535);
  const redirect = port === undefined ? 'none' : { port };
  return { ...clientFor(addressesIn(o.options), clientId, o.clientSecret), redirect };
}
