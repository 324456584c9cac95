/**
 * A repository in Google Drive, by its API v3. Folders and names are restic's, so that rclone and restic find the same repository.
 *
 * top       My Drive, or a shared drive; the repository's folder lies below it
 * item      a file or folder as Drive knows it, by its id (items.ts). A name may stand for several.
 * twins     files of one name: a writer heard no answer and began again, or two wrote at once. The best one is read: that with
 *           the right hash, or the newest; `remove` removes all
 * replace   new bytes go into the file that is there, by its id, in one step: a new file beside it would leave a time with two, or none
 * ids       are asked of Drive before a file is made, so that a creation that heard no answer can be made again without a twin
 * wire      calls, with tokens, quotas and paces (wire.ts)
 */
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
import { Access } from '../oauth/access.ts';
import type { SignInRequest, SignInWay, StorageSetting } from '../registry.ts';
import { fromAnswer, SERVICE } from './errors.ts';
import { Folders, MOST_PARENTS } from './folders.ts';
import { Ids } from './ids.ts';
import { type Item, Items, options } from './items.ts';
import { type Allowed, Quota } from './quota.ts';
import { credentialsOf, type DriveSetting, settingOf, signInClient } from './setting.ts';
import { Content, Uploads } from './upload.ts';
import { Wire } from './wire.ts';

/** For tests. */
export interface DriveParts {
  readonly clock?: Clock;
  /** 0 … 1, evenly. */
  readonly random?: () => number;
  /** What Google allows, per second: new files and folders, and calls. */
  readonly allowed?: Allowed;
}

/** Two creations are what Drive has been seen to take for long; of calls, 12,000 in a minute are documented. */
const ALLOWED: Allowed = { creations: 2, queries: 150 };
/** Files whose ids are remembered, so that reading one costs no search: some 30 MB. */
const MOST_KNOWN = 100_000;

interface Parts {
  readonly http: HttpClient;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly random: () => number;
  readonly warn: StorageSetting['warn'];
  readonly isNew: boolean;
}

class Drive implements Backend {
  readonly location: string;
  readonly traits: Traits;
  readonly #setting: DriveSetting;
  readonly #parts: Parts;
  readonly #items: Items;
  readonly #folders: Folders;
  readonly #uploads: Uploads;
  readonly #ids: Ids;
  /** By path. */
  readonly #known = new Map<string, Item>();
  /** Of creations whose outcome nobody has told, by path. */
  readonly #pending = new Map<string, string>();
  /** The config may only come into being: somebody else may make a repository at the same place. */
  #isNew: boolean;
  readonly #writing = new Map<string, { readonly turn: Semaphore; users: number }>();

  constructor(setting: DriveSetting, parts: Parts) {
    const { connections, path, sharedDrive } = setting;
    this.location = `gdrive:${path.join('/') || '/'}`;
    // Lists of shared drives lag by minutes; those of My Drive by seconds, now and then.
    this.traits = { connections, atomicReplace: true, listLag: true, paced: true };
    this.#setting = setting;
    this.#parts = parts;
    this.#isNew = parts.isNew;
    this.#items = new Items(parts.wire, sharedDrive, parts.warn);
    this.#folders = new Folders(this.#items);
    this.#uploads = new Uploads(parts.wire, parts);
    this.#ids = new Ids(parts.wire);
  }

