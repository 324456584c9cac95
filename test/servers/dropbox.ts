/**
 * A Dropbox of this machine for tests: API v2 as its reference tells, and strict, for what the real one refuses must not pass here.
 *
 * host     calls go to one of two, api and content; each is a port of its own here
 * style    rpc: arguments and answer are JSON. upload: bytes are the body, arguments a header. download: the other way round
 * fault    what goes wrong with a call: asked for by a test in order, or by chance
 * lock     a write of names takes some turns; another that comes meanwhile gets too_many_write_operations
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type DropboxApp, DropboxLogin } from './dropbox-login.ts';
import {
  type CommitInfo,
  type Cursor,
  contentHash,
  fileFields,
  Refused,
  Space,
  type Union,
  union,
} from './dropbox-space.ts';

export type Fault =
  | { readonly kind: 'none' }
  /** No answer ever comes. */
  | { readonly kind: 'hang' }
  /** Instead of acting. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Record<string, string>;
    }
  /** The connection breaks after some bytes of the body, before anything is done. */
  | { readonly kind: 'drop' }
  /** It is done, but the connection breaks before the answer. */
  | { readonly kind: 'lost' }
  /** One entry of a batch fails. */
  | { readonly kind: 'entry'; readonly failure: Union }
  /** Bytes change before they are stored. */
  | { readonly kind: 'spoil' }
  /** All sessions are forgotten first. */
  | { readonly kind: 'forget' }
  /** All access tokens die first. */
  | { readonly kind: 'expire' };

export interface PlannedFault {
  /** 'files/upload_session/start'; any call unless given. */
  readonly route?: string;
  readonly fault: Fault;
}

export interface DropboxServerOptions {
  /** Of the app; all that a repository needs unless told. */
  readonly scopes?: readonly string[];
  readonly redirects?: readonly string[];
  readonly clientSecret?: string;
  /** Entries of a page at most, whatever is asked for. */
  readonly page?: number;
  readonly account?: 'individual' | 'team';
}

interface Call {
  readonly arg: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  readonly request: IncomingMessage;
  readonly fault: Fault | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

interface Route {
  readonly host: 'api' | 'content';
  readonly style: 'rpc' | 'upload' | 'download';
  readonly scope: string | undefined;
  /** Arguments by name; those that must be there end in '!'. Empty: none at all. */
  readonly args: readonly string[];
  readonly act: (call: Call) => Promise<Answer> | Answer;
}

const ALL_SCOPES = ['files.content.read', 'files.content.write', 'files.metadata.read', 'account_info.read'];
const MOST_BODY = 150 * 1024 * 1024;
const PATH = /^(\/[^/]*[^/ ])+$/;

/** A call that does not fit the reference; Dropbox answers with a text. */
class Malformed extends Error {}

export const tooManyRequests = (seconds: number): Fault => ({
  kind: 'answer',
  status: 429,
  headers: { 'retry-after': String(seconds) },
  body: {
    error_summary: 'too_many_requests/..',
    error: { reason: { '.tag': 'too_many_requests' }, retry_after: seconds },
  },
});

const writeConflict = (): Answer =>
  json(429, {
    error_summary: 'too_many_write_operations/..',
    error: { reason: { '.tag': 'too_many_write_operations' }, retry_after: 1 },
  });

/** An answer 409. */
export const refusing = (...tags: readonly string[]): Fault => ({
  kind: 'answer',
  status: 409,
  body: { error_summary: `${tags.join('/')}/..`, error: union(...tags) },
});

export class DropboxServer {
  readonly login: DropboxLogin;
  readonly space = new Space();
  readonly faults: PlannedFault[] = [];
  /** By chance: asked at every call. */
  chance: ((route: string) => Fault | undefined) | undefined;
  /** How often each route was called. */
  readonly calls = new Map<string, number>();
  /** Writes of names that met another. */
  overlaps = 0;
  biggestBatch = 0;
  /** Resolves when a call hangs. */
  readonly hanging = Promise.withResolvers<void>();
  readonly #o: DropboxServerOptions;
  readonly #servers: readonly Server[];
  readonly #jobs = new Map<string, { asked: boolean; readonly result: Promise<object> }>();
  #locked = false;
  readonly #routes: Readonly<Record<string, Route>>;

