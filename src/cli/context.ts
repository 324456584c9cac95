/**
 * All that a command may use.
 *
 * host      makes repositories out of locations; the only way from here to the engine's insides
 * default   the repository that Holdfast keeps in its own data folder for those who configured none
 */
import { type EngineError, isEngineError } from '../api/errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Clock } from '../util/clock.ts';
import type { Environment } from './environment.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Access, Globals } from './globals.ts';
import type { Hosting } from './hosting.ts';
import type { JsonLines } from './json-lines.ts';
import { isRightServer } from './known-server.ts';
import { findLocation, noLocation } from './location.ts';
import { isPrompted, PROMPT_TRIES, readNewPassword, readPassword } from './password.ts';
import type { Printer } from './printer.ts';
import type { Progress, ProgressView } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** What of the global flags concerns a repository. `cacheDir`: null for none, undefined for the usual place. */
export type RepositorySettings = Pick<
  Globals,
  | 'cacheDir'
  | 'cleanupCache'
  | 'compression'
  | 'packSize'
  | 'extraVerify'
  | 'limits'
  | 'storageOptions'
  | 'tls'
>;

export interface HostOpenOptions {
  readonly location: string;
  /** Called once, when there is a repository to open. */
  readonly password: () => Promise<string>;
  readonly keyHint: string | undefined;
  readonly settings: RepositorySettings;
  readonly signal: AbortSignal;
  /** For what the person should know though the call goes on. */
  readonly warn: (message: string) => void;
}

export interface HostCreateOptions extends HostOpenOptions {
  readonly version: 1 | 2;
  /** Hexadecimal; to cut chunks as another repository does. */
  readonly chunkerPolynomial?: string;
}

export interface DefaultRepository {
  readonly location: string;
  readonly password: string;
}

/** Errors: the engine's. */
export interface Host {
  openRepository(o: HostOpenOptions): Promise<Repository>;
  createRepository(o: HostCreateOptions): Promise<Repository>;
  /** undefined where none was made yet. */
  findDefaultRepository(signal: AbortSignal): Promise<DefaultRepository | undefined>;
  /** Its place and its new recovery key, written down; the repository itself is still to be created there. */
  prepareDefaultRepository(): Promise<DefaultRepository>;
  /** Begins to sign in to a cloud in a browser, for `--repo`. Errors: 'usage' without a client id, 'unsupported'. */
  beginLogin(o: LoginRequest): Promise<PendingLogin>;
  /** The answer yes to 'host-unverified': the server is known from now on. Errors: 'permission', 'io'. */
  rememberServer(question: EngineError, settings: RepositorySettings): Promise<void>;
}

export interface LoginRequest {
  /** Of the storage: 'gdrive:'. */
  readonly location: string;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly options: ReadonlyMap<string, string>;
  /** Absolute. */
  readonly dataDir: string;
}

export interface PendingLogin {
  /** To be opened in a browser. */
  readonly url: string;
  /** Waits for the browser, or takes what was pasted; keeps the login. Returns whose it is. */
  done(o: { readonly pasted?: string; readonly signal: AbortSignal }): Promise<string | null>;
  close(): void;
}

export interface CreateRequest {
  readonly version?: 1 | 2;
  readonly chunkerPolynomial?: string;
}

export interface CommandContext {
  readonly globals: Globals;
  readonly env: Environment;
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C, by SIGTERM and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
  readonly print: Printer;
  /** stdout as JSON lines. */
  readonly json: JsonLines;
  host(): Promise<Host>;
  /** Makes and finds the host that holds plans and runs; `withHost` is the way to it. */
  readonly hosting: Hosting;
  /**
   * The repository that the flags and variables name, else the default one. A person may type the password three
   * times. `settings` replace what the flags say. Errors: 'usage' where none is named; 'repository-missing',
   * 'wrong-password' and the backend's.
   */
  openRepository(access?: Access, settings?: Partial<RepositorySettings>): Promise<Repository>;
  createRepository(request?: CreateRequest, access?: Access): Promise<Repository>;
  /** The default repository, made if there is none yet; `onCreated` then hears of it and its recovery key. */
  openOrCreateDefault(onCreated: (made: DefaultRepository) => void): Promise<Repository>;
  /** Where the flags and variables say the repository is; undefined if they don't. */
  location(access?: Access): Promise<string | undefined>;
  /** The password of a new key: `what` ends the prompt "Password for …". */
  newPassword(access: Access, what: string): Promise<string>;
  startProgress(view: ProgressView): Progress;
  /** Runs another command line within this process, as `welcome` does with the first backup. */
  invoke(argv: readonly string[]): Promise<ExitCode>;
}