  async save(h: Handle, data: readonly Uint8Array[], o: CallOptions = {}): Promise<void> {
    const path = this.#pathOf(h);
    const content = new Content(data);
    await this.#inTurn(path.join('/'), async () => {
      throwIfAborted(o.signal);
      try {
        await this.#store(h, content, o);
      } catch (e) {
        if (!isEngineError(e, 'not-found')) throw e;
        // Somebody removed a folder or the file itself since we last saw it.
        this.#known.delete(this.#keyOf(h));
        this.#folders.forget();
        await this.#store(h, content, o).catch((again) => fail(whereIsIt(again)));
      }
    });
  }

  async #store(h: Handle, content: Content, o: CallOptions): Promise<void> {
    const current = await this.#current(h, o.signal);
    const [best, ...others] = current ? [current] : await this.#twins(h, o.signal);
    if (best === undefined) return this.#verify(h, await this.#create(h, content, o), content);
    if (h.type === 'config' && this.#isNew && !content.isIn(best)) throw alreadyThere(this.location);
    const item = content.isIn(best)
      ? best
      : await this.#uploads.store({ kind: 'update', id: best.id }, content, o);
    await this.#verify(h, item, content);
    await this.#removeAll(others, undefined);
  }

  async #create(h: Handle, content: Content, o: CallOptions): Promise<Item> {
    const path = this.#pathOf(h);
    const key = path.join('/');
    const parent = await this.#folders.ensure(path.slice(0, -1), o.signal);
    const id = this.#pending.get(key) ?? (await this.#ids.take(o.signal));
    this.#pending.set(key, id);
    try {
      const name = path.at(-1) ?? '';
      return await this.#uploads.store({ kind: 'create', id, name, parent }, content, o);
    } catch (e) {
      if (!isEngineError(e, 'conflict')) throw e;
      return await this.#taken(key, id, content, o);
    }
  }

  /** The answer to an earlier try was lost: the file is there. */
  async #taken(key: string, id: string, content: Content, o: CallOptions): Promise<Item> {
    const there = await this.#items.get(id, undefined);
    if (there && content.isIn(there)) return there;
    if (there) return this.#uploads.store({ kind: 'update', id }, content, o);
    // It was stored, and somebody has removed it: its id is used up.
    this.#pending.delete(key);
    throw new EngineError('unreachable', 'A file in Google Drive was removed while it was written.', {
      transient: true,
    });
  }

  /** What was stored must be what was sent, in a folder that is not in the bin. No abort: the file is there. */
  async #verify(h: Handle, item: Item, content: Content): Promise<void> {
    const key = this.#keyOf(h);
    if (content.isIn(item) && !item.trashed) {
      this.#pending.delete(key);
      this.#note(key, item);
      if (h.type === 'config') this.#isNew = false;
      return;
    }
    await this.#items.remove(item.id, undefined);
    this.#pending.delete(key);
    this.#known.delete(key);
    this.#folders.forget();
    const message = item.trashed
      ? 'The folder in Google Drive is in the bin.'
      : 'Bytes were changed on their way to Google Drive.';
    throw new EngineError('io', message, { transient: true });
  }

  async load(h: Handle, o: LoadOptions = {}): Promise<Uint8Array> {
    throwIfAborted(o.signal);
    // Whether the counts are some; the size is not known yet.
    const { offset } = spanOf(h, Number.MAX_SAFE_INTEGER, { offset: o.offset ?? 0, length: 0 });
    const { length } = spanOf(h, Number.MAX_SAFE_INTEGER, { offset: 0, length: o.length ?? 0 });
    if (o.length !== undefined && length === 0) return this.#nothing(h, o);
    const last = o.length === undefined ? '' : offset + length - 1;
    const ranged = offset > 0 || o.length !== undefined;
    const answer = await this.#media(h, o, ranged ? { range: `bytes=${offset}-${last}` } : {});
    return answer.status === 416 ? this.#nothing(h, o) : spanIn(answer, h, o);
  }

  async #media(h: Handle, o: LoadOptions, headers: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    const known = this.#known.get(this.#keyOf(h));
    const { id } = known ?? (await this.#look(h, o));
    const url = new URL(`${this.#setting.endpoint}/drive/v3/files/${id}`);
    url.searchParams.set('alt', 'media');
    url.searchParams.set('supportsAllDrives', 'true');
    if (this.#setting.acknowledgeAbuse) url.searchParams.set('acknowledgeAbuse', 'true');
    const { signal, pace } = o;
    const answer = await this.#parts.wire.send({ method: 'GET', url: url.href, headers, signal, pace });
    if (answer.status !== 404) return answer;
    this.#known.delete(this.#keyOf(h));
    if (known === undefined) throw notFound(h, fromAnswer(answer));
    return this.#media(h, o, headers);
  }

  /** For spans of no bytes, and those beyond the end: only the size tells which. */
  async #nothing(h: Handle, o: LoadOptions): Promise<Uint8Array> {
    const { size } = await this.stat(h, o);
    const span = spanOf(h, size, o);
    if (span.length > 0) throw outOfRange(h, size, span);
    return new Uint8Array(0);
  }

  async stat(h: Handle, o: CallOptions = {}): Promise<FileInfo> {
    throwIfAborted(o.signal);
    this.#pathOf(h);
    const { size } = (await this.#current(h, o.signal)) ?? (await this.#look(h, o));
    return { name: h.name, size };
  }

  /** The best of its twins. Errors: 'not-found'. */
  async #look(h: Handle, { signal }: CallOptions): Promise<Item> {
    const [near] = await this.#twins(h, signal);
    const [best] = near ? [near] : await this.#twins(h, signal, { fresh: true });
    if (best === undefined) throw notFound(h);
    this.#note(this.#keyOf(h), best);
    return best;
  }

  /** All files of that name, the best first. `fresh`: folders that somebody made meanwhile are seen too. */
  async #twins(
    h: Handle,
    signal: AbortSignal | undefined,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<readonly Item[]> {
    const path = this.#pathOf(h);
    const parents = await this.#folders.find(path.slice(0, -1), { signal, fresh });
    const name = path.at(-1) ?? '';
    return bestFirst(await this.#items.all({ parents, name, kind: 'file' }, signal));
  }

  /** The file that is known by its id, if it is still there. */
  async #current(h: Handle, signal: AbortSignal | undefined): Promise<Item | undefined> {
    const key = this.#keyOf(h);
    const known = this.#known.get(key);
    const item = known && (await this.#items.get(known.id, signal));
    if (item === undefined) this.#known.delete(key);
    return item;
  }

  async *list(type: FileType, o: ListOptions = {}): AsyncGenerator<FileInfo> {
    throwIfAborted(o.signal);
    for await (const items of this.#batches(type, o.signal)) {
      for (const [name, twins] of Map.groupBy(items, (item) => item.name)) {
        throwIfAborted(o.signal);
        const [best] = bestFirst(twins);
        if (best === undefined) continue;
        const h: Handle = type === 'config' ? CONFIG_HANDLE : { type, name };
        this.#note(this.#keyOf(h), best);
        yield infoOf(h, best, o);
      }
    }
  }

  /** Twins are in one batch. */
  async *#batches(type: FileType, signal: AbortSignal | undefined): AsyncGenerator<readonly Item[]> {
    const folder = folderOf(type);
    if (type === 'pack') return yield* this.#packs(signal);
    const path = [...this.#setting.path, ...(folder === undefined ? [] : [folder])];
    const parents = await this.#folders.find(path, { signal, fresh: true });
    const search = folder === undefined ? { parents, name: 'config' } : { parents };
    const items = await this.#items.all({ ...search, kind: 'file' }, signal);
    yield items.filter(({ name }) => folder === undefined || isId(name));
  }

  /** The 256 folders of packs by some queries. */
  async *#packs(signal: AbortSignal | undefined): AsyncGenerator<readonly Item[]> {
    const folders = await this.#folders.within([...this.#setting.path, folderOf('pack') ?? ''], signal);
    for (const names of together(folders)) {
      const prefixes = new Map(names.flatMap((name) => (folders.get(name) ?? []).map((id) => [id, name])));
      const items: Item[] = [];
      const parents = [...prefixes.keys()];
      for (let i = 0; i < parents.length; i += MOST_PARENTS) {
        const some = parents.slice(i, i + MOST_PARENTS);
        items.push(...(await this.#items.all({ parents: some, kind: 'file' }, signal)));
      }
      // What lies in the folder of other packs `load` would not find.
      yield items.filter(({ name, parent }) => isId(name) && prefixes.get(parent ?? '') === name.slice(0, 2));
    }
  }

  async remove(h: Handle, { signal }: CallOptions = {}): Promise<void> {
    const key = this.#keyOf(h);
    await this.#inTurn(key, async () => {
      throwIfAborted(signal);
      const known = this.#known.get(key);
      const near = await this.#twins(h, signal);
      const twins = near.length > 0 ? near : await this.#twins(h, signal, { fresh: true });
      // A list may lag behind what we know.
      const unlisted = known && !twins.some(({ id }) => id === known.id) ? [known] : [];
      this.#known.delete(key);
      await this.#removeAll([...twins, ...unlisted], signal);
    });
  }

  async #removeAll(items: readonly Item[], signal: AbortSignal | undefined): Promise<void> {
    for (const { id } of items) await this.#items.remove(id, signal);
  }

  /** Drive tells the account's; a shared drive has none of its own. */
  async space({ signal }: CallOptions = {}): Promise<StorageSpace> {
    if (this.#setting.sharedDrive !== undefined) return { free: null, total: null, used: null };
    const { storageQuota } = await this.#about('storageQuota', signal);
    const numberOf = (text: string | null | undefined) => (text ? Number(text) : null);
    const [used, total] = [numberOf(storageQuota?.usage), numberOf(storageQuota?.limit)];
    const free = total === null || used === null ? null : Math.max(0, total - used);
    return { free, total, used };
  }

  async facts({ signal }: CallOptions = {}): Promise<StorageFacts> {
    const { user } = await this.#about('user(emailAddress)', signal);
    return { ...NO_FACTS, account: user?.emailAddress ?? null };
  }

  async #about(fields: string, signal: AbortSignal | undefined) {
    const { wire } = this.#parts;
    return wire.call(signal, () => wire.sdk.about.get({ fields }, options(signal)));
  }

  async close(): Promise<void> {
    this.#parts.http.close();
  }

  #pathOf(h: Handle): readonly string[] {
    return [...this.#setting.path, ...segmentsOf(h)];
  }

  #note(key: string, item: Item): void {
    this.#known.delete(key);
    this.#known.set(key, item);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_KNOWN) return;
      this.#known.delete(oldest);
    }
  }

  #keyOf(h: Handle): string {
    return this.#pathOf(h).join('/');
  }

  /** Changes of one name go one after the other, or each would make a twin. */
  async #inTurn(key: string, work: () => Promise<void>): Promise<void> {
    const place = this.#writing.get(key) ?? { turn: new Semaphore(1), users: 0 };
    this.#writing.set(key, place);
    place.users++;
    try {
      await place.turn.run(work);
    } finally {
      if (--place.users === 0) this.#writing.delete(key);
    }
  }
}

