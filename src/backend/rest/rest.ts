/**
 * restic's REST protocol: restic's own rest-server, `rclone serve restic`, and others that speak it. Source: restic's
 * `doc/REST_backend.rst`.
 *
 * base         the address of the repository, with a slash at its end; `config` and the folders of the types lie right below it
 * version      2 lists names with sizes; 1 only names, so each file is asked for its size
 * append-only  a server that lets nobody remove or replace anything but locks
 *
 * How packs are spread over folders is the server's business. The protocol has no place for settings: rest-server refuses them,
 * rclone keeps them all the same.
 */
import { randomBytes } from 'node:crypto';
import { EngineError, isEngineError } from '../../api/errors.ts';
import { type FileType, isId } from '../../format/types.ts';
import {
  type Backend,
  type CallOptions,
  CONFIG_HANDLE,
  type FileInfo,
  type Handle,
  type LoadOptions,
  NO_FACTS,
  type StorageFacts,
  type Traits,
} from '../backend.ts';
import { describe, notFound, spanOf, throwIfAborted, totalLength } from '../calls.ts';
import { createHttpClient, type HttpAnswer, type HttpClient, type HttpRequest } from '../http/client.ts';
import { checkHandle, folderOf } from '../layout.ts';
import type { StorageSetting } from '../registry.ts';
import { type Asked, failureOf, isGood, parseContentRange, partOf, partOfWhole } from './answers.ts';
import { parseOptions, parseTarget, type RestTarget } from './target.ts';

const VERSION_2 = 'application/vnd.x.restic.rest.v2';
const BYTES = 'application/octet-stream';

type Listed = FileInfo | { readonly name: string };

class Rest implements Backend {
  readonly location: string;
  readonly traits: Traits;
  readonly #base: string;
  readonly #username: string | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #http: HttpClient;
  /** The last save of each name that is under way. */
  readonly #saving = new Map<string, Promise<void>>();

  constructor({ base, shown, login }: RestTarget, connections: number, http: HttpClient) {
    this.location = shown;
    this.traits = { connections, atomicReplace: false, listLag: false, paced: true };
    this.#base = base;
    this.#username = login?.username;
    this.#http = http;
    const basic = login && Buffer.from(`${login.username}:${login.password}`).toString('base64');
    this.#headers = { accept: VERSION_2, ...(basic ? { authorization: `Basic ${basic}` } : {}) };
  }

