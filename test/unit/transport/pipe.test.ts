import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { HostEvent } from '../../../src/api/model/event.ts';
import { messagePortClient, serveMessagePort } from '../../../src/transport/message-port.ts';
import { pipeClient } from '../../../src/transport/pipe-client.ts';
import { type PipeServerOptions, pipeServer } from '../../../src/transport/pipe-server.ts';
import { connectSocket, connectWebSocket, webSocketPipe } from '../../../src/transport/web-socket.ts';
import { useTemp } from '../../helpers/scope.ts';
import { until } from '../../helpers/until.ts';
import { logEvent, progressEvent, type Toy, toy } from './toy-router.ts';

const RUN = '0b5d4a4e-6d53-4a7c-8d3c-0f4f3a6f0c11';
const temp = useTemp();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listening(made: Toy, limits?: PipeServerOptions['limits']): Promise<string> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const serve = pipeServer(made.router, { ...made.probe, ...(limits && { limits }) });
  sockets.on('connection', (socket) => serve(webSocketPipe(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    return new Promise((resolve) => server.close(resolve));
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function rawSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await new Promise((resolve) => socket.once('open', resolve));
  closers.push(() => socket.terminate());
  return socket;
}

const HOSTILE = [
  'not json',
  '',
  '[]',
  'null',
  '7',
  '{}',
  '{"i":1,"p":{"u":"/plans/list"}}',
  '{"i":"1","p":{"u":"http://elsewhere/plans/list"}}',
  '{"i":"1","p":{"u":"/plans/list","m":"GET"}}',
  '{"i":"1","p":{"u":"/config/import","h":{"content-type":"text/event-stream"}}}',
  '{"i":"1","p":{"u":"/config/import","h":{"content-disposition":"attachment"}}}',
  '{"i":"1","t":3,"p":{"e":"message","d":1}}',
  '{"i":"1","t":9,"p":{}}',
  '{"i":"1","p":{"u":"/destinations/test"}}',
  `{"i":"${'1'.repeat(100)}","p":{"u":"/plans/list"}}`,
  '{"i":"1","p":{"u":"/plans/list"},"__proto__":{"x":1}}',
];

describe('a pipe at the host', () => {
  it.each(HOSTILE)('is closed when %s comes in', async (text) => {
    const made = toy();
    const socket = await rawSocket(await listening(made));
    socket.send(text);
    const [code] = await new Promise<[number]>((resolve) => socket.once('close', (c) => resolve([c])));
    expect(code).toBe(1008);
    expect(made.probe.calls).toBe(0);
  });

  it('is closed when bytes come in', async () => {
    const socket = await rawSocket(await listening(toy()));
    socket.send(Buffer.from([255, 0, 255]));
    expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(1003);
  });

  it.each([...HOSTILE, { i: '1', p: undefined }, null, new Uint8Array([255])])(
    'survives %j on a port',
    async (message) => {
      const made = toy();
      const { port1, port2 } = new MessageChannel();
      serveMessagePort(made.router, port1, made.probe);
      port2.postMessage(message);
      await closed(port2);
      expect(made.probe.calls).toBe(0);
    },
  );

  it.each([
    ['a malformed body', '{"i":"1","p":{"u":"/destinations/test","b":{"json":null,"meta":[[1,"x","y"]]}}}'],
    ['a body that is none', '{"i":"1","p":{"u":"/destinations/test","b":7}}'],
    ['a path with a bad escape', '{"i":"1","p":{"u":"/destinations/%zz","b":{"json":{}}}}'],
  ])('answers %s with an error', async (_, text) => {
    const made = toy();
    const socket = await rawSocket(await listening(made));
    socket.send(text);
    const answer = await new Promise((resolve) =>
      socket.once('message', (data) => resolve(JSON.parse(String(data)))),
    );
    expect(answer).toMatchObject({ i: '1', p: { s: expect.any(Number) } });
    expect(made.probe.calls).toBe(0);
    expect(made.probe.faults).toEqual([]);
  });

  it('cuts off who has too many calls under way', async () => {
    const made = toy();
    const clock = { now: () => 0, sleep: () => Promise.reject(new Error('not to be waited for')) };
    const url = await listening(made, { clock, underWay: 5, perSecond: 1000, burst: 1000 });
    const { client, closed: gone } = await connectWebSocket(url);
    const calls = Array.from({ length: 6 }, () => client.destinations.test({ location: 'hang' }));
    const results = await Promise.allSettled(calls);
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(
      Array(6).fill('unreachable'),
    );
    await made.probe.aborted.promise;
    expect(made.probe.calls).toBe(5);
    await gone;
  });

  it('cuts off who sends too fast, not who sends as much in time', async () => {
    let now = 0;
    const clock = { now: () => now, sleep: () => Promise.reject(new Error('not to be waited for')) };
    const url = await listening(toy(), { clock, underWay: 100, perSecond: 10, burst: 20 });
    const { client } = await connectWebSocket(url);
    const ask = () => client.destinations.test({ location: 'x' });
    for (let i = 0; i < 60; i++) {
      await ask();
      now += 100;
    }
    for (let i = 0; i < 20; i++) await ask();
    await expect(ask()).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('lets a stuck reader have only the latest progress', async () => {
    const made = toy();
    const url = await listening(made);
    const socket = new WebSocket(url);
    closers.push(() => socket.terminate());
    const client = pipeClient(webSocketPipe(socket));
    const stream = await client.system.events();
    const first = stream.next();
    while (made.hub.listeners === 0) await new Promise(setImmediate);
    socket.pause();
    const big = { ...progressEvent(RUN, 0), progress: { phase: 'x'.repeat(100_000) } };
    const event = (filesDone: number): HostEvent => {
      const whole = progressEvent(RUN, filesDone);
      if (whole.kind !== 'progress') throw new Error('no progress');
      return { ...whole, progress: { ...whole.progress, phase: big.progress.phase } };
    };
    const published = 1000; // 100 MB, far more than the system takes for a reader
    for (let i = 0; i < published; i++) {
      made.hub.publish(event(i));
      await new Promise(setImmediate);
    }
    made.hub.publish(logEvent(RUN, 'the end'));
    socket.resume();
    const got = [(await first).value as HostEvent];
    while (got.at(-1)?.kind !== 'log') got.push((await stream.next()).value as HostEvent);
    expect(got.length).toBeLessThan(published / 2);
    expect(got.at(-2)).toEqual(event(published - 1));
    await stream.return?.(undefined);
  });
});

describe('a pipe at the client', () => {
  it('is closed when the host talks nonsense', async () => {
    const { port1, port2 } = new MessageChannel();
    const client = messagePortClient(port2);
    const call = client.system.status();
    port1.on('message', () => port1.postMessage('nonsense'));
    await expect(call).rejects.toMatchObject({ code: 'unreachable' });
    await expect(client.system.status()).rejects.toMatchObject({ code: 'unreachable', transient: true });
  });

  it('fails with unreachable where nobody listens', async () => {
    const path = process.platform === 'win32' ? '\\\\.\\pipe\\holdfast-nobody' : `${temp.dir()}/none`;
    await expect(connectSocket(path)).rejects.toMatchObject({ code: 'unreachable', transient: true });
  });

  it('gives up connecting when its signal aborts', async () => {
    const controller = new AbortController();
    const server = createServer(); // takes the connection and never answers
    server.on('upgrade', () => controller.abort(new Error('enough')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(connectWebSocket(url, controller)).rejects.toMatchObject({ message: 'enough' });
  });

  it('tells when it has been closed', async () => {
    const { client, closed: gone, close } = await connectWebSocket(await listening(toy()));
    await client.destinations.test({ location: 'x' });
    await close();
    await gone;
    await expect(client.destinations.test({ location: 'x' })).rejects.toMatchObject({ code: 'unreachable' });
  });
});

const closed = (port: MessagePort) => new Promise<void>((resolve) => port.once('close', () => resolve()));

describe('a client', () => {
  it('may leave its stream and close at once; calls after that find nobody', async () => {
    const made = toy();
    const { client, close } = await connectWebSocket(await listening(made));
    const events = await client.system.events();
    await until(() => made.hub.listeners > 0);
    made.hub.publish(logEvent(RUN, 'the first'));
    for await (const event of events) {
      expect(event.kind).toBe('log');
      break;
    }
    await close();
    await expect(client.plans.list()).rejects.toMatchObject({ code: 'unreachable' });
    // What is thrown where nobody catches it is seen by then.
    await new Promise((resolve) => setImmediate(resolve));
  });
});
