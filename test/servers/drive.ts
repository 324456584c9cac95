/**
 * A Google Drive of this machine for tests: API v3 as its reference tells, and strict, for what the real one refuses must not pass here.
 *
 * method    a call by the reference's name for it: 'files.list'; of bytes: 'upload.create', 'upload.update', 'upload.chunk',
 *           'upload.status', 'media.get'
 * fault     what goes wrong with a call: asked for by a test in order, or by chance
 * session   the address of an upload in chunks
 * lag       lists show files only so long after they were made, and after they were removed for as long
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import {
  Malformed,
  type Mask,
  masked,
  parentsIn,
  parseFields,
  parseQuery,
  TooComplex,
} from './drive-query.ts';
import { FOLDER, fieldsOf, newId, Space, type Stored } from './drive-space.ts';
import { GoogleLogin } from './oauth-server.ts';

export type Fault =
  /** Instead of acting. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly reason?: string;
      readonly headers?: Record<string, string>;
    }
  /** The connection breaks in the middle of the body; a session keeps what it can of it. */
  | { readonly kind: 'drop' }
  /** It is done, but the connection breaks before the answer. */
  | { readonly kind: 'lost' }
  /** A session takes only a part, and says so. */
  | { readonly kind: 'part' }
  /** All sessions are forgotten first. */
  | { readonly kind: 'forget'; readonly status?: 404 | 410 }
  /** Bytes change before they are stored. */
  | { readonly kind: 'spoil' }
  /** All access tokens die first. */
  | { readonly kind: 'expire' };

export const refusing = (reason: string, status = 403, headers: Record<string, string> = {}): Fault => ({
  kind: 'answer',
  status,
  reason,
  headers,
});

export interface DriveServerOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Kept to as Google does; not at all unless told. */
  readonly quota?: { readonly creationsInTenSeconds: number; readonly queriesInAMinute: number };
  /** Files of a page at most, whatever is asked for. */
  readonly page?: number;
  /** Bytes; null: unlimited. */
  readonly limit?: number | null;
}

interface Call {
  readonly q: ReadonlyMap<string, string>;
  readonly id: string;
  readonly body: Buffer;
  readonly request: IncomingMessage;
  readonly fault: Fault | undefined;
  readonly clientId: string;
  /** Of the whole Drive, or only of a program's own files. */
  readonly all: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | object;
}

interface Route {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly act: (call: Call) => Answer;
}

interface Session {
  readonly finish: (bytes: Buffer, fault: Fault | undefined) => Answer;
  readonly total: number | undefined;
  readonly pieces: Buffer[];
  length: number;
}

class Refused extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message = reason) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const GRAIN = 256 << 10;
const COMMON = ['alt', 'fields', 'prettyPrint', 'quotaUser', 'key'];
const ON_ITEM = ['supportsAllDrives', 'supportsTeamDrives', 'acknowledgeAbuse', 'keepRevisionForever'];
const ON_LIST = ['q', 'pageSize', 'pageToken', 'orderBy', 'spaces', 'corpora', 'driveId', 'corpus'];
const ALL_DRIVES = ['includeItemsFromAllDrives', 'includeTeamDriveItems', 'teamDriveId'];
const FIELD_NAMES = new Set([
  ...[
    'kind',
    'id',
    'name',
    'mimeType',
    'parents',
    'createdTime',
    'modifiedTime',
    'trashed',
    'explicitlyTrashed',
  ],
  ...[
    'driveId',
    'teamDriveId',
    'size',
    'sha256Checksum',
    'sha1Checksum',
    'md5Checksum',
    'files',
    'nextPageToken',
  ],
  ...[
    'incompleteSearch',
    'ids',
    'space',
    'user',
    'emailAddress',
    'displayName',
    'storageQuota',
    'limit',
    'usage',
  ],
  ...['usageInDrive', 'usageInDriveTrash', 'webViewLink', 'shortcutDetails', 'targetId', 'targetMimeType'],
  ...['exportLinks', 'resourceKey', 'importFormats', 'exportFormats', 'description', 'owners', 'version'],
]);

