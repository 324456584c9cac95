/**
 * A repository in a Dropbox, by its API v2. The folders are restic's; Dropbox makes them with the first file in them.
 *
 * root           the repository's folder, below the app's own folder or the top of the Dropbox, as the app was made
 * content hash   Dropbox's own hash of a file (content-hash.ts): compared after every save, told by every list
 * session        bytes on their way, without a name (upload.ts)
 * batch          changes of names that go with one call (batch.ts)
 * wire           calls, with tokens, pauses and paces (wire.ts)
 */
import type { files, users } from 'dropbox';
import { EngineError, isEngineError } from '../../api/errors.ts';
import { type FileType, isId } from '../../format/types.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import { Semaphore } from '../../util/semaphore.ts';
import {
  type Backend,
  type CallOptions,
  CONFIG_HANDLE,
  type FileInfo,
  type Handle,
  type ListOptions,
  type LoadOptions,
  NO_FACTS,
  type StorageFacts,
  type StorageSpace,
  type Traits,
} from '../backend.ts';
import { notFound, outOfRange, spanOf, throwIfAborted } from '../calls.ts';
import { createHttpClient, type HttpAnswer, type HttpClient } from '../http/client.ts';
import { folderOf, segmentsOf } from '../layout.ts';
import type { SignInRequest, SignInWay, StorageSetting } from '../registry.ts';
import { Access } from './access.ts';
import { fromRefusal } from './errors.ts';
import { Removals } from './removal.ts';
import { credentialsOf, type DropboxSetting, settingOf, signInClient } from './setting.ts';
import { Uploads } from './upload.ts';
import { refusalOf, Wire } from './wire.ts';

/** For tests. */
export interface DropboxParts {
  readonly clock?: Clock;
  /** 0 … 1, evenly. */
  readonly random?: () => number;
  /** Of an upload's calls: a multiple of 4 MiB. */
  readonly chunkBytes?: number;
}

const USUAL: Required<DropboxParts> = {
  clock: systemClock,
  random: Math.random,
  chunkBytes: 16 << 20,
};

type Page = files.ListFolderResult;
type Entry = Page['entries'][number];

/** Dropbox's own bound of a page. */
const PAGE = 2000;
/** Times that a list may begin anew. */
const RESETS = 5;

class DropboxBackend implements Backend {
  readonly location: string;
  readonly traits: Traits;
  readonly #root: string;
  readonly #http: HttpClient;
  readonly #wire: Wire;
  readonly #uploads: Uploads;
  readonly #removals: Removals;
  /** The config may only come into being: somebody else may make a repository at the same place. */
  readonly #isNew: boolean;

  constructor(
    { root, connections }: DropboxSetting,
    o: { readonly http: HttpClient; readonly wire: Wire; readonly isNew: boolean },
    parts: Required<DropboxParts>,
  ) {
    this.location = `dropbox:${root.slice(1) || '/'}`;
    this.traits = { connections, atomicReplace: true, listLag: false, paced: true };
    this.#root = root;
    this.#http = o.http;
    this.#wire = o.wire;
    this.#isNew = o.isNew;
    const batches = { ...parts, writing: new Semaphore(1), ready: () => o.wire.ready() };
    this.#uploads = new Uploads(o.wire, batches);
    this.#removals = new Removals(o.wire, batches);
  }

  async save(h: Handle, data: readonly Uint8Array[], o: CallOptions = {}): Promise<void> {
    const path = this.#pathOf(h);
    const onlyNew = h.type === 'config' && this.#isNew;
    try {
      await this.#uploads.save(path, data, onlyNew ? { ...o, only: 'new' } : o);
    } catch (e) {
      if (onlyNew && isEngineError(e, 'conflict')) throw alreadyThere(this.location, e);
      throw e;
    }
  }

