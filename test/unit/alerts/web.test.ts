/** Webhook, ntfy and monitor, against a real HTTP server. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Channel, Target } from '../../../src/api/model/alert.ts';
import type { Run } from '../../../src/api/model/run.ts';
import { trustCertificate } from '../../helpers/certificate.ts';
import { backupRunOf } from '../../helpers/host-values.ts';
import { type Behaviour, deadPort, type HttpSinkOptions, startHttpSink } from '../../helpers/http-sink.ts';
import { words } from '../../helpers/smtp.ts';
import { destinationFacts, factsOf, openDesk, START } from './support.ts';

const TOKEN = 'tk_very-secret.token';
const plan = randomUUID();
const usb = randomUUID();
const backup = (state: Run['state'], said: Partial<Run> = {}): Run =>
  backupRunOf(plan, usb, {
    state,
    error: state === 'failed' ? { code: 'unreachable', message: 'No disk.', transient: true } : null,
    ...said,
  });

interface WebOptions extends HttpSinkOptions {
  readonly path?: string;
  readonly secret?: string;
  readonly said?: Partial<Channel>;
  readonly planId?: string;
  readonly hostname?: string;
}

async function webDesk(kind: 'webhook' | 'ntfy' | 'monitor', o: WebOptions = {}) {
  const sink = await startHttpSink(o);
  const desk = openDesk({ desktop: false, ...(o.hostname === undefined ? {} : { hostname: o.hostname }) });
  const url = sink.url + (o.path ?? '/hook');
  const target: Target = kind === 'monitor' ? { kind, url, planId: o.planId ?? null } : { kind, url };
  const channel = await desk.addChannel(target, o.said, o.secret);
  const test = () => desk.alerts.test(channel.id);
  return { sink, desk, channel, test, [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose]() };
}

describe('a webhook', () => {
  it('gets what is documented, with the token', async () => {
    await using it = await webDesk('webhook', { secret: TOKEN, path: '/services/T1?x=1' });
    const run = backup('failed');
    it.desk.alerts.runEnded(run);
    it.desk.alerts.runEnded(backup('succeeded'));
    await it.desk.alerts.settled();
    const [first, second] = it.sink.requests;
    expect(first).toMatchObject({ method: 'POST', path: '/services/T1?x=1' });
    expect(first?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: `Bearer ${TOKEN}`,
      'user-agent': 'Holdfast',
    });
    const body = JSON.parse(first?.body ?? '');
    expect(body).toEqual({
      version: 1,
      event: 'alert',
      id: it.desk.store.alerts.list(9).find((alert) => alert.kind === 'run-failed')?.id,
      kind: 'run-failed',
      subject: `plan:${plan}/destination:${usb}`,
      title: 'The backup of “Documents” to “USB disk” failed',
      text: expect.stringContaining('No disk.'),
      hostname: 'laptop',
      startedAt: new Date(START).toISOString(),
      endedAt: null,
      runId: run.id,
    });
    expect(JSON.parse(second?.body ?? '')).toMatchObject({
      event: 'recovery',
      id: body.id,
      title: 'The backup of “Documents” to “USB disk” went well again',
      endedAt: new Date(START).toISOString(),
    });
  });

  it('gets no authorization where there is no secret', async () => {
    await using it = await webDesk('webhook');
    expect(await it.test()).toEqual({ ok: true, message: expect.stringContaining('has taken the message.') });
    expect(it.sink.requests[0]?.headers.authorization).toBeUndefined();
    expect(JSON.parse(it.sink.requests[0]?.body ?? '')).toMatchObject({
      event: 'test',
      kind: 'test',
      startedAt: null,
    });
  });

  it('goes over TLS whose certificate is trusted, and not otherwise', async () => {
    await using it = await webDesk('webhook', { tls: true, host: 'localhost', secret: TOKEN });
    expect(await it.test()).toEqual({
      ok: false,
      message: expect.stringMatching(/is not trusted by this computer/),
    });
    expect(it.sink.requests).toEqual([]);
    using _ = trustCertificate();
    expect(await it.test()).toMatchObject({ ok: true });
  });
});

describe('redirects', () => {
  it('are followed within the host, with message and token', async () => {
    await using it = await webDesk('webhook', { secret: TOKEN });
    it.sink.answer = ({ path }) =>
      path === '/hook' ? { status: 301, headers: { location: '/hook/' } } : { status: 204 };
    expect(await it.test()).toMatchObject({ ok: true });
    const [first, second] = it.sink.requests;
    expect(second).toMatchObject({ method: 'POST', path: '/hook/', body: first?.body });
    expect(second?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('to another host are not followed', async () => {
    await using it = await webDesk('webhook', { secret: TOKEN });
    await using other = await startHttpSink({ host: 'localhost' });
    it.sink.answer = () => ({ status: 307, headers: { location: `${other.url}/take` } });
    const { ok, message } = await it.test();
    expect(ok).toBe(false);
    expect(message).toContain(`redirects to http://localhost:${other.port}, which was not followed.`);
    expect(other.requests).toEqual([]);
  });

  it('to another port or scheme of the host are not followed either', async () => {
    await using it = await webDesk('webhook', { secret: TOKEN });
    await using other = await startHttpSink();
    for (const location of [`${other.url}/take`, 'file:///etc/passwd']) {
      it.sink.answer = () => ({ status: 302, headers: { location } });
      expect(await it.test()).toMatchObject({ ok: false });
    }
    expect(other.requests).toEqual([]);
  });

  it('in circles end', async () => {
    await using it = await webDesk('webhook');
    it.sink.answer = () => ({ status: 302, headers: { location: '/hook' } });
    expect(await it.test()).toEqual({ ok: false, message: expect.stringContaining('redirects in circles') });
    expect(it.sink.requests).toHaveLength(4);
  });
});

describe('a test says what to do', () => {
  const answers: readonly [Behaviour, RegExp][] = [
    [{ status: 401 }, /refuses access \(401\)\. See whether the token is right/],
    [{ status: 403 }, /refuses access \(403\)/],
    [{ status: 404 }, /has nothing at this address \(404\)/],
    [{ status: 400, body: TOKEN }, /does not take the message \(400\)/],
    [{ status: 429, headers: { 'retry-after': '7' } }, /gets too many messages \(429\)/],
    [{ status: 500 }, /has a fault of its own \(500\)/],
    ['reset', /^The connection to 127\.0\.0\.1:\d+ failed/],
  ];
  it.each(answers)('about %j', async (answer, expected) => {
    await using it = await webDesk('ntfy', { secret: TOKEN, path: '/private-topic' });
    it.sink.answer = () => answer;
    const result = await it.test();
    expect(result).toEqual({ ok: false, message: expect.stringMatching(expected) });
    expect(it.desk.channel(it.channel.id).lastResult).toEqual({ at: START, ...result });
    expect(JSON.stringify(result)).not.toMatch(/private-topic|secret/);
  });

  it('about a server that never answers', async () => {
    await using it = await webDesk('webhook');
    it.sink.answer = () => 'hang';
    const result = it.test();
    await it.sink.received(1);
    await it.desk.clock.advance(10_000);
    expect(await result).toEqual({
      ok: false,
      message: expect.stringContaining('did not answer within 10 seconds'),
    });
  });

  const addresses: readonly [string, string | undefined, RegExp][] = [
    ['file:///etc/passwd', undefined, /has to begin with https/],
    ['nonsense', undefined, /This is not an address/],
    ['https://ann:hunter2@example.org/', undefined, /holds a user name or a password/],
    ['http://127.0.0.1:1/', 'two words\r\nX-Evil: 1', /token holds blanks/],
    ['http://127.0.0.1:1/', 'tökén', /token holds blanks/],
  ];
  it.each(addresses)('about the address %s', async (url, secret, expected) => {
    const desk = openDesk({ desktop: false });
    const channel = await desk.addChannel({ kind: 'webhook', url: 'https://example.org/' }, {}, secret);
    // What the contract refuses may still stand in an old diary.
    const get = desk.store.channels.get.bind(desk.store.channels);
    desk.store.channels.get = (id) => ({ ...channel, ...get(id), target: { kind: 'webhook', url } });
    desk.store.channels.put = () => undefined;
    const { ok, message } = await desk.alerts.test(channel.id);
    expect(ok).toBe(false);
    expect(message).toMatch(expected);
    expect(message).not.toMatch(/hunter2|Evil|tökén/);
  });

  it('about a port where nobody listens', async () => {
    const desk = openDesk({ desktop: false });
    const channel = await desk.addChannel({
      kind: 'ntfy',
      url: `http://127.0.0.1:${await deadPort()}/topic`,
    });
    expect(await desk.alerts.test(channel.id)).toEqual({
      ok: false,
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ refuses the connection/),
    });
  });

  it('about a computer without a desktop', async () => {
    const desk = openDesk({ desktop: false });
    const channel = await desk.addChannel({ kind: 'desktop' });
    expect(await desk.alerts.test(channel.id)).toEqual({
      ok: false,
      message: expect.stringContaining('There is no desktop here.'),
    });
    const home = openDesk();
    const here = await home.addChannel({ kind: 'desktop' });
    expect(await home.alerts.test(here.id)).toMatchObject({ ok: true });
    expect(home.notes).toEqual([
      expect.objectContaining({ title: 'This is a test', alert: null, fix: null }),
    ]);
  });
});

describe('ntfy', () => {
  it('gets the text, and the rest in headers that any name can pass', async () => {
    await using it = await webDesk('ntfy', { secret: TOKEN, path: '/topic', hostname: 'büro' });
    const planName = 'Grüße\r\nX-Evil: 1 🙂 '.repeat(4);
    it.desk.alerts.runEnded(backup('failed', { planName }));
    it.desk.alerts.runEnded(backup('succeeded', { planName }));
    await it.desk.alerts.settled();
    const [first, second] = it.sink.requests;
    expect(first).toMatchObject({
      method: 'POST',
      path: '/topic',
      headers: { priority: '4', tags: 'warning', authorization: `Bearer ${TOKEN}` },
      body: expect.stringContaining('No disk.\nWhat has changed'),
    });
    expect(first?.headers['x-evil']).toBeUndefined();
    expect(first?.headers.title).toMatch(/^[\x20-\x7e]+$/);
    expect(words(String(first?.headers.title))).toMatch(
      /^büro: The backup of “Grüße X-Evil: 1 🙂 Grüße .*failed$/,
    );
    expect(second?.headers).toMatchObject({ priority: '3', tags: 'white_check_mark' });
  });

  it('shows a plain title as it is', async () => {
    await using it = await webDesk('ntfy');
    await it.test();
    expect(it.sink.requests[0]?.headers).toMatchObject({ title: 'laptop: This is a test', tags: 'bell' });
  });
});

describe('a monitor', () => {
  const paths = (requests: readonly { method: string; path: string }[]) =>
    requests.map(({ method, path }) => `${method} ${path}`);

  it('hears of start, success and failure of backups, with a few words, and of nothing else', async () => {
    await using it = await webDesk('monitor', { path: '/ping/abc?create=1' });
    it.desk.alerts.runStarted(backup('running'), 'Documents');
    it.desk.alerts.runEnded(backup('succeeded'));
    it.desk.alerts.runEnded(backup('warnings', { problemCount: 2 }));
    it.desk.alerts.runEnded(backup('failed'));
    it.desk.alerts.runEnded(backup('cancelled'));
    it.desk.alerts.runEnded(backup('interrupted'));
    const check = { ...backup('failed'), task: { kind: 'check', destinationId: usb, percent: 10 } } as const;
    it.desk.alerts.runStarted(check, 'Documents');
    it.desk.alerts.runEnded(check);
    it.desk.alerts.evaluate(
      factsOf(it.desk.clock, {
        destinations: [destinationFacts({ space: { free: 1, total: 2, at: START } })],
      }),
    );
    await it.desk.alerts.settled();
    expect(paths(it.sink.requests)).toEqual([
      'POST /ping/abc/start?create=1',
      'POST /ping/abc?create=1',
      'POST /ping/abc?create=1',
      'POST /ping/abc/fail?create=1',
    ]);
    expect(it.sink.requests.map((request) => request.body)).toEqual([
      'The backup of “Documents” to “USB disk” has started.',
      'The backup of “Documents” to “USB disk” went well.',
      'The backup of “Documents” to “USB disk” ended with 2 problems.',
      'The backup of “Documents” to “USB disk” failed: No disk.',
    ]);
  });

  it('of one plan hears of no other', async () => {
    await using it = await webDesk('monitor', { planId: plan });
    it.desk.alerts.runEnded(backupRunOf(randomUUID(), usb));
    it.desk.alerts.runEnded(backup('succeeded'));
    await it.desk.alerts.settled();
    expect(it.sink.requests).toHaveLength(1);
  });

  it('that takes no POST gets a GET', async () => {
    await using it = await webDesk('monitor');
    it.sink.answer = ({ method }) => ({ status: method === 'GET' ? 200 : 405 });
    it.desk.alerts.runEnded(backup('succeeded'));
    await it.desk.alerts.settled();
    expect(paths(it.sink.requests)).toEqual(['POST /hook', 'GET /hook']);
    expect(it.desk.channel(it.channel.id).lastResult).toMatchObject({ ok: true });
  });

  it('is tested without a false report, where it can be', async () => {
    await using it = await webDesk('monitor');
    expect(await it.test()).toEqual({ ok: true, message: expect.stringContaining('has taken the ping.') });
    it.sink.answer = ({ path }) => ({ status: path === '/hook' ? 200 : 404 });
    expect(await it.test()).toEqual({
      ok: true,
      message: expect.stringContaining('may count as a backup that went well'),
    });
    expect(paths(it.sink.requests)).toEqual(['POST /hook/log', 'POST /hook/log', 'POST /hook']);
  });
});
