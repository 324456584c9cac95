/** A real server on a real port, with a clock that stands still unless it is moved, and a browser that is none. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import type { AuthStore } from '../../../src/server/auth.ts';
import { hashPassword } from '../../../src/server/password.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../../src/server/server.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { type Toy, toy } from '../transport/toy-router.ts';

/** Stands still; `sleep` ends when `pass` has moved it far enough. */
export class HandClock implements Clock {
  #now = 1_800_000_000_000;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { until: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}

export class MemoryAuthStore implements AuthStore {
  sessions: string | undefined;
  hash: string | undefined;
  token: string | undefined;
  loadSessions = async () => this.sessions;
  saveSessions = async (text: string) => {
    this.sessions = text;
  };
  passwordHash = async () => this.hash;
  metricsToken = async () => this.token;
}

export const PASSWORD = 'correct horse';
/** Quick to make, and as slow to check. */
export const passwordHash = () => hashPassword(PASSWORD, 4);

export interface Started extends Toy {
  readonly server: RunningServer;
  readonly clock: HandClock;
  readonly auth: MemoryAuthStore;
  readonly logged: string[];
  ask(path: string, said?: Ask): Promise<Answer>;
  /** The session cookie of somebody who came in by a new start link. */
  cookie(): Promise<string>;
  /** A path whose token is new. */
  startPath(): string;
}

const running: RunningServer[] = [];

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.close()));
}

export async function start(said: Partial<ServerOptions> = {}): Promise<Started> {
  const made = toy();
  const clock = new HandClock();
  const auth = new MemoryAuthStore();
  const logged: string[] = [];
  const server = await startServer({
    router: made.router,
    host: '127.0.0.1',
    port: 0,
    assets: undefined,
    auth,
    metrics: async () => 'holdfast_info 1\n',
    health: () => true,
    log: (level, text) => logged.push(`${level} ${text}`),
    clock,
    ...said,
  });
  running.push(server);
  const ask = (path: string, how: Ask = {}) => askAt(server.port, path, how);
  const startPath = () => server.startUrl().slice(server.origin.length);
  const cookie = async () => cookieIn(await ask(startPath()));
  return {
    ...made,
    server,
    clock,
    auth: (said.auth as MemoryAuthStore) ?? auth,
    logged,
    ask,
    cookie,
    startPath,
  };
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One request as it is said, without any of the help that browsers and `fetch` give. */
export function askAt(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Ask,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const req = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { host: `127.0.0.1:${port}`, ...length, ...headers },
        agent: false,
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
        res.on('error', reject);
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}

/** What a server says to these bytes until it hangs up. */
export function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', (e: NodeJS.ErrnoException) => (e.code === 'ECONNRESET' ? undefined : reject(e)));
    socket.on('close', () => resolve(heard));
  });
}

export function cookieIn(answer: Answer): string {
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

/** What a page of ours sends along with a call. */
export const sameOrigin = (port: number) => ({ origin: `http://127.0.0.1:${port}` });

export const form = (port: number, password: string): Ask => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...sameOrigin(port) },
  body: new URLSearchParams({ password }).toString(),
});