  private constructor(o: DropboxServerOptions) {
    this.#o = o;
    const app: DropboxApp = {
      clientId: 'app-key',
      redirects: o.redirects ?? [],
      scopes: o.scopes ?? ALL_SCOPES,
      ...(o.clientSecret === undefined ? {} : { clientSecret: o.clientSecret }),
    };
    this.login = new DropboxLogin(app);
    this.#routes = this.#table();
    this.#servers = (['api', 'content'] as const).map((host) =>
      createServer((request, response) => void this.handle(host, request, response)),
    );
  }

  static async start(o: DropboxServerOptions = {}): Promise<DropboxServer> {
    const server = new DropboxServer(o);
    for (const one of server.#servers) {
      one.listen(0, '127.0.0.1');
      await once(one, 'listening');
    }
    return server;
  }

  get options(): Map<string, string> {
    const [api = '', content = ''] = this.#servers.map(
      (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    return new Map([
      ['dropbox.endpoint', api],
      ['dropbox.content-endpoint', content],
      ['dropbox.auth-url', `${api}/oauth2/authorize`],
      ['dropbox.client-id', this.login.app.clientId],
    ]);
  }

  /** Serves a connection that came by another way, as that to `host`. */
  adopt(host: 'api' | 'content', socket: Socket): void {
    this.#servers[host === 'api' ? 0 : 1]?.emit('connection', socket);
  }

  count(route: string): number {
    return this.calls.get(route) ?? 0;
  }

  plan(route: string, ...faults: readonly Fault[]): void {
    for (const fault of faults) this.faults.push({ route, fault });
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  async handle(host: 'api' | 'content', request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://dropbox');
    if (url.pathname === '/oauth2/authorize' && request.method === 'GET')
      return this.login.authorize(url, response);
    try {
      // The older address is still served.
      if (/^(\/1)?\/oauth2\/token$/.test(url.pathname))
        return send(response, await this.#token(url, request));
      const name = url.pathname.replace(/^\/2\//, '');
      const answer = await this.#call(host, name, request);
      if (answer) send(response, answer);
      else request.socket.destroy();
    } catch (e) {
      // The client has gone.
      if (request.destroyed && !request.complete) return;
      const text = e instanceof Malformed ? `Error in call to API function: ${e.message}` : String(e);
      send(response, { status: e instanceof Malformed ? 400 : 500, headers: {}, body: text });
    }
  }

  async #token(url: URL, request: IncomingMessage): Promise<Answer> {
    const body = await bodyOf(request);
    const { status, body: said } = this.login.token(
      new URLSearchParams(`${url.search.slice(1)}&${body}`),
      request,
    );
    return json(status, said);
  }

  /** undefined: no answer. */
  async #call(host: string, name: string, request: IncomingMessage): Promise<Answer | undefined> {
    this.calls.set(name, this.count(name) + 1);
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    if (route === undefined || route.host !== host)
      throw new Malformed(`Unknown API function: "${name}" at ${host}`);
    const fault = this.#faultFor(name);
    if (fault?.kind === 'drop') return this.#dropped(request);
    if (fault?.kind === 'expire') this.login.expireAll();
    if (fault?.kind === 'forget') this.space.sessions.clear();
    const body = await bodyOf(request);
    if (fault?.kind === 'hang') {
      this.hanging.resolve();
      return new Promise(() => undefined);
    }
    if (fault?.kind === 'answer') return json(fault.status, fault.body, fault.headers);
    const refused = this.#refused(route, request);
    if (refused) return refused;
    const arg = argOf(route, request, body);
    const done = await this.#carryOut(route, {
      arg,
      body: route.style === 'upload' ? body : Buffer.alloc(0),
      request,
      fault,
    });
    return fault?.kind === 'lost' ? undefined : done;
  }