/** Names of pack folders, in groups that lead to about as many folders as fit a query. */
function* together(folders: ReadonlyMap<string, readonly string[]>): Generator<readonly string[]> {
  let names: string[] = [];
  let count = 0;
  for (const [name, ids] of folders) {
    if (count > 0 && count + ids.length > MOST_PARENTS) {
      yield names;
      [names, count] = [[], 0];
    }
    names.push(name);
    count += ids.length;
  }
  if (names.length > 0) yield names;
}

/** Most files are named by their hash: that tells which twin is right. Else the newest is. */
function bestFirst(twins: readonly Item[]): readonly Item[] {
  const isRight = ({ name, sha256 }: Item) => (sha256 === name ? 1 : 0);
  return [...twins].sort(
    (a, b) => isRight(b) - isRight(a) || b.modifiedAt - a.modifiedAt || (a.id < b.id ? -1 : 1),
  );
}

function infoOf(h: Handle, { size, sha256, md5, createdAt }: Item, { checksums }: ListOptions): FileInfo {
  const storedAt = createdAt > 0 ? { storedAt: createdAt } : {};
  if (!checksums) return { name: h.name, size, ...storedAt };
  const checksum =
    sha256 !== undefined
      ? ({ kind: 'sha256', value: sha256 } as const)
      : md5 !== undefined && ({ kind: 'md5', value: md5 } as const);
  return { name: h.name, size, ...(checksum ? { checksum } : {}), ...storedAt };
}