export class DriveServer implements AsyncDisposable {
  readonly login: GoogleLogin;
  readonly space: Space;
  readonly faults: { readonly method?: string; readonly fault: Fault }[] = [];
  /** By chance: asked at every call. */
  chance: ((method: string) => Fault | undefined) | undefined;
  /** How often each method was called. */
  readonly calls = new Map<string, number>();
  /** The most that came, refused or not. */
  readonly seen = { creationsInTenSeconds: 0, queriesInAMinute: 0 };
  lagMs = 0;
  /** Calls under way. */
  underWay = 0;
  /** Who may only put into the bin. */
  mayDelete = true;
  full = false;
  readonly #o: DriveServerOptions;
  readonly #now: () => number;
  readonly #server: Server;
  readonly #sessions = new Map<string, Session>();
  readonly #ids = new Set<string>();
  #creations: number[] = [];
  #queries: number[] = [];
  #gone: 404 | 410 = 404;

  private constructor(o: DriveServerOptions) {
    this.#o = o;
    this.#now = o.now ?? (() => Date.now());
    this.login = new GoogleLogin(this.#now);
    this.space = new Space(this.#now);
    this.space.owner = this.login.clientId;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(o: DriveServerOptions = {}): Promise<DriveServer> {
    const server = new DriveServer(o);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get options(): Map<string, string> {
    return new Map([
      ['gdrive.endpoint', this.origin],
      ['gdrive.auth-url', `${this.origin}/o/oauth2/v2/auth`],
      ['gdrive.token-url', `${this.origin}/token`],
      ['gdrive.client-id', this.login.clientId],
    ]);
  }

  /** Serves a connection that came by another way. */
  adopt(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  count(method: string): number {
    return this.calls.get(method) ?? 0;
  }

  plan(method: string, ...faults: readonly Fault[]): void {
    for (const fault of faults) this.faults.push({ method, fault });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://drive');
    this.underWay++;
    response.once('close', () => this.underWay--);
    try {
      if (await this.login.serve(url, request, response)) return;
      const answer = await this.#serve(url, request);
      if (answer) send(request, response, answer);
      else request.socket.destroy();
    } catch (e) {
      if (request.destroyed && !request.complete) return;
      send(request, response, errorOf(e));
    }
  }

  /** undefined: no answer. */
  async #serve(url: URL, request: IncomingMessage): Promise<Answer | undefined> {
    const [route, id] = this.#routeFor(url, request);
    this.calls.set(route.name, this.count(route.name) + 1);
    const fault = this.#faultFor(route.name);
    if (fault?.kind === 'drop') return this.#dropped(url, request);
    const body = await bodyOf(request);
    if (fault?.kind === 'expire') this.login.expireAll();
    const token = this.login.tokenFor(request.headers.authorization);
    if (token === undefined) throw new Refused(401, 'authError', 'Invalid Credentials');
    if (fault?.kind === 'answer') return planned(fault);
    if (fault?.kind === 'forget') this.#forget(fault.status);
    this.#countQuery();
    const q = parametersOf(url, route);
    const all = token.scope.endsWith('/auth/drive');
    const answer = route.act({ q, id, body, request, fault, clientId: token.clientId, all });
    return fault?.kind === 'lost' ? undefined : answer;
  }

  #forget(status: 404 | 410 = 404): void {
    this.#sessions.clear();
    this.#gone = status;
  }

  #faultFor(name: string): Fault | undefined {
    const at = this.faults.findIndex(({ method = name }) => method === name);
    return at < 0 ? this.chance?.(name) : this.faults.splice(at, 1)[0]?.fault;
  }

  /** Half of the body came. */
  async #dropped(url: URL, request: IncomingMessage): Promise<undefined> {
    const half = Math.floor(Number(request.headers['content-length'] ?? 0) / 2);
    const body = await brokenBodyOf(request, half);
    const session = this.#sessions.get(url.searchParams.get('upload_id') ?? '');
    const range = /^bytes (\d+)-/.exec(request.headers['content-range'] ?? '');
    if (!session || Number(range?.[1]) !== session.length) return;
    keep(session, body.subarray(0, Math.floor(body.length / GRAIN) * GRAIN));
  }

  #countQuery(): void {
    const now = this.#now();
    this.#queries = [...this.#queries.filter((at) => at > now - 60_000), now];
    this.seen.queriesInAMinute = Math.max(this.seen.queriesInAMinute, this.#queries.length);
    if (this.#queries.length > (this.#o.quota?.queriesInAMinute ?? Number.POSITIVE_INFINITY))
      throw new Refused(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded');
  }

  #countCreation(): void {
    const now = this.#now();
    this.#creations = [...this.#creations.filter((at) => at > now - 10_000), now];
    this.seen.creationsInTenSeconds = Math.max(this.seen.creationsInTenSeconds, this.#creations.length);
    if (this.#creations.length > (this.#o.quota?.creationsInTenSeconds ?? Number.POSITIVE_INFINITY))
      throw new Refused(403, 'rateLimitExceeded', 'Rate Limit Exceeded');
  }

  #routeFor(url: URL, { method = '', headers }: IncomingMessage): readonly [Route, string] {
    const [, upload, id] = /^(\/upload)?\/drive\/v3\/files(?:\/([\w-]+))?$/.exec(url.pathname) ?? [];
    const route = this.#route(`${method} ${routeName(url, upload !== undefined, id, headers)}`, url);
    if (route === undefined) throw new Refused(404, 'notFound', `Not Found: ${method} ${url.pathname}`);
    return [route, id ?? ''];
  }

  #route(text: string, url: URL): Route | undefined {
    const media = url.searchParams.get('alt') === 'media';
    const uploading = ['uploadType', ...ON_ITEM, 'ignoreDefaultVisibility', 'useContentAsIndexableText'];
    switch (text) {
      case 'GET about':
        return { name: 'about.get', parameters: [], act: (call) => this.#about(call) };
      case 'GET ids':
        return {
          name: 'files.generateIds',
          parameters: ['count', 'space', 'type'],
          act: (call) => this.#generate(call),
        };
      case 'GET files':
        return {
          name: 'files.list',
          parameters: [...ON_LIST, ...ON_ITEM, ...ALL_DRIVES],
          act: (call) => this.#list(call),
        };
      case 'GET file':
        return media
          ? { name: 'media.get', parameters: ON_ITEM, act: (call) => this.#media(call) }
          : { name: 'files.get', parameters: ON_ITEM, act: (call) => this.#get(call) };
      case 'POST files':
        return {
          name: 'files.create',
          parameters: [...ON_ITEM, 'keepRevisionForever', 'ignoreDefaultVisibility'],
          act: (call) => this.#create(call, jsonOf(call.body), undefined),
        };
      case 'PATCH file':
        return {
          name: 'files.update',
          parameters: [...ON_ITEM, 'addParents', 'removeParents'],
          act: (call) => this.#update(call, jsonOf(call.body), undefined),
        };
      case 'DELETE file':
        return { name: 'files.delete', parameters: ON_ITEM, act: (call) => this.#delete(call) };
      case 'POST upload':
        return { name: 'upload.create', parameters: uploading, act: (call) => this.#upload(call) };
      case 'PATCH upload':
        return {
          name: 'upload.update',
          parameters: [...uploading, 'addParents', 'removeParents'],
          act: (call) => this.#upload(call),
        };
      // Some programs send chunks by POST, and Google takes them.
      case 'POST chunk':
      case 'PUT chunk':
        return {
          name: 'upload.chunk',
          parameters: ['upload_id', 'uploadType'],
          act: (call) => this.#chunk(call),
        };
      case 'PUT status':
        return {
          name: 'upload.status',
          parameters: ['upload_id', 'uploadType'],
          act: (call) => this.#chunk(call),
        };
      default:
        return undefined;
    }
  }

  #about({ q }: Call): Answer {
    const fields = q.get('fields');
    if (fields === undefined) throw new Refused(400, 'required', 'The fields parameter is required.');
    const used = [...this.space.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    const { limit = 15_000_000_000 } = this.#o;
    const usage = { usage: String(used), usageInDrive: String(used), usageInDriveTrash: '0' };
    return shaped(q, {
      kind: 'drive#about',
      user: { emailAddress: 'ada@example.org', displayName: 'Ada' },
      storageQuota: limit === null ? usage : { limit: String(limit), ...usage },
    });
  }

  #generate({ q }: Call): Answer {
    const count = Number(q.get('count') ?? 10);
    if (!(count >= 1 && count <= 1000)) throw new Refused(400, 'invalid', 'count');
    const ids = Array.from({ length: count }, newId);
    for (const id of ids) this.#ids.add(id);
    return shaped(q, { kind: 'drive#generatedIds', space: 'drive', ids });
  }

  #list(call: Call): Answer {
    const { q } = call;
    const size = Number(q.get('pageSize') ?? 100);
    if (!Number.isInteger(size) || size < 1 || size > 1000) throw new Refused(400, 'invalid', 'pageSize');
    const found = this.#found(call);
    const from = Number(q.get('pageToken') ?? 0);
    const to = from + Math.min(size, this.#o.page ?? 1000);
    const files = found.slice(from, to).map((file) => fieldsOf(file, this.space.isTrashed(file)));
    const more = to < found.length ? { nextPageToken: String(to) } : {};
    return shaped(q, { kind: 'drive#fileList', incompleteSearch: false, files, ...more });
  }

  #found(call: Call): readonly Stored[] {
    const text = call.q.get('q') ?? 'trashed = false or trashed = true';
    const test = parseQuery(text);
    const driveId = this.#driveAsked(call);
    const parents = parentsIn(text).map((id) => this.space.idOf(id));
    for (const id of parents)
      if (!this.space.files.has(id)) throw new Refused(404, 'notFound', 'File not found: .');
    const candidates = parents.length > 0 ? parents.flatMap((id) => [...this.#listed(id)]) : this.#listed();
    return [...candidates].filter((file) => this.#matches(file, call, test, driveId));
  }

  #matches(
    file: Stored,
    call: Call,
    test: ReturnType<typeof parseQuery>,
    driveId: string | undefined,
  ): boolean {
    if (file.driveId !== driveId || file.parents.length === 0) return false;
    if (!call.all && file.clientId !== call.clientId) return false;
    const parents = file.parents.includes(this.space.rootId) ? [...file.parents, 'root'] : file.parents;
    const modifiedTime = new Date(file.modifiedAt).toISOString();
    return test({ ...file, parents, trashed: this.space.isTrashed(file), modifiedTime });
  }

  /** What lists show: not what is too young, and what was removed only just now. */
  *#listed(parent?: string): Generator<Stored> {
    const since = this.#now() - this.lagMs;
    for (const file of parent === undefined ? this.space.files.values() : this.space.within(parent)) {
      if (this.lagMs === 0 || file.createdAt <= since) yield file;
    }
    if (this.lagMs === 0) return;
    for (const { file, at } of this.space.removed) {
      if (at > since && file.createdAt <= since && (parent === undefined || file.parents.includes(parent)))
        yield file;
    }
  }

  #driveAsked({ q }: Call): string | undefined {
    const id = q.get('driveId') ?? q.get('teamDriveId');
    if (id === undefined) {
      if (q.get('corpora') === 'drive') throw new Refused(400, 'required', 'driveId');
      return undefined;
    }
    if (q.get('corpora') !== 'drive') throw new Refused(400, 'invalid', 'corpora');
    const included = q.get('includeItemsFromAllDrives') === 'true' && q.get('supportsAllDrives') === 'true';
    if (!included) throw new Refused(403, 'teamDriveListing', 'includeItemsFromAllDrives is required.');
    if (!this.space.files.has(id)) throw new Refused(404, 'notFound', `Shared drive not found: ${id}`);
    return id;
  }

  /** Errors: Refused for what the caller can't see. */
  #item({ q, id, all, clientId }: Pick<Call, 'q' | 'id' | 'all' | 'clientId'>): Stored {
    const file = this.space.get(id);
    const isTop = file?.parents.length === 0;
    const visible = file && (all || isTop || file.clientId === clientId);
    const reachable = file?.driveId === undefined || q.get('supportsAllDrives') === 'true';
    if (!visible || !reachable) throw new Refused(404, 'notFound', `File not found: ${id}.`);
    return file;
  }

  #get(call: Call): Answer {
    return this.#shown(call.q, this.#item(call));
  }

  #shown(q: Call['q'], file: Stored): Answer {
    // What is not asked for by name is not told.
    const { kind, id, name, mimeType, ...more } = fieldsOf(file, this.space.isTrashed(file));
    return shaped(q, q.has('fields') ? { kind, id, name, mimeType, ...more } : { kind, id, name, mimeType });
  }

  #media(call: Call): Answer {
    const { bytes, mimeType } = this.#item(call);
    if (mimeType === FOLDER) throw new Refused(403, 'fileNotDownloadable');
    const { range } = call.request.headers;
    if (range === undefined) return { status: 200, headers: { 'content-type': mimeType }, body: bytes };
    const [, from = '', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const first = Number(from);
    if (from === '' || first >= bytes.length) {
      return { status: 416, headers: { 'content-range': `bytes */${bytes.length}` }, body: '' };
    }
    const last = Math.min(to === '' ? bytes.length - 1 : Number(to), bytes.length - 1);
    const headers = { 'content-type': mimeType, 'content-range': `bytes ${first}-${last}/${bytes.length}` };
    return { status: 206, headers, body: bytes.subarray(first, last + 1) };
  }

  #checkNew(call: Call, meta: Meta): void {
    if (meta.id !== undefined && !this.#ids.has(meta.id))
      throw new Refused(400, 'invalid', 'The provided file ID is not usable.');
    const parents = meta.parents ?? [];
    if (parents.length > 1) throw new Refused(400, 'invalid', 'A file has one parent.');
    for (const id of parents) this.#item({ ...call, id });
    if (meta.id !== undefined && this.space.made.has(meta.id))
      throw new Refused(409, 'fileIdInUse', 'A file already exists with the provided ID.');
    this.#countCreation();
  }

  #create(call: Call, meta: Meta, bytes: Buffer | undefined): Answer {
    this.#checkNew(call, meta);
    return this.#made(call, meta, bytes);
  }

  #made(call: Call, meta: Meta, bytes: Buffer | undefined): Answer {
    if (meta.id !== undefined && this.space.made.has(meta.id)) throw new Refused(409, 'fileIdInUse');
    if (this.full && bytes !== undefined)
      throw new Refused(403, 'storageQuotaExceeded', 'The user has exceeded their Drive storage quota');
    const file = this.space.create({
      ...(meta.id === undefined ? {} : { id: meta.id }),
      name: meta.name ?? 'Untitled',
      parents: meta.parents ?? [],
      mimeType: meta.mimeType ?? 'application/octet-stream',
      ...(bytes === undefined ? {} : { bytes: spoilt(bytes, call.fault) }),
      ...(meta.modifiedTime === undefined ? {} : { modifiedTime: meta.modifiedTime }),
      clientId: call.clientId,
    });
    return this.#shown(call.q, file);
  }

