/** Pipes over WebSockets (ws), also those that run over a Unix socket or a named pipe. */
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { EngineError } from '../api/errors.ts';
import type { Client } from './client.ts';
import type { Pipe } from './pipe.ts';
import { pipeClient } from './pipe-client.ts';

/** Where the server answers to WebSockets. */
export const WEB_SOCKET_PATH = '/ws';

/** As much as a call or an answer may have, in bytes. */
export const LARGEST_ANSWER = 64 * 1024 * 1024;

/** A socket as a pipe. `send` resolves when the system has taken the text, so that a stuck reader holds up its streams. */
export function webSocketPipe(socket: WebSocket): Pipe {
  return {
    get state() {
      if (socket.readyState === WebSocket.CONNECTING) return 'opening';
      return socket.readyState === WebSocket.OPEN ? 'open' : 'closed';
    },
    // A text that can't be sent is lost with the connection, of whose end `onClose` tells.
    send: (text) => new Promise((resolve) => socket.send(text, () => resolve())),
    listen: (listener) => {
      socket.on('open', () => listener.onOpen?.());
      socket.on('message', (data, isBinary) => {
        if (isBinary) socket.close(1003, 'texts only');
        else listener.onText(data.toString());
      });
      socket.on('error', () => {}); // a close follows
      socket.on('close', () => listener.onClose());
      if (socket.readyState === WebSocket.CLOSED) listener.onClose();
    },
    close: (reason) => socket.close(1008, reason),
  };
}

/** A client that can be closed. */
export interface Connection {
  readonly client: Client;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Connects to `ws://…`. Errors: 'unreachable' when nobody answers or the answer is no. */
export function connectWebSocket(url: string, options: ConnectOptions = {}): Promise<Connection> {
  return opened(new WebSocket(url, { headers: options.headers, ...COMMON }), options.signal);
}

/** Connects to the host's socket: a Unix socket, or on Windows a named pipe. Errors: 'unreachable'. */
export function connectSocket(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Connection> {
  const createConnection = () => connect(path);
  return opened(
    new WebSocket(`ws://localhost${WEB_SOCKET_PATH}`, { createConnection, ...COMMON }),
    options.signal,
  );
}

const COMMON = { perMessageDeflate: false, maxPayload: LARGEST_ANSWER, handshakeTimeout: 10_000 } as const;

async function opened(socket: WebSocket, signal?: AbortSignal): Promise<Connection> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const client = pipeClient(webSocketPipe(socket));
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      reject(signal?.reason);
      socket.terminate();
    };
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const settled = () => signal?.removeEventListener('abort', onAbort);
    socket.once('error', (cause) => {
      settled();
      reject(noAnswer(cause));
    });
    socket.once('open', () => {
      settled();
      resolve();
    });
  });
  const close = () => {
    socket.close(1000);
    return closed;
  };
  return { client, closed, close };
}

const noAnswer = (cause: unknown) =>
  new EngineError(
    'unreachable',
    'Holdfast does not answer.',
    { transient: true, hint: 'Check that it is running.' },
    { cause },
  );