/** The bytes that were asked for, out of the answer to a download. */
function spanIn(answer: HttpAnswer, h: Handle, o: LoadOptions): Uint8Array {
  if (answer.status === 206) return partIn(answer, h, o);
  if (answer.status !== 200) throw fromAnswer(answer);
  // The whole file, even if a part was asked for: proxies may do that.
  const { offset, length } = spanOf(h, answer.body.length, o);
  if (length === answer.body.length) return answer.body;
  return Uint8Array.from(answer.body.subarray(offset, offset + length));
}

function partIn(answer: HttpAnswer, h: Handle, o: LoadOptions): Uint8Array {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '') ?? [];
  const { offset, length } = spanOf(h, Number(total), o);
  if (Number(from) === offset && answer.body.length === length) return answer.body;
  throw new EngineError('io', 'Google Drive gave other bytes than those asked for.', { transient: true });
}

function alreadyThere(location: string): EngineError {
  return new EngineError('repository-exists', `There already is a repository at ${location}.`);
}

/** What is not found when a file is saved is a folder. */
function whereIsIt(e: unknown): unknown {
  if (!isEngineError(e, 'not-found')) return e;
  const message = 'Google Drive does not have the folder in which a file should be stored.';
  return new EngineError('unreachable', message, { transient: true }, { cause: e });
}

function fail(e: unknown): never {
  throw e;
}

async function open(
  target: string,
  o: StorageSetting,
  { clock = systemClock, random = Math.random, allowed = ALLOWED }: DriveParts,
  isNew: boolean,
): Promise<Drive> {
  throwIfAborted(o.signal);
  const setting = settingOf(target, o);
  const { endpoint, connections } = setting;
  const credentials = await credentialsOf(o);
  const http = await createHttpClient({ tls: o.tls, connections, env: o.env });
  const access = new Access({ service: SERVICE, http, clock, keeper: o.login, warn: o.warn }, credentials);
  const quota = new Quota({ clock, random, allowed });
  const wire = new Wire({ http, access, quota, endpoint });
  return new Drive(setting, { http, wire, clock, random, warn: o.warn, isNew });
}

/**
 * `target`: folder/path below My Drive, or below the shared drive. Asks the service nothing yet.
 * Errors: 'usage' for settings, 'auth-expired' where no login is known.
 */
export async function openDrive(
  target: string,
  o: StorageSetting = {},
  parts: DriveParts = {},
): Promise<Backend> {
  return open(target, o, parts, false);
}

/** Nothing has to be made: folders come with their files. Errors: 'repository-exists', and those of `openDrive` and `stat`. */
export async function createDrive(
  target: string,
  o: StorageSetting = {},
  parts: DriveParts = {},
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

/** Errors: 'usage' where no client is known: Holdfast has none of its own. */
export async function driveSignIn(o: SignInRequest): Promise<SignInWay> {
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