  async load(h: Handle, o: LoadOptions = {}): Promise<Uint8Array> {
    const path = this.#pathOf(h);
    throwIfAborted(o.signal);
    // Whether the counts are some; the size is not known yet.
    const { offset } = spanOf(h, Number.MAX_SAFE_INTEGER, { offset: o.offset ?? 0, length: 0 });
    const { length } = spanOf(h, Number.MAX_SAFE_INTEGER, { offset: 0, length: o.length ?? 0 });
    if (o.length !== undefined && length === 0) return this.#nothing(h, o);
    const ranged = offset > 0 || o.length !== undefined;
    const last = o.length === undefined ? '' : offset + length - 1;
    const answer = await this.#wire.bytes({
      ...(o.signal ? { signal: o.signal } : {}),
      ...(o.pace ? { pace: o.pace } : {}),
      method: 'GET',
      route: 'files/download',
      arg: { path },
      ...(ranged ? { headers: { range: `bytes=${offset}-${last}` } } : {}),
    });
    if (answer.status === 416) return this.#nothing(h, o);
    return spanIn(answer, h, o);
  }

  /** For spans of no bytes, and those beyond the end: only the size tells which. */
  async #nothing(h: Handle, o: LoadOptions): Promise<Uint8Array> {
    const { size } = await this.stat(h, o);
    const span = spanOf(h, size, o);
    if (span.length > 0) throw outOfRange(h, size, span);
    return new Uint8Array(0);
  }

  async stat(h: Handle, o: CallOptions = {}): Promise<FileInfo> {
    const { size } = await this.#look(h, o);
    return { name: h.name, size };
  }

  async #look(h: Handle, o: CallOptions): Promise<files.FileMetadata> {
    const path = this.#pathOf(h);
    try {
      const call = () => this.#wire.sdk.filesGetMetadata({ path });
      const { result } = await this.#wire.read('look at a file', o.signal, call);
      if (result['.tag'] === 'file') return result;
    } catch (e) {
      throw isReason(e, 'path/not_found') ? notFound(h, e) : e;
    }
    throw new EngineError('conflict', `In the Dropbox, ${path} is a folder; a repository has a file there.`);
  }

  async *list(type: FileType, o: ListOptions = {}): AsyncGenerator<FileInfo> {
    throwIfAborted(o.signal);
    if (type === 'config') yield* this.#listConfig(o);
    else {
      const given = new Set<string>();
      for await (const entries of this.#pages(type, o)) {
        for (const entry of entries) {
          throwIfAborted(o.signal);
          if (!this.#belongs(type, entry) || given.has(entry.name)) continue;
          given.add(entry.name);
          yield infoOf(entry.name, entry, o);
        }
      }
    }
  }

  async *#listConfig(o: ListOptions): AsyncGenerator<FileInfo> {
    try {
      yield infoOf('', await this.#look(CONFIG_HANDLE, o), o);
    } catch (e) {
      if (!isEngineError(e, 'not-found')) throw e;
    }
  }

  /** Packs lie in folders of their own: one deep list is some calls where those folders' would be 256. */
  async *#pages(type: FileType, { signal }: CallOptions): AsyncGenerator<readonly Entry[]> {
    const path = `${this.#root}/${folderOf(type) ?? ''}`;
    const first = () => this.#wire.sdk.filesListFolder({ path, recursive: type === 'pack', limit: PAGE });
    for (let resets = 0; ; ) {
      try {
        let { result: page } = await this.#wire.read('list a folder', signal, first);
        for (;;) {
          yield page.entries;
          if (!page.has_more) return;
          const { cursor } = page;
          const next = () => this.#wire.sdk.filesListFolderContinue({ cursor });
          ({ result: page } = await this.#wire.read('list a folder', signal, next));
        }
      } catch (e) {
        if (isReason(e, 'path/not_found')) return;
        if (!isReason(e, 'reset')) throw e;
        if (++resets > RESETS) throw listBroken(e);
      }
    }
  }

  /** Whether an entry is a file that `load` would find again. */
  #belongs(type: FileType, entry: Entry): entry is files.FileMetadataReference {
    if (entry['.tag'] !== 'file' || !isId(entry.name)) return false;
    return entry.path_lower === this.#pathOf({ type, name: entry.name }).toLowerCase();
  }

  async remove(h: Handle, o?: CallOptions): Promise<void> {
    await this.#removals.remove(this.#pathOf(h), o?.signal);
  }

  async space({ signal }: CallOptions = {}): Promise<StorageSpace> {
    const call = () => this.#wire.sdk.usersGetSpaceUsage();
    const { result } = await this.#wire.read('tell how full it is', signal, call);
    return spaceIn(result);
  }

  async facts({ signal }: CallOptions = {}): Promise<StorageFacts> {
    const call = () => this.#wire.sdk.usersGetCurrentAccount();
    const { result } = await this.#wire.read('tell whose it is', signal, call);
    return { ...NO_FACTS, account: result.email };
  }

  async close(): Promise<void> {
    this.#http.close();
  }

  #pathOf(h: Handle): string {
    return [this.#root, ...segmentsOf(h)].join('/');
  }
}

function isReason(e: unknown, reason: string): boolean {
  return isEngineError(e) && e.context.reason === reason;
}

