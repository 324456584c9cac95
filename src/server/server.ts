/**
 * The host on HTTP, for browsers: sign-in, the window's files, the contract (`/rpc`, `/ws`), `/healthz`, `/metrics`.
 *
 * guard    what every request must pass before anybody looks at what it wants: name, origin, path, length (guards.ts)
 * session  who is signed in (auth.ts); nothing but /healthz, /sign-in and /metrics answers without
 * refusal  a no, with a status and a sentence
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AnyRouter } from '@orpc/server';
import { EngineError, messageOf } from '../api/errors.ts';
import { httpHandler, RPC_PATH } from '../transport/http.ts';
import { WEB_SOCKET_PATH } from '../transport/web-socket.ts';
import type { Clock } from '../util/clock.ts';
import { Auth, type AuthStore, SESSION_LIFE } from './auth.ts';
import {
  checkBody,
  checkHost,
  checkOrigin,
  HEADERS,
  isLoopback,
  isSecure,
  type Place,
  pathOf,
  Refusal,
} from './guards.ts';
import { SignInLimiter } from './limiter.ts';
import { METRICS_TYPE } from './metrics.ts';
import { onwardPage, signInPage } from './pages.ts';
import { redirect, refuse, send, sendPage, setHeaders, wantsPage } from './reply.ts';
import { fileServer, type ServeFile } from './static.ts';
import { WebSockets } from './web-sockets.ts';

export interface ServerOptions {
  readonly router: AnyRouter;
  /** An address or name to listen on. Beyond this machine only with a password. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Further names under which the machine is reached, such as its hostname. */
  readonly names?: readonly string[];
  /** Such as `https://backup.home`, where a proxy in front answers to HTTPS. */
  readonly origins?: readonly string[];
  /** The folder of the window's files; undefined: none. */
  readonly assets: string | undefined;
  readonly auth: AuthStore;
  /** What `metricsText` gives. */
  readonly metrics: () => Promise<string>;
  /** Whoever is on this machine may read the metrics. */
  readonly metricsOnLoopback?: boolean;
  readonly health: () => boolean | Promise<boolean>;
  /** Never gets an address with a query, a cookie or a body. */
  readonly log: (level: 'info' | 'warning' | 'error', text: string) => void;
  readonly clock: Clock;
  /** In milliseconds: for the headers of a request, for all of it, and how long `close` waits for answers under way. */
  readonly timeouts?: { readonly headers?: number; readonly request?: number; readonly close?: number };
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8484`. */
  readonly origin: string;
  readonly port: number;
  /** An address that signs a browser in once, within a day. */
  startUrl(): string;
  /** Ends all sessions: after a change of the password. */
  signOutAll(): Promise<void>;
  /** Takes nothing new, ends streams and sockets, waits for answers under way. */
  close(): Promise<void>;
}

const TIMEOUTS = { headers: 10_000, request: 60_000, close: 5_000 } as const;
const MOST_CONNECTIONS = 500;
/** A form with a password is small. */
const LARGEST_FORM = 16 * 1024;

/**
 * Starts to listen. Errors: 'usage' when others could reach it and no password is set, or the address is none of this
 * machine; an origin that is none; 'conflict' when the port is taken; 'permission' when the system refuses it.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const loopback = isLoopback(options.host);
  if (!loopback && (await options.auth.passwordHash()) === undefined) throw needsPassword(options.host);
  const origins = (options.origins ?? []).map(originOf);
  const place = { loopback, names: options.names ?? [], origins };
  const sockets: WebSockets = new WebSockets({ ...options, place, keep: (key) => auth.keep(key) });
  const auth = await Auth.open(options.auth, options.clock, (key) => sockets.signOut(key));
  const site = new Site(options, place, auth);
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const server = careful(timeouts);
  server.on('request', (req, res) => void site.answer(req, res));
  server.on('upgrade', (req, socket, head) => sockets.upgrade(req, socket, head, () => site.sessionOf(req)));
  const port = await listen(server, options).catch((e: unknown) => {
    sockets.close();
    throw e;
  });
  site.port = port;
  const origin = `http://${nameToOpen(options.host)}:${port}`;
  return {
    origin,
    port,
    startUrl: () => `${origin}/?token=${auth.startToken()}`,
    signOutAll: () => auth.signOutAll(),
    close: async () => {
      sockets.close();
      site.endStreams();
      await closeServer(server, options.clock, timeouts.close, () => sockets.terminate());
      await auth.settled();
    },
  };
}

/** A server that waits for nobody long: what comes slowly, or never ends, is cut off. */
function careful({ headers, request }: { readonly headers: number; readonly request: number }): Server {
  const server = createServer({
    headersTimeout: headers,
    requestTimeout: request,
    connectionsCheckingInterval: Math.min(1000, headers / 2),
    maxHeaderSize: 16 * 1024,
  });
  server.maxConnections = MOST_CONNECTIONS;
  return server;
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url.origin;
  throw new EngineError('usage', `“${text}” is no address such as https://backup.example.`);
}