export interface ContextParts
  extends Pick<
    CommandContext,
    | 'globals'
    | 'env'
    | 'clock'
    | 'signal'
    | 'terminal'
    | 'print'
    | 'json'
    | 'host'
    | 'hosting'
    | 'startProgress'
    | 'invoke'
  > {}

export function createContext(parts: ContextParts): CommandContext {
  const { globals, signal, terminal } = parts;
  const io = { terminal, signal };
  const location = (access: Access = globals.access) => findLocation(access, signal);
  return {
    ...parts,
    location,
    newPassword: (access, what) => readNewPassword(access, io, `Password for ${what}: `),
    openRepository: (access = globals.access, settings = {}) =>
      openRepository({ ...parts, globals: { ...globals, ...settings } }, access),
    openOrCreateDefault: (onCreated) => openOrCreateDefault(parts, onCreated),
    async createRepository(request = {}, access = globals.access) {
      const where = await location(access);
      if (where === undefined) throw noLocation();
      const host = await parts.host();
      const password = () => readNewPassword(access, io);
      const { version = 2, chunkerPolynomial } = request;
      const o = {
        ...openOptions(parts, access, where, password),
        version,
        ...(chunkerPolynomial === undefined ? {} : { chunkerPolynomial }),
      };
      return withKnownServer(parts, host, () => host.createRepository(o));
    },
  };
}

async function openRepository(parts: ContextParts, access: Access): Promise<Repository> {
  const host = await parts.host();
  const location = await findLocation(access, parts.signal);
  if (location === undefined) return openDefault(parts, host, access);
  const io = { terminal: parts.terminal, signal: parts.signal };
  const password = () => readPassword(access, io);
  for (let tries = isPrompted(access, parts.terminal) ? PROMPT_TRIES : 1; ; tries--) {
    try {
      const o = openOptions(parts, access, location, password);
      return await withKnownServer(parts, host, () => host.openRepository(o));
    } catch (e) {
      if (tries <= 1 || !isEngineError(e, 'wrong-password')) throw e;
      parts.print.problem(`${e.message} Try again.`);
    }
  }
}

/** A server that is met for the first time is a question to the person, if there is one; then it is known. */
async function withKnownServer<T>(parts: ContextParts, host: Host, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (!isEngineError(e, 'host-unverified') || !(await isRightServer(e, parts))) throw e;
    await host.rememberServer(e, parts.globals);
    return work();
  }
}

async function openDefault(parts: ContextParts, host: Host, access: Access): Promise<Repository> {
  const found = await host.findDefaultRepository(parts.signal);
  if (found === undefined) throw noLocation();
  return host.openRepository(openOptions(parts, access, found.location, async () => found.password));
}

/** The key may be there without the repository: whoever made it was stopped in between. */
async function openOrCreateDefault(
  parts: ContextParts,
  onCreated: (made: DefaultRepository) => void,
): Promise<Repository> {
  const host = await parts.host();
  const made = await host.prepareDefaultRepository();
  const options = openOptions(parts, parts.globals.access, made.location, async () => made.password);
  try {
    return await host.openRepository(options);
  } catch (e) {
    if (!isEngineError(e, 'repository-missing')) throw e;
  }
  const repository = await host.createRepository({ ...options, version: 2 });
  onCreated(made);
  return repository;
}

function openOptions(
  parts: ContextParts,
  access: Access,
  location: string,
  password: () => Promise<string>,
): HostOpenOptions {
  const { globals, signal, print } = parts;
  return { location, password, keyHint: access.keyHint, settings: globals, signal, warn: print.problem };
}