/** The bytes that were asked for, out of the answer to a download. */
function spanIn(answer: HttpAnswer, h: Handle, o: LoadOptions): Uint8Array {
  if (answer.status === 200) {
    // The whole file, even if a part was asked for: proxies may do that.
    const { offset, length } = spanOf(h, answer.body.length, o);
    return length === answer.body.length
      ? answer.body
      : Uint8Array.from(answer.body.subarray(offset, offset + length));
  }
  if (answer.status === 206) return partIn(answer, h, o);
  const error = fromRefusal(refusalOf(answer), 'give a file');
  throw isReason(error, 'path/not_found') ? notFound(h, error) : error;
}

function partIn(answer: HttpAnswer, h: Handle, o: LoadOptions): Uint8Array {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '') ?? [];
  const { offset, length } = spanOf(h, Number(total), o);
  if (Number(from) === offset && answer.body.length === length) return answer.body;
  throw new EngineError('io', 'Dropbox gave other bytes than those asked for.', { transient: true });
}

function infoOf(name: string, entry: files.FileMetadata, { checksums }: ListOptions): FileInfo {
  if (!checksums) return { name, size: entry.size };
  const storedAt = Date.parse(entry.server_modified);
  const value = entry.content_hash;
  return {
    name,
    size: entry.size,
    ...(value === undefined ? {} : { checksum: { kind: 'dropbox', value } }),
    ...(Number.isNaN(storedAt) ? {} : { storedAt }),
  };
}

/** In a team, what the team has and what it lets this member have both bound it. */
function spaceIn({ used, allocation }: users.SpaceUsage): StorageSpace {
  if (allocation['.tag'] === 'individual') {
    const { allocated: total } = allocation;
    return { used, total, free: Math.max(0, total - used) };
  }
  if (allocation['.tag'] !== 'team') return { used, total: null, free: null };
  const mine = allocation.user_within_team_space_allocated;
  const ofTeam = allocation.allocated - allocation.used;
  const free = mine > 0 ? Math.min(ofTeam, mine - allocation.user_within_team_space_used_cached) : ofTeam;
  return {
    used,
    total: mine > 0 ? Math.min(mine, allocation.allocated) : allocation.allocated,
    free: Math.max(0, free),
  };
}

function alreadyThere(location: string, cause?: unknown): EngineError {
  const message = `There already is a repository at ${location}.`;
  return new EngineError('repository-exists', message, {}, { cause });
}

function listBroken(cause: unknown): EngineError {
  const message = 'Dropbox begins its list anew again and again.';
  return new EngineError('unreachable', message, { transient: true }, { cause });
}

async function open(
  target: string,
  o: StorageSetting,
  given: DropboxParts,
  isNew: boolean,
): Promise<DropboxBackend> {
  throwIfAborted(o.signal);
  const parts = { ...USUAL, ...given };
  const { clock } = parts;
  const setting = settingOf(target, o);
  const { addresses, connections } = setting;
  const credentials = await credentialsOf(o, addresses);
  const http = await createHttpClient({ tls: o.tls, connections, env: o.env });
  const access = new Access({ http, clock, keeper: o.login, warn: o.warn }, credentials);
  const wire = new Wire({ http, access, addresses, clock });
  return new DropboxBackend(setting, { http, wire, isNew }, parts);
}

/**
 * `target`: folder/path, below the app's folder or the top of the Dropbox. Asks the service nothing yet.
 * Errors: 'usage' for settings, 'auth-expired' where no login is known.
 */
export async function openDropbox(
  target: string,
  o: StorageSetting = {},
  parts: DropboxParts = {},
): Promise<Backend> {
  return open(target, o, parts, false);
}

/** Nothing has to be made: folders come with their files. Errors: 'repository-exists', and those of `openDropbox` and `stat`. */
export async function createDropbox(
  target: string,
  o: StorageSetting = {},
  parts: DropboxParts = {},
): Promise<Backend> {
  const backend = await open(target, o, parts, true);
  try {
    await backend.stat(CONFIG_HANDLE, o);
  } catch (e) {
    if (isEngineError(e, 'not-found')) return backend;
    await backend.close();
    throw e;
  }
  await backend.close();
  throw alreadyThere(backend.location);
}

/** Errors: 'usage' where no app is known: Holdfast has none of its own. */
export async function dropboxSignIn(o: SignInRequest): Promise<SignInWay> {
  const client = signInClient(o);
  const secret = client.clientSecret === undefined ? {} : { clientSecret: client.clientSecret };
  return {
    client,
    loginOf: ({ accessToken, expiresAt, refreshToken }) => ({
      clientId: client.clientId,
      ...secret,
      accessToken,
      expiresAt: String(expiresAt),
      ...(refreshToken === undefined ? {} : { refreshToken }),
    }),
  };
}
