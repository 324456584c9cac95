/**
 * The flags that every command takes, and what they and the environment together say.
 *
 * access     what it takes to reach one repository: its place, and where its password comes from. `copy` and
 *            `init` reach a second one, with the same flags and variables prefixed by `from`.
 * verbosity  0 errors only, 1 the essential, 2 more, 3 everything
 */
import { EngineError, messageOf } from '../api/errors.ts';
import { COMPRESSIONS, type Compression } from '../util/zstd.ts';
import type { Environment } from './environment.ts';
import { readSetting, setting, settingFamily } from './environment.ts';
import {
  choice,
  commaList,
  count,
  duration,
  flag,
  integer,
  list,
  parseChoice,
  parseInteger,
  text,
  type ValuesOf,
  value,
} from './options.ts';

export const globalOptions = {
  cacert: commaList('--cacert file', 'trust the certificates in this file (for servers)'),
  cacheDir: text('--cache-dir folder', "the cache's folder (default: where this system keeps caches)"),
  cleanupCache: flag('--cleanup-cache', 'remove caches that were not used for long'),
  compression: choice(
    '--compression mode',
    `how hard to compress, one of ${COMPRESSIONS.join(', ')} (default: auto)`,
    COMPRESSIONS,
  ),
  httpUserAgent: text('--http-user-agent name', 'name to give to servers'),
  insecureNoPassword: flag('--insecure-no-password', 'the repository has an empty password (insecure)'),
  insecureTls: flag('--insecure-tls', "don't check the certificates of servers (insecure)"),
  json: flag('--json', 'print JSON instead of text'),
  keyHint: text('--key-hint id', 'key to try first'),
  limitDownload: integer('--limit-download rate', 'read at most this many KiB per second', 0, 0),
  limitUpload: integer('--limit-upload rate', 'write at most this many KiB per second', 0, 0),
  noCache: flag('--no-cache', 'use no local cache'),
  noExtraVerify: flag('--no-extra-verify', "don't verify data once more before it is written"),
  noLock: flag('--no-lock', "don't lock the repository; for reading from one that can't be written to"),
  option: list('-o, --option key=value', 'setting of a storage (can be given several times)'),
  packSize: value('--pack-size size', 'aim at packs of this many MiB', (given) => parseInteger(given, 0)),
  passwordCommand: text('--password-command command', 'command whose output is the password'),
  passwordFile: text('-p, --password-file file', 'file that holds the password'),
  quiet: flag('-q, --quiet', 'print errors only'),
  repo: text('-r, --repo repository', 'the repository'),
  repositoryFile: text('--repository-file file', 'file that holds where the repository is'),
  retryLock: duration('--retry-lock time', 'wait this long for a locked repository, such as 5m or 2h'),
  stuckRequestTimeout: duration(
    '--stuck-request-timeout time',
    'ask a silent server again after this time (default: 5m)',
    300_000,
  ),
  tlsClientCert: text('--tls-client-cert file', 'file with certificate and key to show to servers'),
  verbose: count('-v, --verbose', 'print more (-vv or --verbose=2 for everything)'),
};

export type GlobalValues = ValuesOf<typeof globalOptions>;

/** Where a repository is and what opens it, as given; nothing is read or asked yet. */
export interface Access {
  readonly repo: string | undefined;
  readonly repositoryFile: string | undefined;
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  readonly passwordCommand: string | undefined;
  readonly insecureNoPassword: boolean;
  readonly keyHint: string | undefined;
}

export type AccessFlags = Pick<
  GlobalValues,
  'repo' | 'repositoryFile' | 'passwordFile' | 'passwordCommand' | 'insecureNoPassword' | 'keyHint'
>;

export interface Globals {
  readonly access: Access;
  readonly json: boolean;
  readonly verbosity: 0 | 1 | 2 | 3;
  readonly quiet: boolean;
  readonly noLock: boolean;
  readonly retryLockMs: number;
  /** null: no cache; undefined: the usual place. */
  readonly cacheDir: string | null | undefined;
  readonly cleanupCache: boolean;
  readonly compression: Compression;
  /** Bytes; 0 for the usual size. */
  readonly packSize: number;
  readonly extraVerify: boolean;
  /** Bytes per second; 0 for no limit. */
  readonly limits: { readonly upload: number; readonly download: number };
  /** The `key=value` settings of storages. */
  readonly storageOptions: ReadonlyMap<string, string>;
  readonly tls: {
    readonly caFiles: readonly string[];
    readonly clientCertificate: string | undefined;
    readonly insecure: boolean;
    readonly userAgent: string | undefined;
    readonly stuckRequestMs: number;
  };
}

