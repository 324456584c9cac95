/**
 * What opens a storage's door, where the command line is asked for it.
 *
 * login     the fields that a storage wants, by its own names: from a file, or typed
 * sign-in   in a browser: of this computer, or of another one, from where its address is pasted
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import { Login } from '../api/model/destination.ts';
import type { Client } from '../transport/client.ts';
import type { CommandContext } from './context.ts';
import { type Asking, isRightServer } from './known-server.ts';
import { text } from './options.ts';
import { readTextFile } from './text-file.ts';
import { printable } from './text-width.ts';

export const loginOptions = {
  loginFile: text(
    '--login-file file',
    'JSON file with the login, such as {"username": "…", "password": "…"}',
  ),
  clientId: text('--client-id id', 'your own client id for the sign-in in a browser'),
  clientSecret: text('--client-secret secret', 'its secret, where the service wants one'),
};

export interface LoginFlags {
  readonly loginFile: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
}

/** What a client of the host takes. */
export type Entry = { readonly login?: Login } | { readonly signInId: string };

interface Field {
  readonly name: string;
  readonly prompt: string;
  readonly isSecret: boolean;
}

/** What a person can type, by the kind of storage. */
const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  s3: [
    { name: 'accessKeyId', prompt: 'Access key ID: ', isSecret: false },
    { name: 'secretAccessKey', prompt: 'Secret access key: ', isSecret: true },
  ],
  sftp: [{ name: 'password', prompt: 'Password at the server: ', isSecret: true }],
  rest: [
    { name: 'username', prompt: 'User at the server: ', isSecret: false },
    { name: 'password', prompt: 'Password at the server: ', isSecret: true },
  ],
};

const BROWSER_KINDS = ['gdrive', 'dropbox'] as const;
type BrowserKind = (typeof BROWSER_KINDS)[number];

export function kindOf(location: string): string {
  return (/^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1] ?? 'local').toLowerCase();
}

export function browserKind(kind: string): BrowserKind | undefined {
  return BROWSER_KINDS.find((one) => one === kind);
}

/** The login in the file that the flag names; undefined without the flag. Error: 'usage'. */
export async function loginInFile(
  { loginFile }: Pick<LoginFlags, 'loginFile'>,
  signal: AbortSignal,
): Promise<Login | undefined> {
  if (loginFile === undefined) return undefined;
  const login = parseLogin(await readTextFile(loginFile, signal));
  if (login) return login;
  throw new EngineError('usage', `The file ${loginFile} holds no login.`, {
    hint: 'Write a JSON object of texts into it, such as {"username": "ann", "password": "…"}.',
  });
}

function parseLogin(json: string): Login | undefined {
  try {
    return Login.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

/** Undefined where a storage of this kind has nothing to type. */
export async function typedLogin(kind: string, { terminal, signal }: Asking): Promise<Login | undefined> {
  const fields = FIELDS[kind];
  if (!fields) return undefined;
  const login: Record<string, string> = {};
  for (const { name, prompt, isSecret } of fields) {
    const read = isSecret ? terminal.input.readSecret : terminal.input.readLine;
    login[name] = (await read(prompt, signal)) ?? '';
  }
  return login;
}

/**
 * Does `work` with a login; where the storage wants one, or asks whether its server is the right one, the person is asked, if there is
 * one. Errors: those of `work`.
 */
export async function withEntry<T>(
  context: Asking,
  location: string,
  entry: Entry,
  work: (entry: Entry) => Promise<T>,
): Promise<T> {
  let tried = entry;
  let typed = false;
  for (;;) {
    try {
      return await work(tried);
    } catch (e) {
      if ('signInId' in tried) throw e;
      const better = await betterLogin(context, location, tried.login, e, typed);
      if (!better) throw e;
      typed ||= isEngineError(e, 'auth-expired');
      tried = { login: better };
    }
  }
}

async function betterLogin(
  context: Asking,
  location: string,
  login: Login | undefined,
  e: unknown,
  typed: boolean,
): Promise<Login | undefined> {
  if (isEngineError(e, 'host-unverified')) {
    const { fingerprint } = e.context;
    if (login?.hostKey !== undefined || !(await isRightServer(e, context))) return undefined;
    return { ...login, hostKey: String(fingerprint) };
  }
  if (!isEngineError(e, 'auth-expired') || typed || !context.terminal.isInteractive) return undefined;
  context.terminal.error(printable(e.message));
  const fields = await typedLogin(kindOf(location), context);
  return fields && { ...login, ...fields };
}

/** Signs in at the host; what comes back opens the storage. Errors: those of `signIn` and `signedIn`. */
export async function signInAtHost(
  context: CommandContext,
  client: Client,
  kind: BrowserKind,
  { clientId, clientSecret }: LoginFlags,
): Promise<Entry> {
  const { signal, globals } = context;
  const options = Object.fromEntries(globals.storageOptions);
  const { signInId, url } = await client.destinations.signIn(
    { kind, options, ...(clientId ? { clientId } : {}), ...(clientSecret ? { clientSecret } : {}) },
    { signal },
  );
  const { account } = await throughBrowser(context, url, (pasted, over) =>
    client.destinations.signedIn({ signInId, ...(pasted === undefined ? {} : { pasted }) }, { signal: over }),
  );
  sayWho(context, account);
  return { signInId };
}

export function sayWho({ print }: CommandContext, account: string | null): void {
  print.say(account === null ? 'Signed in.' : `Signed in as ${printable(account)}.`);
}

/**
 * Shows the address, then waits: for the browser to come back, or for a line with the address or the code that it ended at. A wrong
 * paste may be mended. `done`: without a paste it waits. Errors: those of `done`.
 */
export async function throughBrowser<T>(
  { terminal, signal }: Asking,
  url: string,
  done: (pasted: string | undefined, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  terminal.error('Open this address in a browser and sign in there:');
  terminal.error(`  ${url}`);
  terminal.error('If the browser runs on another computer: paste the address it ends at, or the code, here.');
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const back = done(undefined, both);
  const pasted = pastedOne(terminal, both, done);
  try {
    return await Promise.race([back, pasted]);
  } finally {
    over.abort(new EngineError('cancelled', 'It is over.'));
    await Promise.allSettled([back, pasted]);
  }
}

async function pastedOne<T>(
  { input, error }: Asking['terminal'],
  signal: AbortSignal,
  done: (pasted: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (;;) {
    const line = await input.readLine('', signal).catch((e: unknown) => {
      if (signal.aborted) throw e;
      return undefined;
    });
    // Nobody is there to paste: the browser is waited for.
    if (line === undefined) return aborted(signal);
    if (line.trim() === '') continue;
    try {
      return await done(line.trim(), signal);
    } catch (e) {
      if (!isEngineError(e, 'usage')) throw e;
      error(printable(`${e.message} Paste it once more.`));
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