  #update(call: Call, meta: Meta, bytes: Buffer | undefined): Answer {
    const file = this.#item(call);
    if (this.full && bytes !== undefined) throw new Refused(403, 'storageQuotaExceeded');
    if (meta.id !== undefined || meta.parents !== undefined) throw new Refused(403, 'fieldNotWritable');
    const listOf = (name: string) => (call.q.get(name) ?? '').split(',').filter((id) => id !== '');
    this.space.move(file, { add: listOf('addParents'), remove: listOf('removeParents') });
    file.name = meta.name ?? file.name;
    file.mimeType = meta.mimeType ?? file.mimeType;
    file.trashed = meta.trashed ?? file.trashed;
    file.modifiedAt = meta.modifiedTime === undefined ? this.#now() : Date.parse(meta.modifiedTime);
    if (bytes !== undefined) this.space.write(file, spoilt(bytes, call.fault));
    return this.#shown(call.q, file);
  }

  #delete(call: Call): Answer {
    const file = this.#item(call);
    if (!this.mayDelete) throw new Refused(403, 'insufficientFilePermissions');
    this.space.remove(file.id);
    return { status: 204 };
  }

  #upload(call: Call): Answer {
    const type = call.q.get('uploadType');
    const act = call.request.method === 'POST' ? this.#create.bind(this) : this.#update.bind(this);
    if (type === 'multipart') {
      const [meta, bytes] = partsOf(call);
      if (bytes.length > 5 << 20) throw new Refused(413, 'uploadTooLarge', 'More than 5 MiB need a session.');
      return act(call, meta, bytes);
    }
    if (type === 'resumable') return this.#begin(call);
    throw new Refused(400, 'invalid', 'uploadType');
  }

  #begin(call: Call): Answer {
    const meta = jsonOf(call.body);
    const { request } = call;
    const told = request.headers['x-upload-content-length'];
    if (request.method === 'POST') this.#checkNew(call, meta);
    else this.#item(call);
    const upload_id = randomBytes(24).toString('base64url');
    this.#sessions.set(upload_id, {
      finish: (bytes, fault) =>
        request.method === 'POST'
          ? this.#made({ ...call, fault }, meta, bytes)
          : this.#update({ ...call, fault }, meta, bytes),
      total: told === undefined ? undefined : Number(told),
      pieces: [],
      length: 0,
    });
    const { host } = request.headers;
    const scheme = 'encrypted' in request.socket ? 'https' : 'http';
    const location = `${scheme}://${host}/upload/drive/v3/files?uploadType=resumable&upload_id=${upload_id}`;
    return { status: 200, headers: { location }, body: '' };
  }

  #chunk({ q, body, request, fault }: Call): Answer {
    const session = this.#sessions.get(q.get('upload_id') ?? '');
    if (session === undefined) throw new Refused(this.#gone, 'notFound', 'Upload not found');
    const range = request.headers['content-range'] ?? '';
    const [, from, to, total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(range) ?? [];
    if (total === undefined && body.length > 0)
      throw new Refused(400, 'badRequest', `Content-Range: ${range}`);
    const size = total === '*' ? undefined : Number(total);
    if (session.total !== undefined && size !== undefined && size !== session.total)
      throw new Refused(400, 'badRequest', `Content-Range: ${range}`);
    if (from !== undefined) this.#take(session, { from: Number(from), to: Number(to), size }, body, fault);
    if (size === undefined || session.length < size) return stillOpen(session);
    return session.finish(Buffer.concat(session.pieces), fault);
  }

  #take(
    session: Session,
    { from, to, size }: { readonly from: number; readonly to: number; readonly size: number | undefined },
    body: Buffer,
    fault: Fault | undefined,
  ): void {
    const isLast = size === to + 1;
    if (to - from + 1 !== body.length) throw new Refused(400, 'badRequest', 'Content-Range and body differ');
    if (!isLast && body.length % GRAIN !== 0)
      throw new Refused(400, 'badRequest', 'not a multiple of 256 KiB');
    if (from > session.length)
      throw new Refused(400, 'badRequest', `only ${session.length} bytes came before`);
    if (size !== undefined && to >= size) throw new Refused(400, 'badRequest', 'beyond the end');
    // Bytes that came before may come again.
    const rest = body.subarray(session.length - from);
    const taken = fault?.kind === 'part' ? Math.floor(rest.length / 2 / GRAIN) * GRAIN : rest.length;
    keep(session, rest.subarray(0, taken));
  }
}