  async save(h: Handle, data: readonly Uint8Array[], o?: CallOptions): Promise<void> {
    const path = pathOf(h);
    throwIfAborted(o?.signal);
    // Not every server writes aside first, and two at once would mix; a replacement takes several calls.
    const before = this.#saving.get(path);
    const mine = (before ?? Promise.resolve()).catch(() => {}).then(() => this.#storeSurely(h, data, o));
    this.#saving.set(path, mine);
    try {
      await mine;
    } finally {
      if (this.#saving.get(path) === mine) this.#saving.delete(path);
    }
  }

  async load(h: Handle, o?: LoadOptions): Promise<Uint8Array> {
    const path = pathOf(h);
    throwIfAborted(o?.signal);
    const { offset, length } = spanOf(h, Number.MAX_SAFE_INTEGER, o);
    // No Range can ask for nothing.
    if (length === 0) return this.#within(h, (await this.stat(h, callOf(o))).size, o);
    const all = offset === 0 && o?.length === undefined;
    const range = `bytes=${offset}-${o?.length === undefined ? '' : offset + o.length - 1}`;
    const answer = await this.#ask('GET', path, { ...o, ...(all ? {} : { headers: { range } }) });
    return this.#bytesIn(answer, h, o);
  }

  async stat(h: Handle, o?: CallOptions): Promise<FileInfo> {
    const path = pathOf(h);
    const answer = await this.#ask('HEAD', path, callOf(o));
    if (isAbsent(h.type, answer)) throw notFound(h);
    if (!isGood(answer)) throw this.#failure(answer, `look at ${describe(h)}`);
    const size = Number(answer.headers['content-length']);
    if (!Number.isSafeInteger(size)) throw this.#nonsense(`look at ${describe(h)}`, 'tells no size');
    return { name: h.name, size };
  }

  async *list(type: FileType, o?: CallOptions): AsyncGenerator<FileInfo> {
    throwIfAborted(o?.signal);
    const found = type === 'config' ? [{ name: '' }] : await this.#names(type, o);
    const { connections } = this.traits;
    for (let i = 0; i < found.length; i += connections) {
      throwIfAborted(o?.signal);
      const some = found.slice(i, i + connections).map((file) => this.#withSize(type, file, o));
      for (const file of await Promise.all(some)) {
        if (file) yield file;
        throwIfAborted(o?.signal);
      }
    }
  }

  async remove(h: Handle, o?: CallOptions): Promise<void> {
    const answer = await this.#ask('DELETE', pathOf(h), callOf(o));
    if (isGood(answer) || isAbsent(h.type, answer)) return;
    throw answer.status === 403 && h.type !== 'lock'
      ? this.#keepsAll(`remove ${describe(h)}`)
      : this.#failure(answer, `remove ${describe(h)}`);
  }

  /** Whether files can be removed is found out by a file that there is not: append-only servers refuse even that. */
  async facts(o?: CallOptions): Promise<StorageFacts> {
    const name = randomBytes(32).toString('hex');
    const answer = await this.#ask('DELETE', pathOf({ type: 'pack', name }), callOf(o));
    const refused = [403, 405, 501].includes(answer.status);
    if (!refused && !isGood(answer) && answer.status !== 404) {
      throw this.#failure(answer, 'find out what the server allows');
    }
    return { ...NO_FACTS, account: this.#username || null, appendOnly: refused };
  }

  /** Makes the folders of a new repository. Errors: 'repository-exists', those of a save. */
  async create(o: CallOptions): Promise<void> {
    const config = await this.stat(CONFIG_HANDLE, o).catch((e: unknown) => {
      if (!isEngineError(e, 'not-found')) throw e;
    });
    if (config) throw this.#exists();
    const answer = await this.#ask('POST', '?create=true', { ...callOf(o), body: [] });
    if (!isGood(answer)) throw this.#failure(answer, 'make a repository');
  }

  async close(): Promise<void> {
    this.#http.close();
  }

  async #ask(method: string, path: string, r: Partial<HttpRequest>): Promise<HttpAnswer> {
    throwIfAborted(r.signal);
    const headers = { ...this.#headers, ...r.headers };
    const { body, signal, pace } = r;
    const url = this.#base + path;
    return this.#http.request({ method, url, headers, body, signal, pace, repeatable: true });
  }

  /** Where the answer was lost and an abort forbids to try again, the file itself is asked for: 'cancelled' must mean absent. */
  async #storeSurely(h: Handle, data: readonly Uint8Array[], o: CallOptions | undefined): Promise<void> {
    try {
      await this.#store(h, data, o);
    } catch (e) {
      if (!o?.signal?.aborted || !isEngineError(e) || !e.transient) throw e;
      const found = await this.stat(h).catch(() => undefined);
      if (found?.size !== totalLength(data)) throw e;
    }
  }

  async #store(h: Handle, data: readonly Uint8Array[], o: CallOptions | undefined): Promise<void> {
    const answer = await this.#post(h, data, o);
    if (isGood(answer)) return;
    if (h.type === 'settings' && isAbsent(h.type, answer)) throw noSettings();
    if (answer.status !== 403) throw this.#failure(answer, savingOf(h, data));
    await this.#replace(h, data, o, answer);
  }

  #post(h: Handle, data: readonly Uint8Array[], o: CallOptions | undefined): Promise<HttpAnswer> {
    return this.#ask('POST', pathOf(h), { ...o, headers: { 'content-type': BYTES }, body: data });
  }

  /**
   * A server that writes over nothing refuses a file that is there. It may be the same one, from a try whose answer was lost;
   * otherwise it goes first. From then on an abort is not heard, or neither would be there.
   */
  async #replace(h: Handle, data: readonly Uint8Array[], o: CallOptions | undefined, refused: HttpAnswer) {
    const kept = await this.load(h, o).catch((e: unknown) => {
      if (!isEngineError(e, 'not-found')) throw e;
    });
    if (kept === undefined) throw this.#failure(refused, savingOf(h, data));
    if (holds(kept, data)) return;
    if (h.type === 'config') throw this.#exists();
    await this.remove(h, o);
    const answer = await this.#post(h, data, o?.pace ? { pace: o.pace } : {});
    if (!isGood(answer)) throw this.#failure(answer, savingOf(h, data));
  }

  async #bytesIn(answer: HttpAnswer, h: Handle, o: LoadOptions | undefined): Promise<Uint8Array> {
    const doing = `read ${describe(h)}`;
    if (answer.status === 206) return partOf(h, o, answer, this.#asked(doing));
    if (answer.status === 200) return partOfWhole(h, o, answer);
    if (isAbsent(h.type, answer)) throw notFound(h);
    if (answer.status !== 416) throw this.#failure(answer, doing);
    const told = parseContentRange(answer.headers['content-range']).size;
    return this.#within(h, told ?? (await this.stat(h, callOf(o))).size, o);
  }

