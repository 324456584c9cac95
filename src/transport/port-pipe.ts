/** Pipes over message ports: those of browsers and worker threads, and those of Electron's main process. Browser-safe. */
import type { Pipe } from './pipe.ts';

/** What browsers and Node call a port. */
export interface WebPort {
  postMessage(message: unknown): void;
  addEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(name: 'close', listener: () => void): void;
  start?(): void;
  close(): void;
}

/** What Electron's main and utility processes call a port. */
export interface MainPort {
  postMessage(message: unknown): void;
  on(name: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  on(name: 'close', listener: () => void): unknown;
  start?(): void;
  close(): void;
}

export type Port = WebPort | MainPort;

/** A port tells of no reader's pace: `send` resolves at once. */
export function portPipe(port: Port): Pipe {
  let closed = false;
  let onClose = () => {};
  const end = () => {
    if (closed) return;
    closed = true;
    onClose();
  };
  return {
    get state() {
      return closed ? 'closed' : 'open';
    },
    send: async (text) => port.postMessage(text),
    listen: (listener) => {
      onClose = () => listener.onClose();
      onPort(port, (data) => (typeof data === 'string' ? listener.onText(data) : port.close()), end);
      port.start?.();
    },
    close: () => {
      port.close();
      end();
    },
  };
}

function onPort(port: Port, onData: (data: unknown) => void, onClose: () => void): void {
  if ('addEventListener' in port) {
    port.addEventListener('message', (event) => onData(event.data));
    port.addEventListener('close', onClose);
  } else {
    port.on('message', (event) => onData(event.data));
    port.on('close', onClose);
  }
}