interface Meta {
  readonly id?: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly parents?: readonly string[];
  readonly trashed?: boolean;
  readonly modifiedTime?: string;
}

const META = {
  id: 'string',
  name: 'string',
  mimeType: 'string',
  parents: 'object',
  trashed: 'boolean',
  modifiedTime: 'string',
  createdTime: 'string',
  description: 'string',
} as const satisfies Record<string, string>;

/** The metadata in a body, or in a part of one. Errors: Refused. */
function jsonOf(body: Buffer): Meta {
  const meta: Record<string, unknown> = body.length === 0 ? {} : JSON.parse(body.toString());
  for (const [name, value] of Object.entries(meta)) {
    if (!Object.hasOwn(META, name) || typeof value !== META[name as keyof typeof META])
      throw new Refused(400, 'parseError', `Unknown name or wrong value: ${name}`);
  }
  return meta;
}

function partsOf({ body, request }: Call): readonly [Meta, Buffer] {
  const type = request.headers['content-type'] ?? '';
  const [, boundary] = /^multipart\/related;\s*boundary="?([^"]+)"?$/.exec(type) ?? [];
  const parts = boundary === undefined ? [] : splitAt(body, boundary);
  const [meta, media] = parts.map(contentOf);
  if (!meta || !media || parts.length !== 2 || !/json/.test(meta.head))
    throw new Refused(400, 'badContent', 'Malformed multipart body.');
  return [jsonOf(meta.content), media.content];
}

