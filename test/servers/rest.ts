/**
 * A REST server for restic in this process, strict about the protocol (restic's `doc/REST_backend.rst`), which keeps its files in
 * memory and misbehaves when told to.
 *
 * harm   what goes wrong with one request, the next that fits
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface RestServerOptions {
  /** Of the protocol; 2 unless told. */
  readonly version?: 1 | 2;
  readonly appendOnly?: boolean;
  readonly login?: { readonly username: string; readonly password: string };
  /** A file that is there: 'refuse' as rest-server does, unless told 'replace', as rclone does. */
  readonly existing?: 'refuse' | 'replace';
  /** Keeps files in the folder `holdfast`, as rclone does. */
  readonly settings?: boolean;
  /** Answers to ranges with them; true unless told. */
  readonly ranges?: boolean;
  /** Refuses bytes whose SHA-256 is not their name, as rest-server does. */
  readonly verify?: boolean;
  readonly tls?: https.ServerOptions;
  /** Listens there instead of on a port. */
  readonly socketPath?: string;
  /** Ends each connection that lies idle for so long; never unless told. */
  readonly keepAliveMs?: number;
  /** Hears of all bytes of bodies as they come. */
  readonly onBytes?: (bytes: number) => void;
}

export type Harm =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection ends: before the body is heard, with the work done but no answer, or in the midst of the answer. */
  | { readonly kind: 'drop'; readonly when: 'at-once' | 'done' | 'midway' }
  /** No answer ever. */
  | { readonly kind: 'silence' };