  #faultFor(name: string): Fault | undefined {
    const at = this.faults.findIndex(({ route }) => route === undefined || route === name);
    return at >= 0 ? this.faults.splice(at, 1)[0]?.fault : this.chance?.(name);
  }

  /** After the first bytes of the body, if there are any. */
  async #dropped(request: IncomingMessage): Promise<undefined> {
    if (request.headers['content-length'] !== '0' && request.method === 'POST') await once(request, 'data');
    return undefined;
  }

  #refused(route: Route, { headers }: IncomingMessage): Answer | undefined {
    const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    const wrong = this.login.faultOf(token);
    if (wrong) return json(401, { error_summary: `${wrong}/..`, error: { '.tag': wrong } });
    if (route.scope === undefined || this.login.app.scopes.includes(route.scope)) return undefined;
    const error = { '.tag': 'missing_scope', required_scope: route.scope };
    return json(401, { error_summary: 'missing_scope/..', error });
  }

  async #carryOut(route: Route, call: Call): Promise<Answer> {
    try {
      return await route.act(call);
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      return json(409, { error_summary: `${e.union['.tag']}/..`, error: e.union });
    }
  }

  /** undefined: another write is under way. */
  async #inLock<T>(work: () => T): Promise<T | undefined> {
    if (this.#locked) {
      this.overlaps++;
      return undefined;
    }
    this.#locked = true;
    try {
      await turns(3);
      return work();
    } finally {
      this.#locked = false;
    }
  }

  #table(): Readonly<Record<string, Route>> {
    const write = { scope: 'files.content.write' } as const;
    const look = { host: 'api', style: 'rpc', scope: 'files.metadata.read' } as const;
    const session = { ...write, host: 'content', style: 'upload' } as const;
    const change = { ...write, host: 'api', style: 'rpc' } as const;
    return {
      'files/upload_session/start': {
        ...session,
        args: ['close', 'session_type', 'content_hash'],
        act: (call) => this.#start(call),
      },
      'files/upload_session/append_v2': {
        ...session,
        args: ['cursor!', 'close', 'content_hash'],
        act: (call) => this.#append(call),
      },
      'files/upload_session/finish': {
        ...session,
        args: ['cursor!', 'commit!', 'content_hash'],
        act: (call) => this.#finish(call),
      },
      'files/upload_session/finish_batch_v2': {
        ...change,
        args: ['entries!'],
        act: (call) => this.#finishBatch(call),
      },
      'files/upload': {
        ...session,
        args: [
          'path!',
          'mode',
          'autorename',
          'client_modified',
          'mute',
          'property_groups',
          'strict_conflict',
          'content_hash',
        ],
        act: (call) => this.#upload(call),
      },
      'files/download': {
        host: 'content',
        style: 'download',
        scope: 'files.content.read',
        args: ['path!', 'rev'],
        act: (call) => this.#download(call),
      },
      'files/get_metadata': {
        ...look,
        args: [
          'path!',
          'include_media_info',
          'include_deleted',
          'include_has_explicit_shared_members',
          'include_property_groups',
        ],
        act: (call) => this.#metadata(call),
      },
      'files/list_folder': {
        ...look,
        args: [
          'path!',
          'recursive',
          'limit',
          'include_media_info',
          'include_deleted',
          'include_has_explicit_shared_members',
          'include_mounted_folders',
          'include_non_downloadable_files',
        ],
        act: (call) => this.#list(call),
      },
      'files/list_folder/continue': { ...look, args: ['cursor!'], act: (call) => this.#continue(call) },
      'files/create_folder_v2': {
        ...change,
        args: ['path!', 'autorename'],
        act: (call) => this.#makeFolder(call),
      },
      'files/delete_v2': { ...change, args: ['path!', 'parent_rev'], act: (call) => this.#delete(call) },
      'files/delete_batch': { ...change, args: ['entries!'], act: (call) => this.#deleteBatch(call) },
      'files/delete_batch/check': { ...change, args: ['async_job_id!'], act: (call) => this.#checkJob(call) },
      'users/get_current_account': {
        host: 'api',
        style: 'rpc',
        scope: 'account_info.read',
        args: [],
        act: () => this.#account(),
      },
      'users/get_space_usage': {
        host: 'api',
        style: 'rpc',
        scope: 'account_info.read',
        args: [],
        act: () => this.#usage(),
      },
      'auth/token/revoke': {
        host: 'api',
        style: 'rpc',
        scope: undefined,
        args: [],
        act: () => this.#revoke(),
      },
    };
  }

  #start({ arg, body }: Call): Answer {
    checkHash(arg, body);
    return json(200, { session_id: this.space.start(body, arg.close === true) });
  }

  #append({ arg, body }: Call): Answer {
    checkHash(arg, body);
    this.space.append(cursorIn(arg.cursor), body, arg.close === true);
    return json(200, null);
  }

  async #finish({ arg, body }: Call): Promise<Answer> {
    checkHash(arg, body);
    const cursor = cursorIn(arg.cursor);
    if (body.length > 0) this.space.append(cursor, body, true);
    const whole = { ...cursor, offset: cursor.offset + body.length };
    const stored = await this.#inLock(() =>
      this.space.finish(whole, commitIn(arg.commit), { closed: false }),
    );
    return stored ? json(200, fileFields(stored)) : writeConflict();
  }

  async #finishBatch({ arg, fault }: Call): Promise<Answer> {
    const entries = entriesIn(arg).map((entry) => {
      checkNames(entry, ['cursor!', 'commit!', 'content_hash']);
      return { cursor: cursorIn(entry.cursor), commit: commitIn(entry.commit) };
    });
    this.biggestBatch = Math.max(this.biggestBatch, entries.length);
    const done = await this.#inLock(() =>
      entries.map((entry, i) => this.#finishOne(entry, i === 0 ? fault : undefined)),
    );
    const met = { '.tag': 'failure', failure: union('too_many_write_operations') };
    return json(200, { entries: done ?? entries.map(() => met) });
  }

  #finishOne({ cursor, commit }: { cursor: Cursor; commit: CommitInfo }, fault: Fault | undefined): object {
    if (fault?.kind === 'entry') return { '.tag': 'failure', failure: fault.failure };
    try {
      const stored = this.space.finish(cursor, commit, { closed: true, spoilt: fault?.kind === 'spoil' });
      return { '.tag': 'success', ...fileFields(stored) };
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      return { '.tag': 'failure', failure: e.union };
    }
  }

  async #upload({ arg, body }: Call): Promise<Answer> {
    checkHash(arg, body);
    const { content_hash: _, property_groups: __, ...commit } = arg;
    const info = commitIn(commit);
    const stored = await this.#inLock(() => this.space.write(info, body));
    return stored ? json(200, fileFields(stored)) : writeConflict();
  }

  #download({ arg, request }: Call): Answer {
    const path = this.#keyIn(arg);
    const file = this.space.files.get(path);
    if (file === undefined)
      throw new Refused(union('path', this.space.folders.has(path) ? 'not_file' : 'not_found'));
    const result = {
      'dropbox-api-result': asciiJson(fileFields(file)),
      'content-type': 'application/octet-stream',
    };
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) return { status: 200, headers: result, body: file.bytes };
    const size = file.bytes.length;
    if (Number(from) >= size)
      return { status: 416, headers: { 'content-range': `bytes */${size}` }, body: '' };
    const last = Math.min(size - 1, to ? Number(to) : size - 1);
    const headers = { ...result, 'content-range': `bytes ${from}-${last}/${size}` };
    return { status: 206, headers, body: file.bytes.subarray(Number(from), last + 1) };
  }

  #metadata({ arg }: Call): Answer {
    const found = this.space.metadataOf(this.#keyIn(arg));
    if (found === undefined) throw new Refused(union('path', 'not_found'));
    return json(200, found);
  }

  /** What is read may be named by its id as well. */
  #keyIn(arg: Readonly<Record<string, unknown>>): string {
    const { path } = arg;
    if (typeof path !== 'string' || !path.startsWith('id:')) return pathIn(arg).toLowerCase();
    const found = [...this.space.files].find(([, { id }]) => id === path);
    return found?.[0] ?? path;
  }

  #list({ arg }: Call): Answer {
    const { path, recursive = false, limit = 2000 } = arg;
    if (path !== '') pathIn(arg);
    if (typeof limit !== 'number' || limit < 1 || limit > 2000) throw new Malformed('limit: 1 to 2000');
    this.space.lists++;
    return this.#page({ path: String(path), recursive: recursive === true, limit, after: '' });
  }

  #continue({ arg }: Call): Answer {
    return this.#page(JSON.parse(Buffer.from(String(arg.cursor), 'base64url').toString()));
  }

  #page(at: { path: string; recursive: boolean; limit: number; after: string }): Answer {
    const limit = Math.min(at.limit, this.#o.page ?? at.limit);
    const { entries, last, more } = this.space.page(at.path, { ...at, limit });
    const cursor = Buffer.from(JSON.stringify({ ...at, after: last })).toString('base64url');
    return json(200, { entries, cursor, has_more: more });
  }

  async #makeFolder({ arg }: Call): Promise<Answer> {
    const path = pathIn(arg);
    const made = await this.#inLock(() => {
      this.space.makeFolder(path);
      return this.space.metadataOf(path.toLowerCase());
    });
    return made ? json(200, { metadata: made }) : writeConflict();
  }

  async #delete({ arg }: Call): Promise<Answer> {
    const path = pathIn(arg);
    const metadata = await this.#inLock(() => this.space.remove(path));
    return metadata ? json(200, { metadata }) : writeConflict();
  }

  #deleteBatch({ arg }: Call): Answer {
    const paths = entriesIn(arg).map((entry) => {
      checkNames(entry, ['path!', 'parent_rev']);
      return pathIn(entry);
    });
    this.biggestBatch = Math.max(this.biggestBatch, paths.length);
    const id = `job ${this.#jobs.size}`;
    const result = this.#inLock(() => paths.map((path) => this.#deleteOne(path))).then((entries) =>
      entries
        ? { '.tag': 'complete', entries }
        : { '.tag': 'failed', failed: union('too_many_write_operations') },
    );
    this.#jobs.set(id, { asked: false, result });
    return json(200, { '.tag': 'async_job_id', async_job_id: id });
  }

  #deleteOne(path: string): object {
    try {
      return { '.tag': 'success', metadata: this.space.remove(path) };
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      return { '.tag': 'failure', failure: e.union };
    }
  }

  async #checkJob({ arg }: Call): Promise<Answer> {
    const job = this.#jobs.get(String(arg.async_job_id));
    if (job === undefined) throw new Refused(union('invalid_async_job_id'));
    if (job.asked) return json(200, await job.result);
    job.asked = true;
    return json(200, { '.tag': 'in_progress' });
  }

  #account(): Answer {
    return json(200, {
      account_id: 'dbid:holdfast',
      name: {
        given_name: 'Ada',
        surname: 'L',
        familiar_name: 'Ada',
        display_name: 'Ada L',
        abbreviated_name: 'AL',
      },
      email: 'ada@example.org',
      email_verified: true,
      disabled: false,
      locale: 'en',
      referral_link: 'https://example.org',
      is_paired: false,
      account_type: { '.tag': 'basic' },
      root_info: { '.tag': 'user', root_namespace_id: '1', home_namespace_id: '1' },
    });
  }

  #usage(): Answer {
    const { used, capacity: allocated } = this.space;
    if (this.#o.account !== 'team')
      return json(200, { used, allocation: { '.tag': 'individual', allocated } });
    return json(200, {
      used,
      allocation: {
        '.tag': 'team',
        used: used + 1000,
        allocated,
        user_within_team_space_allocated: 0,
        user_within_team_space_limit_type: { '.tag': 'off' },
        user_within_team_space_used_cached: used,
      },
    });
  }

  #revoke(): Answer {
    this.login.revokeAll();
    return json(200, null);
  }
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const bytes of request as AsyncIterable<Buffer>) all.push(bytes);
  return Buffer.concat(all);
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

function asciiJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function argOf(route: Route, request: IncomingMessage, body: Buffer): Readonly<Record<string, unknown>> {
  const { method, headers } = request;
  if (method !== 'POST' && !(method === 'GET' && route.style === 'download'))
    throw new Malformed(`method ${method}`);
  checkType(route, headers['content-type'], body);
  if (route.style === 'upload' && body.length > MOST_BODY) throw new Refused(union('payload_too_large'));
  const text = route.style === 'rpc' ? body.toString('utf8') : headerArg(request);
  if (route.args.length === 0) {
    if (text !== '' && text !== 'null') throw new Malformed('request body: expected null');
    return {};
  }
  const arg = fieldsIn(parse(text), 'request body');
  checkNames(arg, route.args);
  return arg;
}

function headerArg({ headers }: IncomingMessage): string {
  const text = String(headers['dropbox-api-arg'] ?? '');
  if (/[^\x20-\x7e]/.test(text)) throw new Malformed('HTTP header "Dropbox-API-Arg": not ASCII');
  return text;
}

function checkType({ style, args }: Route, type: string | undefined, body: Buffer): void {
  const [kind] = (type ?? '').split(';');
  const good =
    style === 'upload'
      ? kind === 'application/octet-stream'
      : style === 'download'
        ? ['', 'text/plain', 'application/octet-stream'].includes(kind ?? '')
        : kind === 'application/json' || (args.length === 0 && body.length === 0 && kind === '');
  if (!good) throw new Malformed(`Bad HTTP "Content-Type" header: "${type}"`);
  if (args.length === 0 && body.length === 0 && kind === 'application/json')
    throw new Malformed('could not decode input as JSON');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Malformed('could not decode input as JSON');
  }
}