/** What lies between the lines with the boundary. */
function splitAt(body: Buffer, boundary: string): readonly Buffer[] {
  const line = Buffer.from(`--${boundary}`);
  const parts: Buffer[] = [];
  for (let at = body.indexOf(line); ; ) {
    const next = body.indexOf(line, at + line.length);
    if (at < 0 || next < 0) return parts;
    parts.push(body.subarray(at + line.length + 2, next - 2));
    at = next;
  }
}

function contentOf(part: Buffer): { readonly head: string; readonly content: Buffer } {
  const at = part.indexOf('\r\n\r\n');
  return { head: part.subarray(0, at).toString().toLowerCase(), content: part.subarray(at + 4) };
}

function keep(session: Session, bytes: Buffer): void {
  session.pieces.push(Buffer.from(bytes));
  session.length += bytes.length;
}

function stillOpen({ length }: Session): Answer {
  return { status: 308, headers: length > 0 ? { range: `bytes=0-${length - 1}` } : {}, body: '' };
}

function spoilt(bytes: Buffer, fault: Fault | undefined): Buffer {
  const own = Buffer.from(bytes);
  if (fault?.kind === 'spoil' && own.length > 0) own[0] = (own[0] ?? 0) ^ 1;
  return own;
}

function routeName(
  url: URL,
  upload: boolean,
  id: string | undefined,
  headers: IncomingMessage['headers'],
): string {
  if (url.pathname === '/drive/v3/about') return 'about';
  if (url.pathname === '/drive/v3/files/generateIds') return 'ids';
  if (upload && url.searchParams.has('upload_id'))
    return /\*\/(\d|\*)/.test(headers['content-range'] ?? '') ? 'status' : 'chunk';
  if (upload) return 'upload';
  if (id !== undefined) return 'file';
  return url.pathname === '/drive/v3/files' ? 'files' : 'none';
}