/** Error: 'usage' for values that contradict each other or that a variable holds wrongly. */
export function resolveGlobals(flags: GlobalValues, env: Environment): Globals {
  return {
    access: resolveAccess(flags, env),
    json: flags.json,
    verbosity: verbosityOf(flags),
    quiet: flags.quiet,
    noLock: flags.noLock,
    retryLockMs: flags.retryLock,
    cacheDir: flags.noCache ? null : (flags.cacheDir ?? setting(env, 'CACHE_DIR')),
    cleanupCache: flags.cleanupCache,
    compression:
      flags.compression ?? fromEnvironment(env, 'COMPRESSION', (v) => parseChoice(v, COMPRESSIONS)) ?? 'auto',
    packSize:
      (flags.packSize ?? fromEnvironment(env, 'PACK_SIZE', (v) => parseInteger(v, 0)) ?? 0) * 1024 ** 2,
    extraVerify: !flags.noExtraVerify,
    limits: { upload: flags.limitUpload * 1024, download: flags.limitDownload * 1024 },
    storageOptions: parseStorageOptions(flags.option),
    tls: {
      caFiles: flags.cacert.length > 0 ? flags.cacert : (setting(env, 'CACERT')?.split(',') ?? []),
      clientCertificate: flags.tlsClientCert ?? setting(env, 'TLS_CLIENT_CERT'),
      insecure: flags.insecureTls,
      userAgent: flags.httpUserAgent ?? setting(env, 'HTTP_USER_AGENT'),
      stuckRequestMs: flags.stuckRequestTimeout,
    },
  };
}

/**
 * `from` is '' or 'FROM_'. A flag wins over every variable of its kind: `--repo` over REPOSITORY_FILE, and
 * `--password-file` over PASSWORD_COMMAND.
 */
export function resolveAccess(flags: AccessFlags, env: Environment, from: '' | 'FROM_' = ''): Access {
  return {
    ...placeOf(flags, env, from),
    ...secretOf(flags, env, from),
    keyHint: flags.keyHint ?? setting(env, `${from}KEY_HINT`),
  };
}

function placeOf(
  flags: AccessFlags,
  env: Environment,
  from: string,
): Pick<Access, 'repo' | 'repositoryFile'> {
  const names = [`${from}REPOSITORY`, `${from}REPOSITORY_FILE`] as const;
  refuseEmpty('--repo', flags.repo);
  refuseEmpty('--repository-file', flags.repositoryFile);
  const byFlag = flags.repo !== undefined || flags.repositoryFile !== undefined;
  const family = byFlag ? undefined : settingFamily(env, names);
  const [repo, repositoryFile] = byFlag
    ? [flags.repo, flags.repositoryFile]
    : names.map((name) => given(env[`${family}${name}`]));
  if (repo !== undefined && repositoryFile !== undefined) {
    throw new EngineError('usage', 'The repository is given twice, by itself and by a file.', {
      hint: 'Leave out either --repo or --repository-file (or its variable).',
    });
  }
  return { repo, repositoryFile };
}

type Secret = Pick<Access, 'password' | 'passwordFile' | 'passwordCommand' | 'insecureNoPassword'>;

function secretOf(flags: AccessFlags, env: Environment, from: string): Secret {
  const names = [`${from}PASSWORD`, `${from}PASSWORD_FILE`, `${from}PASSWORD_COMMAND`] as const;
  const byFlag = given(flags.passwordFile) !== undefined || given(flags.passwordCommand) !== undefined;
  const family = byFlag ? undefined : settingFamily(env, names);
  const [password, passwordFile, passwordCommand] = byFlag
    ? [undefined, given(flags.passwordFile), given(flags.passwordCommand)]
    : names.map((name) => given(env[`${family}${name}`]));
  if (passwordFile !== undefined && passwordCommand !== undefined) {
    throw new EngineError('usage', 'The password is given twice, by a file and by a command.', {
      hint: 'Leave out either the password file or the password command.',
    });
  }
  return { password, passwordFile, passwordCommand, insecureNoPassword: flags.insecureNoPassword };
}

/** `--repo "$UNSET"` must not end up in whatever repository comes next in line. */
function refuseEmpty(name: string, value: string | undefined): void {
  if (value === '') throw new EngineError('usage', `${name} is empty.`);
}

/** An empty variable, or password flag, is as good as none. */
function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function verbosityOf(flags: GlobalValues): Globals['verbosity'] {
  if (flags.quiet && flags.verbose > 0) {
    throw new EngineError('usage', '--quiet and --verbose contradict each other.');
  }
  if (flags.quiet) return 0;
  return flags.verbose >= 2 ? 3 : flags.verbose === 1 ? 2 : 1;
}

function fromEnvironment<T>(env: Environment, name: string, parse: (text: string) => T): T | undefined {
  const found = readSetting(env, name);
  if (found === undefined) return undefined;
  try {
    return parse(found.value);
  } catch (e) {
    throw new EngineError('usage', `invalid value for the variable ${found.variable}: ${messageOf(e)}`);
  }
}

function parseStorageOptions(settings: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const written of settings) {
    const equals = written.indexOf('=');
    const key = (equals < 0 ? written : written.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? '' : written.slice(equals + 1).trim();
    if (key === '')
      throw new EngineError('usage', `"${written}" names no setting`, { hint: 'Write key=value.' });
    const before = options.get(key);
    if (before !== undefined && before !== value) {
      throw new EngineError('usage', `The setting ${key} is given twice, as ${before} and as ${value}.`);
    }
    options.set(key, value);
  }
  return options;
}
