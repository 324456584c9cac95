/**
 * From the text of a location to the storage that serves it.
 *
 * location   what a person types: `local:/srv/repo`, or just a path
 * scheme     the word before the colon: one kind of storage
 * table      the schemes that a program offers; only the host knows concrete storages, so it hands the table in
 */
import { EngineError } from '../api/errors.ts';
import type { Backend, CallOptions } from './backend.ts';
import type { TlsSetting } from './http/tls.ts';
import type { OAuthClient, Tokens } from './oauth/oauth.ts';

/** The secrets that let us in; only the storage knows the names. */
export type Login = Readonly<Record<string, string>>;

/** Where the login of one storage is kept. */
export interface LoginKeeper {
  /** undefined: none is known. */
  get(): Promise<Login | undefined>;
  /** For services that hand out new tokens while they are used. */
  put(login: Login): Promise<void>;
}

/** What a storage needs beside its location: see docs/adr/025-storages.md. */
export interface StorageSetting extends CallOptions {
  /** Without secrets, by the names of `-o`: 's3.region'. */
  readonly options?: ReadonlyMap<string, string>;
  readonly login?: LoginKeeper;
  readonly tls?: TlsSetting;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A sentence for the log. */
  readonly warn?: (sentence: string) => void;
}

/** How people sign in to a service in their browser. */
export interface SignInWay {
  readonly client: OAuthClient;
  /** What opens the storage from then on. */
  loginOf(tokens: Tokens): Login;
}

export interface SignInRequest {
  /** The person's own; the storage's usual one unless given. */
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly options: ReadonlyMap<string, string>;
}

export interface Scheme {
  readonly scheme: string;
  /** For people: "Folder or disk". */
  readonly title: string;
  /** Slow enough that what is read in each run should be kept on the local disk. */
  readonly remote: boolean;
  /** Only of services that are signed in to in a browser. Errors: 'usage' where no client id is known. */
  signIn?(o: SignInRequest): Promise<SignInWay>;
  /** Whether a repository is there may show only when its config is loaded. Errors: usage, auth-expired, unreachable … */
  open(target: string, o?: StorageSetting): Promise<Backend>;
  /** Makes what a repository needs before its first file. Errors: repository-exists, and those of `open`. */
  create(target: string, o?: StorageSetting): Promise<Backend>;
}

export type SchemeTable = readonly Scheme[];

export interface Location {
  readonly scheme: Scheme;
  /** The text without the scheme; may hold secrets. */
  readonly target: string;
  /** The whole text, safe to show. */
  readonly shown: string;
}

// Two letters at least, or Windows' drives would be schemes; and no slash before the colon, as in ./a:b.
const SCHEME = /^([a-z][a-z0-9+.-]+):(.*)$/is;

function unknownScheme(name: string, table: SchemeTable): EngineError {
  const known = table.map((s) => s.scheme).join(', ');
  return new EngineError('unsupported', `This version has no storage of the kind "${name}:".`, {
    hint: `It knows: ${known}. For a folder whose name has a colon, write local: before its path.`,
    context: { scheme: name },
  });
}

function schemeNamed(name: string, table: SchemeTable): Scheme {
  const found = table.find((s) => s.scheme === name);
  if (found === undefined) throw unknownScheme(name, table);
  return found;
}

/** Errors: usage for an empty text, unsupported for a scheme that is not in the table. */
export function parseLocation(text: string, table: SchemeTable): Location {
  const [, name, rest] = SCHEME.exec(text) ?? [];
  const scheme = schemeNamed(name?.toLowerCase() ?? 'local', table);
  const target = rest ?? text;
  if (target === '') throw new EngineError('usage', 'The location of the repository is empty.');
  return { scheme, target, shown: redactLocation(text) };
}

// A password may hold slashes and at-signs that nobody escaped: all up to the last at-sign is taken for it. A port
// is not: digits and a slash.
const PASSWORD = /(:\/\/[^:/@?#]*):(?!\d+\/).*@/;
const SECRET_PARAMETER = /([?&][^=&#]*(?:key|secret|token|pass|sig|auth)[^=&#]*=)[^&#]*/gi;

/** The text with passwords, and parameters that look like secrets, replaced by ***. Local paths stay whole. */
export function redactLocation(text: string): string {
  const name = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (name === undefined || name === 'local') return text;
  return text.replace(PASSWORD, '$1:***@').replace(SECRET_PARAMETER, '$1***');
}
