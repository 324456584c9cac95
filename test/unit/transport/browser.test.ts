import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { connectBrowserSocket, connectPort } from '../../../src/transport/browser.ts';
import { serveMessagePort } from '../../../src/transport/message-port.ts';
import type { WebPort } from '../../../src/transport/port-pipe.ts';
import { toy } from './toy-router.ts';

const RULE = { sources: [{ kind: 'path' as const, path: '/' }], rules: {}, path: '/x' };
const never = new Promise<void>(() => {});

function channel() {
  const { router, probe } = toy();
  const { port1, port2 } = new MessageChannel();
  serveMessagePort(router, port1 as unknown as WebPort, probe);
  return { host: port1, port: port2 as unknown as WebPort };
}

describe('a connection over a port', () => {
  it('carries calls, and ends with the other side', async () => {
    const { host, port } = channel();
    const connection = connectPort(port, never);
    expect(await connection.client.plans.testRule(RULE)).toMatchObject({ path: '/x' });
    host.close();
    await connection.closed;
    await expect(connection.client.plans.testRule(RULE)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('ends when the shell says that the host has gone, even if no port says so', async () => {
    const { port } = channel();
    let gone = () => {};
    const ended = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const connection = connectPort(port, ended);
    await connection.client.plans.testRule(RULE);
    gone();
    await connection.closed;
    await expect(connection.client.plans.testRule(RULE)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('fails what is under way then, also where a port does not hear that it was closed here', async () => {
    const { port2 } = new MessageChannel();
    // As in browsers, where only the other end hears it.
    const deaf: WebPort = {
      postMessage: (message) => port2.postMessage(message),
      addEventListener: () => {},
      close: () => port2.close(),
    };
    const { promise: ended, resolve: gone } = Promise.withResolvers<void>();
    const { client, closed } = connectPort(deaf, ended);
    const asked = client.plans.testRule(RULE);
    gone();
    await closed;
    await expect(asked).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a connection over a WebSocket of the platform', () => {
  it('fails with a sentence when nobody answers', async () => {
    // Port 9 (discard) of this machine: nobody listens there.
    const attempt = connectBrowserSocket('ws://127.0.0.1:9/ws', new AbortController().signal);
    await expect(attempt).rejects.toMatchObject({ code: 'unreachable', transient: true });
  });

  it('is not waited for after an abort', async () => {
    await expect(connectBrowserSocket('ws://127.0.0.1:9/ws', AbortSignal.abort())).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});
