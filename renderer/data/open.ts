/**
 * Ways from this page to the host: a WebSocket to where the page came from, or, in the window, a port that the shell's
 * preload asks for.
 */
import { EngineError } from '../../src/api/errors.ts';
import type { PortMessage, ShellBridge } from '../../src/api/shell.ts';
import { connectBrowserSocket, connectPort, type HostConnection } from '../../src/transport/browser.ts';
import type { LinkPorts } from './link.ts';

declare global {
  interface Window {
    readonly holdfast?: ShellBridge;
  }
}

export function linkPorts(shell: ShellBridge | undefined = window.holdfast): LinkPorts {
  return {
    open: shell ? (signal) => openByPort(shell, signal) : openBySocket,
    isSignedOut: shell ? async () => false : isSignedOut,
    wait: waitOrWake,
  };
}

function openBySocket(signal: AbortSignal): Promise<HostConnection> {
  const url = new URL('/ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return connectBrowserSocket(url.href, signal);
}

async function openByPort(shell: ShellBridge, signal: AbortSignal): Promise<HostConnection> {
  // However long it takes: a port comes when there is a host.
  const arrived = shellMessage('port', signal);
  shell.requestPort();
  const port = (await arrived).ports[0];
  if (!port) throw new EngineError('internal', 'The shell gave no port.');
  const ended = shellMessage('port-ended', signal).then(
    () => {},
    () => {},
  );
  return connectPort(port, ended);
}

/** Only what this very window says counts: a frame or another page could post anything. */
function shellMessage(kind: PortMessage['holdfast'], signal: AbortSignal): Promise<MessageEvent> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    signal.addEventListener(
      'abort',
      () => {
        stop.abort();
        reject(signal.reason);
      },
      { once: true },
    );
    window.addEventListener(
      'message',
      (event) => {
        if (event.source !== window || event.data?.holdfast !== kind) return;
        stop.abort();
        resolve(event);
      },
      { signal: stop.signal },
    );
  });
}

/** A refused WebSocket says nothing of the reason; a page asked for does. */
async function isSignedOut(): Promise<boolean> {
  const answer = await fetch('/', { method: 'HEAD', redirect: 'manual', cache: 'no-store' });
  return answer.type === 'opaqueredirect' || answer.status === 401;
}

/** Whoever comes back to the page does not wait for the rest. */
function waitOrWake(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = new AbortController();
    const done = () => {
      stop.abort();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const options = { signal: stop.signal };
    signal.addEventListener('abort', done, options);
    window.addEventListener('online', done, options);
    document.addEventListener('visibilitychange', () => !document.hidden && done(), options);
  });
}
