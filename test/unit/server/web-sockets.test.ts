import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connectWebSocket } from '../../../src/transport/web-socket.ts';
import { type Started, sameOrigin, start, stopAll } from './fixture.ts';

afterEach(stopAll);

const urlOf = ({ server }: Started, path = '/ws') => `ws://127.0.0.1:${server.port}${path}`;
const ours = async (started: Started) => ({
  cookie: await started.cookie(),
  ...sameOrigin(started.server.port),
});

/** The status with which a WebSocket is refused, or 101. */
function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_, res) => {
      expect(res.headers['x-content-type-options']).toBe('nosniff');
      res.resume();
      resolve(res.statusCode ?? 0);
    });
    socket.on('error', reject);
  });
}

async function opened(started: Started, headers?: Readonly<Record<string, string>>): Promise<WebSocket> {
  const socket = new WebSocket(urlOf(started), { headers: headers ?? (await ours(started)) });
  await new Promise((resolve) => socket.once('open', resolve));
  return socket;
}

const closeOf = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve));

describe('a WebSocket', () => {
  it('is opened for who is signed in and comes from a page of ours', async () => {
    const started = await start();
    const headers = await ours(started);
    const { origin, cookie } = headers;
    expect(await statusOf(urlOf(started), headers)).toBe(101);
    expect(await statusOf(urlOf(started), { origin })).toBe(401);
    expect(await statusOf(urlOf(started), { origin, cookie: `${cookie}x` })).toBe(401);
    for (const foreign of ['http://evil.example', 'null', 'http://127.0.0.1', `${origin}.evil.example`]) {
      expect(await statusOf(urlOf(started), { cookie, origin: foreign }), foreign).toBe(403);
    }
    expect(await statusOf(urlOf(started), { cookie })).toBe(403);
    const rebound = { ...headers, host: 'evil.example', origin: 'http://evil.example' };
    expect(await statusOf(urlOf(started), rebound)).toBe(421);
    expect(await statusOf(urlOf(started, '/other'), headers)).toBe(404);
    expect(await statusOf(urlOf(started, '/ws%00'), headers)).toBe(400);
    expect(await statusOf(urlOf(started, '/?token=x'), headers)).toBe(404);
  });

  it('carries calls and streams, and aborts them when it drops', async () => {
    const started = await start();
    const { client, close } = await connectWebSocket(urlOf(started), { headers: await ours(started) });
    expect(await client.destinations.test({ location: 'x' })).toMatchObject({ repository: true });
    const call = client.destinations.test({ location: 'hang' }).catch((e: { code: string }) => e.code);
    await started.probe.begun.promise;
    await close();
    expect(await call).toBe('unreachable');
    await started.probe.aborted.promise;
  });

  it('is closed when too much comes at once, in one piece or in many', async () => {
    const started = await start();
    const large = await opened(started);
    large.send('x'.repeat(8 * 1024 * 1024 + 1));
    expect(await closeOf(large)).toBe(1009);
    const many = await opened(started);
    const call = JSON.stringify({ i: '1', p: { u: '/destinations/test', b: { json: { location: 'x' } } } });
    for (let i = 0; i < 2000; i++) many.send(call.replace('"1"', `"${i}"`));
    expect(await closeOf(many)).toBe(1008);
    expect(started.probe.calls).toBeLessThanOrEqual(500);
    const hanging = await opened(started);
    const hang = call.replace('"x"', '"hang"');
    for (let i = 0; i < 201; i++) hanging.send(hang.replace('"1"', `"${i}"`));
    expect(await closeOf(hanging)).toBe(1008);
    await started.probe.aborted.promise;
    const nonsense = await opened(started);
    nonsense.send('{"i":"1","t":3}');
    expect(await closeOf(nonsense)).toBe(1008);
    expect((await started.ask('/healthz')).status).toBe(200);
  });

  it('is one of sixty-four at most', async () => {
    const started = await start();
    const headers = await ours(started);
    const sockets = await Promise.all(Array.from({ length: 64 }, () => opened(started, headers)));
    expect(await statusOf(urlOf(started), headers)).toBe(503);
    const [first] = sockets;
    first?.terminate();
    while ((await statusOf(urlOf(started), headers)) === 503);
    for (const socket of sockets) socket.terminate();
  });

  it('ends with the session it was opened by, and no other', async () => {
    const started = await start();
    const mine = await ours(started);
    const socket = await opened(started, mine);
    const other = await opened(started);
    const closed = closeOf(socket);
    await started.ask('/sign-out', { method: 'POST', headers: mine });
    expect(await closed).toBe(1008);
    expect(other.readyState).toBe(WebSocket.OPEN);
    const all = closeOf(other);
    await started.server.signOutAll();
    expect(await all).toBe(1008);
  });

  it('keeps its session from expiring while it answers, and is dropped when it does not', async () => {
    const started = await start();
    const headers = await ours(started);
    const socket = await opened(started, headers);
    for (let i = 0; i < 3; i++) {
      const ponged = new Promise((resolve) => socket.once('ping', resolve));
      started.clock.pass(20 * 86_400_000);
      await ponged;
      // A call's answer comes after the pong has been seen.
      socket.send(
        JSON.stringify({ i: `${i}`, p: { u: '/destinations/test', b: { json: { location: 'x' } } } }),
      );
      await new Promise((resolve) => socket.once('message', resolve));
    }
    expect((await started.ask('/metrics', { headers })).status).toBe(200);
    const silent = new WebSocket(urlOf(started), { headers, autoPong: false });
    await new Promise((resolve) => silent.once('open', resolve));
    const closed = closeOf(silent);
    const pinged = new Promise((resolve) => silent.once('ping', resolve));
    started.clock.pass(30_000);
    await pinged;
    started.clock.pass(30_000);
    expect(await closed).toBe(1006);
    socket.terminate();
  });

  it('is told when the server closes; who does not listen is cut off', async () => {
    const started = await start();
    const polite = await opened(started);
    const stuck = await opened(started);
    stuck.pause();
    const [told, closed] = [closeOf(polite), started.server.close()];
    expect(await told).toBe(1001);
    started.clock.pass(5000);
    await closed;
    stuck.terminate();
  });
});