export interface Seen {
  readonly method: string;
  /** Below the repository's, with the query. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
}

const ROOT = '/some/repo/';
const FOLDERS = ['data', 'index', 'keys', 'locks', 'snapshots'];

interface Fault {
  readonly fits: (seen: Seen) => boolean;
  readonly harm: Harm;
}

export class RestServer implements AsyncDisposable {
  readonly files = new Map<string, Buffer>();
  readonly seen: Seen[] = [];
  /** How many connections there were. */
  connections = 0;
  readonly #o: RestServerOptions;
  readonly #server: http.Server;
  readonly #faults: Fault[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(o: RestServerOptions) {
    this.#o = o;
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    };
    this.#server = o.tls ? https.createServer(o.tls, serve) : http.createServer(serve);
    this.#server.keepAliveTimeout = o.keepAliveMs ?? 0;
    this.#server.on('connection', (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    });
  }

  static async start(o: RestServerOptions = {}): Promise<RestServer> {
    const server = new RestServer(o);
    if (o.socketPath === undefined) server.#server.listen(0, '127.0.0.1');
    else server.#server.listen(o.socketPath);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What follows `rest:`, with the login if `login` is given as `user:password`. */
  target(login = '', host = '127.0.0.1'): string {
    const at = login === '' ? '' : `${login}@`;
    return `${this.#o.tls ? 'https' : 'http'}://${at}${host}:${this.port}${ROOT}`;
  }

  harm(fits: (seen: Seen) => boolean, harm: Harm): void {
    this.#faults.push({ fits, harm });
  }

  /** Ends all connections, as a server that is started anew does. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.hangUp();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    if (!url.startsWith(ROOT)) return say(response, 404);
    const seen: Seen = { method, path: url.slice(ROOT.length), headers };
    this.seen.push(seen);
    const harm = this.#takeHarm(seen);
    if (harm?.kind === 'drop' && harm.when === 'at-once') return void request.socket.destroy();
    const body = await this.#bodyOf(request);
    if (harm?.kind === 'silence') return;
    if (harm?.kind === 'answer') {
      return void response.writeHead(harm.status, { ...harm.headers }).end(harm.body);
    }
    if (harm?.kind === 'drop') dropMidway(request, response, harm.when === 'done');
    this.#answer(seen, body, response);
  }

  #takeHarm(seen: Seen): Harm | undefined {
    const at = this.#faults.findIndex((fault) => fault.fits(seen));
    return at < 0 ? undefined : this.#faults.splice(at, 1)[0]?.harm;
  }

  async #bodyOf(request: IncomingMessage): Promise<Buffer> {
    const all: Buffer[] = [];
    for await (const bytes of request as AsyncIterable<Buffer>) {
      this.#o.onBytes?.(bytes.length);
      all.push(bytes);
    }
    return Buffer.concat(all);
  }

  #answer(seen: Seen, body: Buffer, response: ServerResponse): void {
    if (!this.#letsIn(seen)) {
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end('Unauthorized\n');
    }
    const [path = '', query = ''] = seen.path.split('?');
    if (path === '') return say(response, seen.method === 'POST' && query === 'create=true' ? 200 : 400);
    const [folder = '', name = '', ...more] = path.split('/');
    if (folder === 'config' ? path !== 'config' : !this.#hasFolder(folder) || more.length > 0) {
      return say(response, seen.method === 'POST' ? 400 : 405);
    }
    if (folder !== 'config' && name === '') return this.#list(seen, folder, response);
    this.#file(seen, path, body, response);
  }

  #letsIn({ headers }: Seen): boolean {
    const { login } = this.#o;
    if (!login) return true;
    const want = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    return headers.authorization === `Basic ${want}`;
  }

  #hasFolder(folder: string): boolean {
    return FOLDERS.includes(folder) || (folder === 'holdfast' && this.#o.settings === true);
  }

  #list({ method, headers }: Seen, folder: string, response: ServerResponse): void {
    if (method !== 'GET') return say(response, 405);
    const names = [...this.files].filter(([path]) => path.startsWith(`${folder}/`));
    const files = names.map(([path, bytes]) => ({ name: path.slice(folder.length + 1), size: bytes.length }));
    const two = (this.#o.version ?? 2) === 2 && headers.accept === 'application/vnd.x.restic.rest.v2';
    const list = two ? files : files.map(({ name }) => name);
    response.setHeader('content-type', `application/vnd.x.restic.rest.v${two ? 2 : 1}`);
    // As rest-server writes a list of nothing.
    response.end(JSON.stringify(list.length === 0 ? null : list));
  }

  #file(seen: Seen, path: string, body: Buffer, response: ServerResponse): void {
    const file = this.files.get(path);
    switch (seen.method) {
      case 'HEAD':
        if (file) response.setHeader('content-length', file.length);
        return void response.writeHead(file ? 200 : 404).end();
      case 'GET':
        return file ? this.#give(seen, file, response) : say(response, 404);
      case 'POST':
        return say(response, this.#store(path, body));
      case 'DELETE':
        if (this.#o.appendOnly && !path.startsWith('locks/')) return say(response, 403);
        return say(response, this.files.delete(path) ? 200 : 404);
      default:
        return say(response, 405);
    }
  }

  #store(path: string, body: Buffer): number {
    const replaces = this.#o.existing === 'replace' && !this.#o.appendOnly;
    if (this.files.has(path) && !replaces) return 403;
    const sum = createHash('sha256').update(body).digest('hex');
    if (this.#o.verify && path !== 'config' && !path.endsWith(`/${sum}`)) return 400;
    this.files.set(path, body);
    return 200;
  }

  #give({ headers }: Seen, file: Buffer, response: ServerResponse): void {
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
    if (from === undefined || this.#o.ranges === false) {
      return void response.setHeader('content-length', file.length).end(file);
    }
    const first = Number(from);
    const end = to === '' ? file.length : Math.min(file.length, Number(to) + 1);
    if (first >= file.length) {
      return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    }
    const range = `bytes ${first}-${end - 1}/${file.length}`;
    response.writeHead(206, { 'content-range': range, 'content-length': end - first });
    response.end(file.subarray(first, end));
  }
}

/** As Go's servers say it: the words for the number. */
function say(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(status === 200 ? '' : `${http.STATUS_CODES[status]}\n`);
}

/** Has the answer end after half of it, or before its first byte. */
function dropMidway({ socket }: IncomingMessage, response: ServerResponse, before: boolean): void {
  response.end = (body?: unknown) => {
    if (before || !Buffer.isBuffer(body)) socket.destroy();
    else response.write(body.subarray(0, body.length >> 1), () => socket.destroy());
    return response;
  };
}