function fieldsIn(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Malformed(`${what}: expected object`);
  return { ...value };
}

function checkNames(fields: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const known = names.map((name) => name.replace('!', ''));
  for (const name of Object.keys(fields))
    if (!known.includes(name)) throw new Malformed(`unknown field '${name}'`);
  for (const name of names.filter((n) => n.endsWith('!'))) {
    if (fields[name.slice(0, -1)] === undefined)
      throw new Malformed(`missing required field '${name.slice(0, -1)}'`);
  }
}

function pathIn(fields: Readonly<Record<string, unknown>>): string {
  const { path } = fields;
  if (typeof path === 'string' && PATH.test(path)) return path;
  throw new Malformed(`path: '${path}' did not match pattern`);
}

function cursorIn(value: unknown): Cursor {
  const fields = fieldsIn(value, 'cursor');
  checkNames(fields, ['session_id!', 'offset!']);
  const { session_id, offset } = fields;
  if (typeof session_id === 'string' && typeof offset === 'number') return { session_id, offset };
  throw new Malformed('cursor');
}

function commitIn(value: unknown): CommitInfo {
  const fields = fieldsIn(value, 'commit');
  checkNames(fields, [
    'path!',
    'mode',
    'autorename',
    'client_modified',
    'mute',
    'property_groups',
    'strict_conflict',
  ]);
  const tag =
    typeof fields.mode === 'object' ? fieldsIn(fields.mode, 'mode')['.tag'] : (fields.mode ?? 'add');
  if (!['add', 'overwrite', 'update'].includes(String(tag))) throw new Malformed('mode');
  const { client_modified: written } = fields;
  if (written !== undefined && !/^\d{4}(-\d\d){2}T(\d\d:){2}\d\dZ$/.test(String(written)))
    throw new Malformed('client_modified');
  return {
    path: pathIn(fields),
    mode: String(tag),
    strict_conflict: fields.strict_conflict === true,
    ...(written === undefined ? {} : { client_modified: String(written) }),
  };
}

function entriesIn({
  entries,
}: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(entries)) throw new Malformed('entries: expected list');
  if (entries.length === 0 || entries.length > 1000) throw new Malformed('entries: 1 to 1000');
  return entries.map((entry) => fieldsIn(entry, 'entries'));
}

function checkHash({ content_hash }: Readonly<Record<string, unknown>>, body: Buffer): void {
  if (content_hash !== undefined && content_hash !== contentHash(body))
    throw new Refused(union('content_hash_mismatch'));
}
