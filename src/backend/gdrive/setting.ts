/** What a Drive storage is told: where, with which settings, and who asks. */
import { EngineError } from '../../api/errors.ts';
import type { Credentials } from '../oauth/access.ts';
import type { OAuthClient } from '../oauth/oauth.ts';
import type { SignInRequest, StorageSetting } from '../registry.ts';

export interface DriveSetting {
  /** Folder names, outermost first. */
  readonly path: readonly string[];
  /** Its id; undefined: My Drive. */
  readonly sharedDrive: string | undefined;
  /** Of calls and of bytes: `https://www.googleapis.com`. */
  readonly endpoint: string;
  readonly connections: number;
  /** Give us files even if Google takes them for harmful. */
  readonly acknowledgeAbuse: boolean;
}

type Options = ReadonlyMap<string, string>;

const PREFIX = 'gdrive.';
const KNOWN = [
  'shared-drive',
  'client-id',
  'endpoint',
  'auth-url',
  'token-url',
  'connections',
  'acknowledge-abuse',
] as const;

type Known = (typeof KNOWN)[number];

const CONNECTIONS = { usual: 4, most: 64 } as const;

/** Only what Holdfast made itself: nothing else of the person's is seen or touched. */
const SCOPE = 'https://www.googleapis.com/auth/drive.file';

const HOW_TO_MAKE_A_CLIENT =
  'At console.cloud.google.com make a project, enable the Google Drive API in it, make an OAuth client of the type ' +
  '"Desktop app", and give its id and secret (gdrive.client-id, or HOLDFAST_GDRIVE_CLIENT_ID and ' +
  'HOLDFAST_GDRIVE_CLIENT_SECRET). Publish the app: the logins of one in testing die after seven days.';

function optionOf(options: Options | undefined, name: Known): string | undefined {
  return options?.get(PREFIX + name);
}

/** Errors: 'usage' for unknown ones. */
function checkNames(options: Options): void {
  const known: readonly string[] = KNOWN.map((name) => PREFIX + name);
  for (const name of options.keys()) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    throw new EngineError('usage', `There is no option ${name} for Google Drive.`, {
      hint: `The options are: ${known.join(', ')}.`,
    });
  }
}

function addressIn(options: Options | undefined, name: Known, usual: string): string {
  const text = optionOf(options, name) ?? usual;
  if (URL.canParse(text) && /^https?:/i.test(text)) return text.replace(/\/+$/, '');
  throw new EngineError('usage', `${PREFIX}${name} is not an http(s) address: ${text}`);
}

function connectionsIn(options: Options | undefined): number {
  const text = optionOf(options, 'connections');
  if (text === undefined) return CONNECTIONS.usual;
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= CONNECTIONS.most) return count;
  const message = `gdrive.connections is a number from 1 to ${CONNECTIONS.most}, not "${text}".`;
  throw new EngineError('usage', message);
}

function abuseIn(options: Options | undefined): boolean {
  const text = optionOf(options, 'acknowledge-abuse') ?? 'no';
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new EngineError('usage', `gdrive.acknowledge-abuse is yes or no, not "${text}".`);
}

/** An id is part of queries and addresses. */
function sharedDriveIn(options: Options | undefined): string | undefined {
  const id = optionOf(options, 'shared-drive');
  if (id === undefined || /^[\w-]+$/.test(id)) return id;
  throw new EngineError('usage', `gdrive.shared-drive is the id of a shared drive, not "${id}".`, {
    hint: 'It is the last part of the address that the browser shows when the shared drive is open.',
  });
}

/** Drive itself would take any name; these would not be found again by other programs. */
function pathOf(target: string): readonly string[] {
  const names = target.split('/').filter((name) => name !== '');
  for (const name of names) {
    if (!/^\.{1,2}$|[\0-\x1f\x7f]/.test(name) && name.length <= 255) continue;
    throw new EngineError('usage', `Google Drive should not have a folder ${JSON.stringify(name)}.`, {
      hint: 'Write the folder as folder/path, below My Drive (or the top of the shared drive).',
    });
  }
  return names;
}

/** Errors: 'usage'. */
export function settingOf(target: string, { options }: StorageSetting): DriveSetting {
  checkNames(options ?? new Map());
  return {
    path: pathOf(target),
    sharedDrive: sharedDriveIn(options),
    endpoint: addressIn(options, 'endpoint', 'https://www.googleapis.com'),
    connections: connectionsIn(options),
    acknowledgeAbuse: abuseIn(options),
  };
}

/** The login first, then settings, then the environment. Errors: 'auth-expired' where nothing could let us in. */
export async function credentialsOf(o: StorageSetting): Promise<Credentials> {
  const login = (await o.login?.get()) ?? {};
  const refreshToken = login.refreshToken || o.env?.HOLDFAST_GDRIVE_REFRESH_TOKEN || undefined;
  const accessToken = login.accessToken || undefined;
  const clientId =
    login.clientId || optionOf(o.options, 'client-id') || o.env?.HOLDFAST_GDRIVE_CLIENT_ID || undefined;
  if (accessToken === undefined && refreshToken === undefined) throw nobodySignedIn();
  if (accessToken === undefined && clientId === undefined) throw noClient();
  const expiresAt = Number(login.expiresAt || Number.NaN);
  const secret = login.clientSecret || o.env?.HOLDFAST_GDRIVE_CLIENT_SECRET;
  return {
    login,
    accessToken,
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : undefined,
    refreshToken,
    client: clientId === undefined ? undefined : clientFor(o.options, clientId, secret),
  };
}

function nobodySignedIn(): EngineError {
  return new EngineError('auth-expired', 'Nobody is signed in to Google Drive.', {
    hint:
      'Sign in at the destination, or give HOLDFAST_GDRIVE_CLIENT_ID, HOLDFAST_GDRIVE_CLIENT_SECRET and ' +
      'HOLDFAST_GDRIVE_REFRESH_TOKEN.',
  });
}

function noClient(): EngineError {
  return new EngineError('usage', 'Holdfast has no client id of its own at Google: it needs one of yours.', {
    hint: HOW_TO_MAKE_A_CLIENT,
  });
}

function clientFor(options: Options | undefined, clientId: string, clientSecret?: string): OAuthClient {
  return {
    authorizeUrl: addressIn(options, 'auth-url', 'https://accounts.google.com/o/oauth2/v2/auth'),
    tokenUrl: addressIn(options, 'token-url', 'https://oauth2.googleapis.com/token'),
    clientId,
    clientSecret: clientSecret || undefined,
    scope: SCOPE,
    // Without the question Google gives a refresh token only at the very first sign-in.
    extra: { access_type: 'offline', prompt: 'consent' },
  };
}

/** Errors: 'usage' where no client is known. */
export function signInClient(o: SignInRequest): OAuthClient {
  checkNames(o.options);
  const clientId = o.clientId || optionOf(o.options, 'client-id');
  if (!clientId) throw noClient();
  return clientFor(o.options, clientId, o.clientSecret);
}
