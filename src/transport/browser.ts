/**
 * The contract in a browser or in the window: over the platform's WebSocket, or over a port that the shell hands out.
 * Browser-safe: whatever this imports runs without Node.
 */
import { EngineError } from '../api/errors.ts';
import type { Client } from './client.ts';
import type { Pipe } from './pipe.ts';
import { pipeClient } from './pipe-client.ts';
import { portPipe, type WebPort } from './port-pipe.ts';

/** An open connection to the host. */
export interface HostConnection {
  readonly client: Client;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Connects to `ws://…/ws`. The browser sends the session's cookie along. Error: 'unreachable' (transient). */
export function connectBrowserSocket(url: string, signal: AbortSignal): Promise<HostConnection> {
  const socket = new WebSocket(url);
  const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
  const connection = { client: pipeClient(socketPipe(socket)), closed, close: () => socket.close(1000) };
  return new Promise((resolve, reject) => {
    const onAbort = () => socket.close();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.addEventListener('open', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(connection);
    });
    // After an open one this rejects nothing any more.
    void closed.then(() => reject(noAnswer()));
    if (signal.aborted) onAbort();
  });
}

function socketPipe(socket: WebSocket): Pipe {
  return {
    get state() {
      if (socket.readyState === WebSocket.CONNECTING) return 'opening';
      return socket.readyState === WebSocket.OPEN ? 'open' : 'closed';
    },
    send: async (text) => socket.send(text),
    listen: (listener) => {
      socket.addEventListener('open', () => listener.onOpen?.());
      socket.addEventListener('message', ({ data }) => {
        if (typeof data === 'string') listener.onText(data);
        else socket.close();
      });
      socket.addEventListener('close', () => listener.onClose());
    },
    // Pages may close with 1000 and codes of their own only.
    close: (reason) => socket.close(4000, reason),
  };
}

/** A connection over a port. A port's end is told by its 'close' event, or by `ended`, where the shell knows first. */
export function connectPort(port: WebPort, ended: Promise<void>): HostConnection {
  const pipe = portPipe(port);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  // In browsers a port that is closed here says so to the other end alone: who waits on this one hears it from the pipe.
  const close = () => {
    pipe.close();
    resolve();
  };
  port.addEventListener('close', () => resolve());
  void ended.then(close);
  return { client: pipeClient(pipe), closed, close };
}

const noAnswer = () =>
  new EngineError('unreachable', 'Holdfast does not answer.', {
    transient: true,
    hint: 'Check that it is running.',
  });
