/**
 * The composition root: makes repositories out of locations. It puts the storage and its decorators together:
 * cache(retry(remember(limit(storage)))), where only lists that lag need `remember`.
 */
import process from 'node:process';
import { type EngineError, messageOf } from '../api/errors.ts';
import type { Backend, Pace, Wrap } from '../backend/backend.ts';
import { cache } from '../backend/cache.ts';
import { limit } from '../backend/limit.ts';
import { parseLocation, type StorageSetting } from '../backend/registry.ts';
import { remember } from '../backend/remember.ts';
import { retry } from '../backend/retry.ts';
import type { Id } from '../format/types.ts';
import { cacheDirectory, identity } from '../fs/platform.ts';
import {
  createRepository as create,
  openRepository as open,
  type Repository,
  type RepositoryOptions,
} from '../repository/repository.ts';
import type { Compression } from '../util/zstd.ts';
import { beginCliSignIn, type CliSignIn, cliLogin, type LoginRequest } from './cli-logins.ts';
import {
  type DefaultRepository,
  findDefaultRepository,
  prepareDefaultRepository,
} from './default-repository.ts';
import { SCHEMES } from './schemes.ts';
import { rememberServer } from './ssh-servers.ts';

export interface RepositorySettings {
  readonly compression: Compression;
  /** Bytes; 0 for the usual size. */
  readonly packSize: number;
  readonly extraVerify: boolean;
  /** Bytes per second; 0 for no limit. */
  readonly limits: { readonly upload: number; readonly download: number };
  /** null: keep nothing; undefined: as the storage needs it, in the system's usual place. */
  readonly cacheDir: string | null | undefined;
}

export interface OpenRequest extends Pick<StorageSetting, 'options' | 'login' | 'tls' | 'env'> {
  readonly location: string;
  readonly password: () => Promise<string>;
  readonly keyHint: string | undefined;
  readonly settings: RepositorySettings;
  /** Allowances of bytes that are shared with others. */
  readonly paces?: readonly Pace[];
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

export interface CreateRequest extends OpenRequest {
  readonly version: 1 | 2;
  readonly chunkerPolynomial?: string;
}

/** Errors: 'usage', 'unsupported', 'repository-missing', 'wrong-password', 'damaged', and the storage's. */
export async function openRepository(o: OpenRequest): Promise<Repository> {
  const { scheme, target } = parseLocation(o.location, SCHEMES);
  const backend = decorate(await scheme.open(target, o), o);
  return closeOnFailure(backend, async () => {
    const options = repositoryOptions(o.settings);
    const hint = o.keyHint === undefined ? {} : { keyHint: o.keyHint };
    const cached = cacheFor(o, scheme.remote);
    return open(backend, {
      password: await o.password(),
      ...hint,
      ...cached,
      signal: o.signal,
      repository: options,
    });
  });
}

/** Errors: 'repository-exists', and those of `openRepository`. */
export async function createRepository(o: CreateRequest): Promise<Repository> {
  const { scheme, target } = parseLocation(o.location, SCHEMES);
  const password = await o.password();
  const backend = decorate(await scheme.create(target, o), o);
  const { username, hostname } = identity();
  return closeOnFailure(backend, () =>
    create(backend, {
      password,
      version: o.version,
      username,
      hostname,
      ...(o.chunkerPolynomial === undefined ? {} : { chunkerPolynomial: o.chunkerPolynomial }),
      signal: o.signal,
      repository: repositoryOptions(o.settings),
    }),
  );
}

function decorate(backend: Backend, o: OpenRequest): Backend {
  const { upload, download } = o.settings.limits;
  const rates = {
    ...(upload > 0 ? { uploadBytesPerSecond: upload } : {}),
    ...(download > 0 ? { downloadBytesPerSecond: download } : {}),
  };
  const wraps: Wrap[] = [
    limit({ ...rates, ...(o.paces ? { paces: o.paces } : {}) }),
    ...(backend.traits.listLag ? [remember()] : []),
    retry({ onRetry: ({ error }) => o.warn(`${error.message} Trying again.`) }),
  ];
  return wraps.reduce((inner, wrap) => wrap(inner), backend);
}

/** A local folder is as fast as its cache would be: it gets one only where somebody names a place for it. */
function cacheFor(o: OpenRequest, remote: boolean): { readonly decorate?: (id: Id) => Wrap } {
  const { cacheDir } = o.settings;
  if (cacheDir === null || (cacheDir === undefined && !remote)) return {};
  const onProblem = (e: unknown) => o.warn(`The cache can't be used: ${messageOf(e)}`);
  return { decorate: (id) => cache(cacheDir ?? cacheDirectory(), id, { onProblem }) };
}

function repositoryOptions(s: RepositorySettings): Partial<RepositoryOptions> {
  const { compression, extraVerify, packSize } = s;
  return { compression, extraVerify, ...(packSize > 0 ? { packBytes: packSize } : {}) };
}

async function closeOnFailure(backend: Backend, work: () => Promise<Repository>): Promise<Repository> {
  try {
    return await work();
  } catch (e) {
    await backend.close().catch(() => {});
    throw e;
  }
}

/** What the command line asks for. */
interface Asked extends Omit<OpenRequest, 'options' | 'tls' | 'env' | 'login'> {
  readonly settings: RepositorySettings & {
    readonly storageOptions: ReadonlyMap<string, string>;
    readonly tls: NonNullable<StorageSetting['tls']>;
  };
}

export interface Host {
  openRepository(o: Asked): Promise<Repository>;
  createRepository(o: Asked & Pick<CreateRequest, 'version' | 'chunkerPolynomial'>): Promise<Repository>;
  findDefaultRepository(): Promise<DefaultRepository | undefined>;
  prepareDefaultRepository(): Promise<DefaultRepository>;
  /** Signing in to a cloud for the command line. Errors: those of `SignIns`. */
  beginLogin(o: LoginRequest): Promise<CliSignIn>;
  /** From now on an SSH server with this key is known. Errors: 'permission', 'io'. */
  rememberServer(question: EngineError, settings: Asked['settings']): Promise<void>;
}

export function createHost(env: NonNullable<StorageSetting['env']> = process.env): Host {
  const reaching = ({ location, settings }: Asked) => {
    const login = cliLogin(location, env);
    return { options: settings.storageOptions, tls: settings.tls, env, ...(login ? { login } : {}) };
  };
  return {
    openRepository: (o) => openRepository({ ...o, ...reaching(o) }),
    createRepository: (o) => createRepository({ ...o, ...reaching(o) }),
    findDefaultRepository: () => findDefaultRepository(),
    prepareDefaultRepository: () => prepareDefaultRepository(),
    beginLogin: (o) => beginCliSignIn(o, env),
    rememberServer: (question, { storageOptions }) =>
      rememberServer(question, { options: storageOptions, env }),
  };
}
