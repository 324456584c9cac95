/** The contract over WebSockets, for those who are signed in. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyRouter } from '@orpc/server';
import { type WebSocket, WebSocketServer } from 'ws';
import { messageOf } from '../api/errors.ts';
import type { Pipe } from '../transport/pipe.ts';
import { pipeServer } from '../transport/pipe-server.ts';
import { WEB_SOCKET_PATH, webSocketPipe } from '../transport/web-socket.ts';
import type { Clock } from '../util/clock.ts';
import { checkHost, checkSocketOrigin, LARGEST_BODY, type Place, pathOf, Refusal } from './guards.ts';
import { refuseUpgrade } from './reply.ts';

const MOST_SOCKETS = 64;
/** A window has a handful of calls and streams under way; more than this is a fault or an attack. */
const LIMITS = { underWay: 200, perSecond: 100, burst: 500 } as const;
/** Who does not answer from one beat to the next is gone. */
const BEAT = 30_000;

export interface WebSocketsOptions {
  readonly router: AnyRouter;
  readonly place: Place;
  readonly log: (level: 'info' | 'warning' | 'error', text: string) => void;
  readonly clock: Clock;
  /** Whether a session still is one (else it ends now); a socket that is open keeps it from expiring. */
  readonly keep: (key: string) => string | undefined;
}

interface Open {
  readonly key: string;
  alive: boolean;
}

export class WebSockets {
  readonly #options: WebSocketsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_BODY,
    perMessageDeflate: false,
  });
  readonly #open = new Map<WebSocket, Open>();
  readonly #serve: (pipe: Pipe) => void;
  readonly #stop = new AbortController();

  constructor(options: WebSocketsOptions) {
    this.#options = options;
    this.#serve = pipeServer(options.router, {
      onFault: (e, path) => options.log('error', `${path.join('.')} failed: ${messageOf(e)}`),
      limits: { ...LIMITS, clock: options.clock },
    });
    void this.#beat();
  }

  /** Takes over a connection that asks to become a WebSocket, if it may. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, sessionOf: () => string | undefined): void {
    socket.on('error', () => socket.destroy());
    try {
      const key = this.#check(req, sessionOf);
      this.#server.handleUpgrade(req, socket, head, (opened) => this.#accept(opened, key));
    } catch (e) {
      refuseUpgrade(socket, e instanceof Refusal ? e.status : 500);
    }
  }

  #check(req: IncomingMessage, sessionOf: () => string | undefined): string {
    if (pathOf(req.url ?? '') !== WEB_SOCKET_PATH) throw new Refusal(404, 'There is no such address.');
    const host = checkHost(req.headers, this.#options.place);
    checkSocketOrigin(req.headers, host, this.#options.place);
    const key = sessionOf();
    if (key === undefined) throw new Refusal(401, 'You are signed out.');
    if (this.#stop.signal.aborted || this.#open.size >= MOST_SOCKETS) throw new Refusal(503, 'Too many.');
    return key;
  }

  #accept(socket: WebSocket, key: string): void {
    const open: Open = { key, alive: true };
    this.#open.set(socket, open);
    socket.on('pong', () => {
      open.alive = true;
    });
    socket.on('close', () => this.#open.delete(socket));
    this.#serve(webSocketPipe(socket));
  }

  /** Closes the sockets of a session that has ended. */
  signOut(key: string): void {
    for (const [socket, open] of this.#open) if (open.key === key) socket.close(1008, 'signed out');
  }

  /** Closes all, and takes none any more. */
  close(): void {
    this.#stop.abort();
    for (const socket of this.#open.keys()) socket.close(1001, 'Holdfast is shutting down');
  }

  /** For those who did not answer the farewell. */
  terminate(): void {
    for (const socket of this.#open.keys()) socket.terminate();
  }

  async #beat(): Promise<void> {
    const { clock, keep } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(BEAT, signal).catch(() => {});
      if (signal.aborted) return;
      for (const [socket, open] of this.#open) {
        if (!open.alive) socket.terminate();
        else if (keep(open.key) !== undefined) {
          open.alive = false;
          socket.ping();
        }
      }
    }
  }
}