/** Errors: Refused for names that the method does not know. */
function parametersOf(url: URL, { parameters }: Route): ReadonlyMap<string, string> {
  const known = [...COMMON, ...parameters];
  for (const [name, value] of url.searchParams) {
    if (!known.includes(name)) throw new Refused(400, 'invalidParameter', `Unknown parameter ${name}`);
    const isFlag = /^(supports|include|acknowledge)/.test(name);
    if (isFlag && value !== 'true' && value !== 'false') throw new Refused(400, 'invalid', name);
  }
  return new Map(url.searchParams);
}

function shaped(q: ReadonlyMap<string, string>, value: object): Answer {
  const fields = q.get('fields');
  const mask: Mask | 'all' = fields === undefined ? 'all' : parseFields(fields, FIELD_NAMES);
  return { status: 200, body: Object(masked(value, mask)) };
}

function planned({ status, reason, headers }: Extract<Fault, { kind: 'answer' }>): Answer {
  if (reason === undefined) return { status, headers: headers ?? {}, body: 'a fault' };
  const answer = errorOf(new Refused(status, reason));
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function errorOf(e: unknown): Answer {
  if (e instanceof Malformed) return errorOf(new Refused(400, 'invalid', e.message));
  if (e instanceof TooComplex) return errorOf(new Refused(400, 'queryTooComplex', e.message));
  if (!(e instanceof Refused)) return { status: 500, body: `the server of the test failed: ${String(e)}` };
  const { status, reason, message } = e;
  const domain = /rate|limit|quota/i.test(reason) ? 'usageLimits' : 'global';
  return { status, body: { error: { code: status, message, errors: [{ message, domain, reason }] } } };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) read.push(piece);
  return Buffer.concat(read);
}

/** What has come when about so many bytes have; then the connection is broken. */
async function brokenBodyOf(request: IncomingMessage, most: number): Promise<Buffer> {
  const { socket } = request;
  const read: Buffer[] = [];
  let length = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  request.on('error', () => resolve()).on('end', () => resolve());
  request.on('data', (piece: Buffer) => {
    read.push(piece);
    length += piece.length;
    if (length >= most) resolve();
  });
  await promise;
  socket.destroy();
  return Buffer.concat(read);
}

/** Long texts are packed for those who can unpack them, as Google does. */
function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body = '' }: Answer,
): void {
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const bytes = isJson ? Buffer.from(JSON.stringify(body)) : Buffer.from(body);
  const packs =
    isJson && bytes.length > 1000 && /gzip/.test(String(request.headers['accept-encoding'] ?? ''));
  response.writeHead(status, {
    ...(isJson ? { 'content-type': 'application/json; charset=UTF-8' } : {}),
    ...(packs ? { 'content-encoding': 'gzip' } : {}),
    ...headers,
  });
  response.end(packs ? gzipSync(bytes) : bytes);
}
