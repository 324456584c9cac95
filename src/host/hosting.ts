/**
 * A host as a program has it: the running one behind its socket, an own one for one command, or one that serves.
 *
 * socket  `host.sock` in the data folder (a named pipe on Windows): for the command line beside a running host
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { isEngineError, messageOf } from '../api/errors.ts';
import type { AuthStore } from '../server/auth.ts';
import { type LocalSocket, startLocalSocket } from '../server/local-socket.ts';
import { metricsText } from '../server/metrics.ts';
import { hashPassword, verifyPassword } from '../server/password.ts';
import { type RunningServer, startServer } from '../server/server.ts';
import type { Client } from '../transport/client.ts';
import { connectSocket } from '../transport/web-socket.ts';
import { systemClock } from '../util/clock.ts';
import { type Host, openHost } from './host.ts';

export interface OpenRequest {
  /** Absolute. */
  readonly dataDir: string;
  readonly warn: (message: string) => void;
}

export interface ServeRequest extends OpenRequest {
  readonly host: string;
  readonly port: number;
  /** The password for use beyond this machine, if it is to be set anew. */
  readonly password: string | undefined;
}

export interface Program {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of the window's files; undefined: none. */
  readonly assets?: string | undefined;
}

interface Handle {
  readonly client: Client;
  close(): Promise<void>;
}

const WEB_PASSWORD = 'web:password';
const WEB_SESSIONS = 'web-sessions';
const METRICS_TOKEN = 'web:metrics';

/** Where the host of a data folder listens. Paths of Unix sockets hold about 100 bytes: a deep folder's lies elsewhere. */
export function socketPath(dataDir: string, platform: NodeJS.Platform = process.platform): string {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  if (platform === 'win32') return `\\\\.\\pipe\\holdfast-${hash}`;
  const usual = path.join(dataDir, 'host.sock');
  if (Buffer.byteLength(usual) <= 90) return usual;
  const runtime = process.env.XDG_RUNTIME_DIR ?? `/tmp/holdfast-${process.getuid?.() ?? 0}`;
  return path.join(runtime, `holdfast-${hash}.sock`);
}

/** The running host of the data folder, or undefined where nobody listens. Error: 'unreachable' for one that does not answer. */
export async function connectHost(dataDir: string, signal: AbortSignal): Promise<Handle | undefined> {
  const socket = socketPath(dataDir);
  if (process.platform !== 'win32' && !existsSync(socket)) return undefined;
  try {
    return await connectSocket(socket, { signal });
  } catch (e) {
    // What a killed host leaves behind: a file to which nobody listens.
    if (isEngineError(e, 'unreachable') && refused(e)) return undefined;
    throw e;
  }
}

function refused(e: Error): boolean {
  const code = (e.cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}

function toSentences(warn: (message: string) => void) {
  return (level: 'info' | 'warning' | 'error', text: string) => {
    if (level !== 'info') warn(text);
  };
}

/** An own host for one command. Errors: those of `openHost`. */
export function openAlone({ version, env }: Program, o: OpenRequest): Promise<Host> {
  return openHost({ dataDir: o.dataDir, version, env, mode: 'alone', log: toSentences(o.warn) });
}

/** Keeps the password for use beyond this machine. Errors: those of `openHost`. */
export async function setWebPassword(program: Program, o: OpenRequest, password: string): Promise<void> {
  const host = await openAlone(program, o);
  try {
    await host.secrets.set(WEB_PASSWORD, await hashPassword(password));
    host.store.values.remove(WEB_SESSIONS);
  } finally {
    await host.close();
  }
}

/** A host that lives by its schedule, with a web server and a socket. Errors: those of `openHost` and `startServer`. */
export async function serve(program: Program, o: ServeRequest) {
  const { version, env, assets } = program;
  const log = toSentences(o.warn);
  const host = await openHost({ dataDir: o.dataDir, version, env, mode: 'serve', log });
  let socket: LocalSocket | undefined;
  let server: RunningServer | undefined;
  const close = async () => {
    // The doors first, then what goes on inside.
    await socket?.close();
    await server?.close();
    await host.close();
  };
  try {
    if (o.password !== undefined) await keepPassword(host, o.password);
    const onFault = (e: unknown, call: readonly string[]) =>
      log('error', `${call.join('.')}: ${messageOf(e)}`);
    socket = await startLocalSocket({ router: host.router, path: socketPath(o.dataDir), onFault });
    server = await startServer({
      router: host.router,
      host: o.host,
      port: o.port,
      names: [hostname()],
      assets,
      auth: authStore(host),
      metrics: () => metricsText(host.metrics()),
      metricsOnLoopback: true,
      health: () => true,
      log,
      clock: systemClock,
    });
    return { url: server.startUrl(), close };
  } catch (e) {
    await close();
    throw e;
  }
}

/** Another password than before ends the sessions of the old one. */
async function keepPassword(host: Host, password: string): Promise<void> {
  const before = await host.secrets.get(WEB_PASSWORD);
  if (before !== undefined && (await verifyPassword(password, before))) return;
  await host.secrets.set(WEB_PASSWORD, await hashPassword(password));
  host.store.values.remove(WEB_SESSIONS);
}

function authStore({ store, secrets }: Host): AuthStore {
  return {
    loadSessions: async () => store.values.get(WEB_SESSIONS),
    saveSessions: async (text) => store.values.set(WEB_SESSIONS, text),
    passwordHash: () => secrets.get(WEB_PASSWORD),
    metricsToken: () => secrets.get(METRICS_TOKEN),
  };
}

/** All of it, for the command line. */
export function createHosting(program: Program) {
  return {
    connect: connectHost,
    open: (o: OpenRequest): Promise<Handle> => openAlone(program, o),
    serve: (o: ServeRequest) => serve(program, o),
    setWebPassword: (o: OpenRequest, password: string) => setWebPassword(program, o, password),
  };
}