  /** Nothing, for a range without bytes within a file of `size`. Errors: 'range' for one that reaches beyond; 'io'. */
  #within(h: Handle, size: number, o: LoadOptions | undefined): Uint8Array {
    if (spanOf(h, size, o).length === 0) return new Uint8Array();
    throw this.#nonsense(`read ${describe(h)}`, 'refuses a range that is there');
  }

  async #names(type: FileType, o: CallOptions | undefined): Promise<readonly Listed[]> {
    const answer = await this.#ask('GET', `${folderOf(type)}/`, callOf(o));
    if (isAbsent(type, answer)) return [];
    const doing = `list the ${type} files`;
    if (!isGood(answer)) throw this.#failure(answer, doing);
    const listed = parseList(answer);
    if (listed === undefined) throw this.#nonsense(doing, 'answers with something that is no list');
    return listed;
  }

  /** Nothing for a file that was removed since it was listed. */
  async #withSize(type: FileType, file: Listed, o: CallOptions | undefined): Promise<FileInfo | undefined> {
    if ('size' in file) return file;
    return this.stat({ type, name: file.name }, o).catch((e: unknown) => {
      if (!isEngineError(e, 'not-found')) throw e;
      return undefined;
    });
  }

  #asked(doing: string): Asked {
    return { doing, place: this.location };
  }

  #failure(answer: HttpAnswer, doing: string): EngineError {
    return failureOf(answer, this.#asked(doing));
  }

  #keepsAll(doing: string): EngineError {
    const message = `Could not ${doing}: the server is append-only and keeps everything that is there (${this.location}).`;
    const hint =
      'That protects the backups from this computer. Old versions can be removed on the server itself.';
    return new EngineError('permission', message, { hint, context: { status: 403, appendOnly: true } });
  }

  #nonsense(doing: string, what: string): EngineError {
    const hint = 'Is it a REST server for restic, and is the path right?';
    return new EngineError('io', `Could not ${doing}: the server ${what} (${this.location}).`, { hint });
  }

  #exists(): EngineError {
    return new EngineError('repository-exists', `There already is a repository at ${this.location}.`);
  }
}

function pathOf(h: Handle): string {
  checkHandle(h);
  return h.type === 'config' ? 'config' : `${folderOf(h.type)}/${h.name}`;
}

const callOf = (o: CallOptions | undefined): CallOptions => (o?.signal ? { signal: o.signal } : {});

/** Servers without a place for settings take their path for a wrong one. */
function isAbsent(type: FileType, { status }: HttpAnswer): boolean {
  return status === 404 || (type === 'settings' && [400, 405, 501].includes(status));
}

function noSettings(): EngineError {
  return new EngineError('unsupported', 'The REST server has no place for settings.');
}

function savingOf(h: Handle, data: readonly Uint8Array[]): string {
  return `save ${describe(h)} (${totalLength(data)} bytes)`;
}

function holds(kept: Uint8Array, data: readonly Uint8Array[]): boolean {
  let at = 0;
  for (const bytes of data) {
    if (Buffer.compare(kept.subarray(at, at + bytes.length), bytes) !== 0) return false;
    at += bytes.length;
  }
  return at === kept.length;
}

/**
 * The files in a list of either version; names that are no ids are of other things, such as uploads under way. rest-server writes
 * null for an empty list. undefined: it is no list.
 */
function parseList({ body }: HttpAnswer): readonly Listed[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body.toString() || 'null');
  } catch {
    return undefined;
  }
  if (json === null) return [];
  if (!Array.isArray(json)) return undefined;
  const files = json.flatMap((entry) => listedOf(entry) ?? []);
  return files.length === json.length ? files.filter(({ name }) => isId(name)) : undefined;
}

function listedOf(entry: unknown): Listed | undefined {
  if (typeof entry === 'string') return { name: entry };
  if (typeof entry !== 'object' || entry === null || !('name' in entry)) return undefined;
  const { name } = entry;
  if (typeof name !== 'string') return undefined;
  const size = 'size' in entry ? entry.size : undefined;
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? { name, size } : { name };
}

async function connect(target: string, o: StorageSetting): Promise<Rest> {
  const { connections } = parseOptions(o.options);
  const parsed = await parseTarget(target, o);
  const { socketPath } = parsed;
  const env = socketPath === undefined ? o.env : undefined;
  return new Rest(parsed, connections, await createHttpClient({ tls: o.tls, connections, env, socketPath }));
}

/** Asks the server nothing yet. Errors: 'usage' for the address, the options and files of certificates. */
export async function openRest(target: string, o: StorageSetting = {}): Promise<Backend> {
  return connect(target, o);
}

/** Errors: 'repository-exists', those of opening, those of a save. */
export async function createRest(target: string, o: StorageSetting = {}): Promise<Backend> {
  const rest = await connect(target, o);
  try {
    await rest.create(callOf(o));
    return rest;
  } catch (e) {
    await rest.close();
    throw e;
  }
}