/** What a browser on this machine calls the address listened on. */
function nameToOpen(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

const needsPassword = (host: string) =>
  new EngineError('usage', `Others could reach Holdfast at ${host}, and no password is set.`, {
    hint: 'Set a password first, or listen on 127.0.0.1, which only this computer reaches.',
  });

async function listen(server: Server, { host, port }: ServerOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (e: NodeJS.ErrnoException) => reject(listenError(e, host, port)));
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

function listenError(e: NodeJS.ErrnoException, host: string, port: number): EngineError {
  if (e.code === 'EADDRINUSE') {
    const hint = 'Holdfast may be running already; if not, choose another port.';
    return new EngineError('conflict', `Port ${port} is taken by another program.`, { hint }, { cause: e });
  }
  if (e.code === 'EACCES') {
    const hint = 'Choose a port above 1023.';
    return new EngineError('permission', `The system does not allow port ${port}.`, { hint }, { cause: e });
  }
  return new EngineError('usage', `Holdfast cannot listen on ${host}: ${messageOf(e)}.`, {}, { cause: e });
}

async function closeServer(server: Server, clock: Clock, wait: number, hangUp: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const enough = new AbortController();
  const timer = clock.sleep(wait, enough.signal).then(
    () => {
      hangUp();
      server.closeAllConnections();
    },
    () => {},
  );
  await closed;
  enough.abort();
  await timer;
}

/** What answers. */
class Site {
  /** Cookies don't tell ports apart, so the name does; known once the server listens. */
  port = 0;
  readonly #options: ServerOptions;
  readonly #place: Place;
  readonly #auth: Auth;
  readonly #limiter: SignInLimiter;
  readonly #serveFile: ServeFile;
  readonly #call: ReturnType<typeof httpHandler>;
  /** Answers to calls that are under way. */
  readonly #underWay = new Set<ServerResponse>();

  constructor(options: ServerOptions, place: Place, auth: Auth) {
    this.#options = options;
    this.#place = place;
    this.#auth = auth;
    this.#limiter = new SignInLimiter(options.clock);
    this.#serveFile = fileServer(options.assets);
    this.#call = httpHandler(options.router, {
      onFault: (e, path) => options.log('error', `${path.join('.')} failed: ${messageOf(e)}`),
    });
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    setHeaders(res, HEADERS);
    try {
      await this.#route(req, res);
    } catch (e) {
      if (e instanceof Refusal) return refuse(req, res, e);
      // The browser went away in the middle of what it sent.
      if (req.destroyed && !req.complete) return;
      this.#options.log('error', `A request failed: ${messageOf(e)}`);
      refuse(req, res, new Refusal(500, 'Holdfast failed; its log says more.'));
    }
  }

  /** Streams of events have no end of their own. */
  endStreams(): void {
    for (const res of this.#underWay) {
      if (String(res.getHeader('content-type')).startsWith('text/event-stream')) res.destroy();
    }
  }

  /** The key of the session whose cookie the request has. */
  sessionOf(req: IncomingMessage): string | undefined {
    const wanted = `${this.#cookieName}=`;
    const cookies = (req.headers.cookie ?? '').split(';', 50).map((cookie) => cookie.trim());
    const ours = cookies.find((cookie) => cookie.startsWith(wanted));
    return ours && this.#auth.use(ours.slice(wanted.length));
  }

  get #cookieName(): string {
    return `holdfast_session_${this.port}`;
  }

  async #route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = pathOf(req.url ?? '');
    const host = checkHost(req.headers, this.#place);
    checkBody(req);
    if (req.method === 'POST') {
      checkOrigin(req.headers, host, this.#place);
      return this.#post(path, req, res, host);
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') throw notAllowed('GET, HEAD, POST');
    await this.#get(path, req, res, host);
  }

  async #get(path: string, req: IncomingMessage, res: ServerResponse, host: string): Promise<void> {
    if (path === '/healthz') return this.#health(res);
    if (path === '/metrics') return this.#metrics(req, res);
    const token = path === '/' ? new URLSearchParams(queryOf(req)).get('token') : null;
    if (token !== null && req.method === 'GET') return this.#redeem(token, req, res, host);
    const session = this.sessionOf(req);
    if (path === '/sign-in') {
      if (session) return redirect(res, '/');
      const problem = queryOf(req) === USED_LINK ? 'That link was used before, or is too old.' : undefined;
      return sendPage(res, 200, signInPage(await this.#auth.hasPassword(), problem));
    }
    if (path.startsWith(`${RPC_PATH}/`)) throw notAllowed('POST');
    if (path === WEB_SOCKET_PATH) throw new Refusal(426, 'This is for WebSockets.', { upgrade: 'websocket' });
    if (session) return this.#serveFile(req, res);
    // A browser that another site sends here keeps its cookie back, but not from a page of ours.
    if (req.headers['sec-fetch-site'] === 'cross-site') return sendPage(res, 200, onwardPage());
    if (!wantsPage(req)) throw signedOut();
    redirect(res, '/sign-in');
  }

  async #post(path: string, req: IncomingMessage, res: ServerResponse, host: string): Promise<void> {
    if (path === '/sign-in') return this.#signIn(req, res, host);
    const session = this.sessionOf(req);
    if (!session) throw signedOut();
    if (path === '/sign-out') {
      await this.#auth.signOut(session);
      return redirect(res, '/sign-in', { 'set-cookie': this.#cookie('', host, 0) });
    }
    if (!path.startsWith(`${RPC_PATH}/`)) throw notAllowed('GET, HEAD');
    if (!/^application\/json\b/.test(req.headers['content-type'] ?? '')) {
      throw new Refusal(415, 'Calls are made in JSON.', { connection: 'close' });
    }
    this.#underWay.add(res);
    res.once('close', () => this.#underWay.delete(res));
    if (!(await this.#call(req, res))) throw new Refusal(404, 'There is no such call.');
  }

  async #health(res: ServerResponse): Promise<void> {
    const ok = await this.#options.health();
    send(res, ok ? 200 : 503, ok ? 'ok\n' : 'not ok\n');
  }

  async #metrics(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const local = this.#options.metricsOnLoopback === true && isLoopback(plain(addressOf(req)));
    if (!local && !this.sessionOf(req) && !(await this.#hasMetricsToken(req))) {
      throw new Refusal(401, 'The metrics are for those who are signed in.', {
        'www-authenticate': 'Bearer',
      });
    }
    send(res, 200, await this.#options.metrics(), { 'content-type': METRICS_TYPE });
  }

  async #hasMetricsToken(req: IncomingMessage): Promise<boolean> {
    const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
    if (token === undefined) return false;
    if (await this.#auth.isMetricsToken(token)) return true;
    this.#countTry(req);
    return false;
  }

  async #redeem(token: string, req: IncomingMessage, res: ServerResponse, host: string): Promise<void> {
    // A right token is never held up: it can't be guessed, so no limit is needed.
    const id = await this.#auth.redeem(token);
    if (id !== undefined) return this.#welcome(id, req, res, host);
    if (this.sessionOf(req)) return redirect(res, '/');
    this.#countTry(req);
    redirect(res, `/sign-in?${USED_LINK}`);
  }

  async #signIn(req: IncomingMessage, res: ServerResponse, host: string): Promise<void> {
    checkBody(req, LARGEST_FORM);
    if (!/^application\/x-www-form-urlencoded\b/.test(req.headers['content-type'] ?? '')) {
      throw new Refusal(415, 'Sign in with the form.', { connection: 'close' });
    }
    const password = new URLSearchParams(await textOf(req)).get('password') ?? '';
    this.#countTry(req);
    const id = await this.#auth.signIn(password);
    if (id !== undefined) return this.#welcome(id, req, res, host);
    this.#options.log('warning', `A sign-in from ${plain(addressOf(req))} failed.`);
    sendPage(res, 401, signInPage(await this.#auth.hasPassword(), 'That is not the password.'));
  }

  #countTry(req: IncomingMessage): void {
    const wait = this.#limiter.attempt(addressOf(req));
    if (wait === 0) return;
    const seconds = Math.ceil(wait / 1000);
    throw new Refusal(429, `Too many tries. Try again in ${seconds} s.`, { 'retry-after': String(seconds) });
  }

  /** The address of the page that follows holds no token. */
  #welcome(id: string, req: IncomingMessage, res: ServerResponse, host: string): void {
    this.#limiter.succeeded(addressOf(req));
    const old = this.sessionOf(req);
    if (old) void this.#auth.signOut(old);
    redirect(res, '/', { 'set-cookie': this.#cookie(id, host, SESSION_LIFE / 1000) });
  }

  #cookie(value: string, host: string, maxAge: number): string {
    const secure = isSecure(host, this.#place) ? '; Secure' : '';
    return `${this.#cookieName}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
  }
}

const USED_LINK = 'link=used';

const signedOut = () => new Refusal(401, 'You are signed out.');
const notAllowed = (allow: string) => new Refusal(405, 'This cannot be done here.', { allow });
const queryOf = (req: IncomingMessage) => (req.url ?? '').split('?').slice(1).join('?');
const addressOf = (req: IncomingMessage) => req.socket.remoteAddress ?? '';
const plain = (address: string) => address.replace(/^::ffff:/i, '');

/** The body; its length has been checked, and Node holds the sender to it. */
async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
