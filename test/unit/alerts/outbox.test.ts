/** Queues: order, patience, bounds; and that one channel never holds up another. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createOutbox, QUEUE_LIMIT, RETRY_PAUSES_MS } from '../../../src/alerts/outbox.ts';
import { EngineError } from '../../../src/api/errors.ts';
import type { Run } from '../../../src/api/model/run.ts';
import { backupRunOf } from '../../helpers/host-values.ts';
import { startHttpSink } from '../../helpers/http-sink.ts';
import { until } from '../../helpers/until.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { factsOf, HOUR, openDesk, planFacts, START } from './support.ts';

const passing = (context = {}) => new EngineError('unreachable', 'No answer.', { transient: true, context });
const lasting = () => new EngineError('permission', 'Wrong password.');

/** An outbox whose channels fail as the test says, and what it did, with times since the start. */
function boxOf(failure: (channelId: string, attempt: number) => EngineError | undefined) {
  const clock = new VirtualClock(START);
  const tries: string[] = [];
  const lost: string[] = [];
  const outbox = createOutbox<string>({
    clock,
    deliver: async (channelId, message) => {
      tries.push(`${channelId} ${message} ${clock.now() - START}`);
      const error = failure(channelId, tries.length);
      if (error) throw error;
    },
    worthRetrying: (message) => message !== 'fleeting',
    onLost: (channelId, message, error) => lost.push(`${channelId} ${message} ${error?.code ?? 'full'}`),
  });
  return { clock, tries, lost, outbox };
}

describe('a queue', () => {
  it('keeps the order while it tries again, and gives up after a few hours', async () => {
    const { clock, tries, lost, outbox } = boxOf(() => passing());
    outbox.add('a', 'one');
    outbox.add('a', 'two');
    await clock.advance(24 * HOUR);
    await outbox.settled();
    const sum = (pauses: readonly number[]) => pauses.reduce((all, pause) => all + pause, 0);
    const times = [0, ...RETRY_PAUSES_MS.map((_, i) => sum(RETRY_PAUSES_MS.slice(0, i + 1)))];
    const total = times.at(-1) ?? 0;
    expect(total).toBeGreaterThan(4 * HOUR);
    expect(tries).toEqual([
      ...times.map((time) => `a one ${time}`),
      ...times.map((time) => `a two ${total + time}`),
    ]);
    expect(lost).toEqual(['a one unreachable', 'a two unreachable']);
    expect(clock.sleepers).toBe(0);
  });

  it('goes on once the channel is back', async () => {
    const { clock, tries, lost, outbox } = boxOf((_, attempt) => (attempt < 3 ? passing() : undefined));
    outbox.add('a', 'one');
    outbox.add('a', 'two');
    await clock.advance(HOUR);
    expect(tries).toEqual(['a one 0', 'a one 30000', 'a one 150000', 'a two 150000']);
    expect(lost).toEqual([]);
  });

  it('does not repeat what will fail again, nor what is worth nothing later', async () => {
    const { clock, tries, lost, outbox } = boxOf((channel) => (channel === 'a' ? lasting() : passing()));
    outbox.add('a', 'one');
    outbox.add('b', 'fleeting');
    await clock.advance(24 * HOUR);
    expect(tries).toEqual(['a one 0', 'b fleeting 0']);
    expect(lost).toEqual(['a one permission', 'b fleeting unreachable']);
  });

  it('waits as long as the server asks', async () => {
    const { clock, tries, outbox } = boxOf((_, attempt) =>
      attempt === 1 ? passing({ retryAfterSeconds: 300 }) : undefined,
    );
    outbox.add('a', 'one');
    await clock.advance(HOUR);
    expect(tries).toEqual(['a one 0', 'a one 300000']);
  });

  it('does not hold up another', async () => {
    const { tries, outbox } = boxOf((channel) => (channel === 'a' ? passing() : undefined));
    for (const channel of ['a', 'b', 'a', 'b']) outbox.add(channel, 'x');
    await until(() => tries.length === 3);
    expect(tries).toEqual(['a x 0', 'b x 0', 'b x 0']);
    await outbox.close();
  });

  it('that is full loses its oldest', async () => {
    const { lost, outbox } = boxOf(() => passing());
    for (let i = 0; i < QUEUE_LIMIT + 3; i++) outbox.add('a', String(i));
    expect(lost).toEqual(['a 1 full', 'a 2 full']);
    await outbox.close();
  });

  it('that is closed ends at once, and takes nothing more', async () => {
    const { clock, tries, lost, outbox } = boxOf(() => passing());
    outbox.add('a', 'one');
    outbox.add('a', 'two');
    await clock.advance(1);
    await outbox.close();
    outbox.add('a', 'three');
    await outbox.settled();
    expect([tries, lost, clock.sleepers]).toEqual([['a one 0'], [], 0]);
  });
});

const backup = (state: Run['state']): Run =>
  backupRunOf(plan, usb, {
    state,
    error: state === 'failed' ? { code: 'io', message: 'It broke.', transient: false } : null,
  });
const plan = randomUUID();
const usb = randomUUID();

describe('channels', () => {
  it('that hang do not delay who tells, nor the others', async () => {
    await using sink = await startHttpSink();
    sink.answer = () => 'hang';
    const desk = openDesk();
    const dead = await desk.addChannel({ kind: 'webhook', url: sink.url });
    desk.alerts.runEnded(backup('failed'));
    desk.alerts.runEnded(backup('succeeded'));
    await until(() => desk.notes.length === 2);
    expect(desk.channel(dead.id).lastResult).toBeNull();
    await sink.received(1);
    await desk.clock.advance(10_000);
    await desk.alerts.settled();
    expect(desk.channel(dead.id).lastResult).toMatchObject({ at: START + 10_000, ok: false });
    sink.answer = () => ({ status: 200 });
    await desk.clock.advance(30_000);
    await desk.alerts.settled();
    expect(sink.requests).toHaveLength(3);
    expect(desk.channel(dead.id).lastResult).toMatchObject({ at: START + 40_000, ok: true });
  });

  it('that ask for time get it, and are told later', async () => {
    await using sink = await startHttpSink();
    sink.answer = () => ({ status: 429, headers: { 'retry-after': '3600' } });
    const desk = openDesk({ desktop: false });
    await desk.addChannel({ kind: 'ntfy', url: sink.url });
    desk.alerts.runEnded(backup('failed'));
    await desk.alerts.settled();
    sink.answer = () => ({ status: 200 });
    await desk.clock.advance(HOUR - 1);
    expect(sink.requests).toHaveLength(1);
    await desk.clock.advance(1);
    await desk.alerts.settled();
    expect(sink.requests).toHaveLength(2);
  });

  it('hear only of the kinds they want, and of nothing while switched off', async () => {
    const desk = openDesk({ desktop: false });
    await using sink = await startHttpSink();
    const webhook = (path: string) => ({ kind: 'webhook', url: `${sink.url}/${path}` }) as const;
    await desk.addChannel(webhook('failed'), { on: ['run-failed'] });
    await desk.addChannel(webhook('days'), { on: ['no-backup'] });
    await desk.addChannel(webhook('off'), { enabled: false });
    desk.alerts.runEnded(backup('failed'));
    desk.alerts.runEnded(backup('succeeded'));
    await desk.alerts.settled();
    expect(sink.requests.map((request) => request.path)).toEqual(['/failed', '/failed']);
  });

  it.each(['switched off', 'gone'])('that are %s meanwhile are not told what waits for them', async (how) => {
    await using sink = await startHttpSink();
    sink.answer = () => ({ status: 503 });
    const desk = openDesk({ desktop: false });
    const channel = await desk.addChannel({ kind: 'webhook', url: sink.url });
    desk.alerts.runEnded(backup('failed'));
    await desk.alerts.settled();
    if (how === 'gone') desk.store.channels.remove(channel.id);
    else desk.store.channels.put({ ...channel, enabled: false });
    await desk.clock.advance(24 * HOUR);
    expect(sink.requests).toHaveLength(1);
    expect(desk.clock.sleepers).toBe(0);
    expect(desk.store.channels.get(channel.id)?.lastResult ?? null).toBeNull();
  });

  it('that are changed while a message is under way keep the change', async () => {
    await using sink = await startHttpSink();
    sink.answer = () => 'hang';
    const desk = openDesk({ desktop: false });
    const channel = await desk.addChannel({ kind: 'webhook', url: sink.url });
    const result = desk.alerts.test(channel.id);
    await sink.received(1);
    desk.store.channels.put({ ...channel, name: 'renamed' });
    await desk.clock.advance(10_000);
    await result;
    expect(desk.channel(channel.id)).toMatchObject({ name: 'renamed', lastResult: { ok: false } });
  });

  it('that could not be told are named in the log, without address or secret', async () => {
    await using sink = await startHttpSink();
    sink.answer = () => ({ status: 403 });
    const desk = openDesk({ desktop: false });
    await desk.addChannel(
      { kind: 'webhook', url: `${sink.url}/key-in-path` },
      { name: 'Office' },
      'the-secret',
    );
    desk.alerts.runEnded(backup('failed'));
    await desk.alerts.settled();
    expect(desk.log).toEqual([
      expect.stringMatching(
        /^The channel “Office” was not told “The backup .* failed”: 127.0.0.1:\d+ refuses access/,
      ),
    ]);
    expect(desk.log.join()).not.toMatch(/key-in-path|the-secret/);
  });

  it('survive a secret store and a desktop that fail', async () => {
    const desk = openDesk();
    await desk.addChannel({ kind: 'webhook', url: 'http://127.0.0.1:1/' });
    desk.secrets.get = () => Promise.reject(new Error('sesame'));
    desk.notes.push = () => {
      throw new TypeError('sesame');
    };
    desk.alerts.runEnded(backup('failed'));
    await desk.alerts.settled();
    expect(desk.results).toEqual(Array(2).fill(expect.stringContaining('Holdfast has a fault')));
    expect(JSON.stringify([desk.log, desk.store.channels.list()])).not.toContain('sesame');
  });
});

describe('a monitor', () => {
  it('hears of a start at once or not at all, of an end also later', async () => {
    await using sink = await startHttpSink();
    sink.answer = () => ({ status: 503 });
    const desk = openDesk({ desktop: false });
    await desk.addChannel({ kind: 'monitor', url: `${sink.url}/p`, planId: null });
    desk.alerts.runStarted(backup('running'), 'Documents');
    desk.alerts.runEnded(backup('succeeded'));
    await desk.alerts.settled();
    sink.answer = () => ({ status: 200 });
    await desk.clock.advance(30_000);
    await desk.alerts.settled();
    expect(sink.requests.map((request) => request.path)).toEqual(['/p/start', '/p', '/p']);
  });
});

describe('a restart', () => {
  it('tells what a channel may have missed, and only that', async () => {
    await using sink = await startHttpSink();
    sink.answer = () => ({ status: 503 });
    const desk = openDesk();
    const away = await desk.addChannel({ kind: 'webhook', url: sink.url });
    desk.alerts.evaluate(
      factsOf(desk.clock, { plans: [planFacts({ id: plan, lastSuccessAt: START - 5 * 24 * HOUR })] }),
    );
    await desk.alerts.settled();
    expect(desk.notes).toHaveLength(1);
    expect(desk.channel(away.id).lastResult).toMatchObject({ ok: false });
    sink.answer = () => ({ status: 200 });
    const second = await desk.restart();
    expect(await second.titles()).toEqual([]);
    expect(sink.requests).toHaveLength(2);
    expect(JSON.parse(sink.requests[1]?.body ?? '')).toMatchObject({ event: 'alert', kind: 'no-backup' });
    const third = await second.restart();
    expect(await third.titles()).toEqual([]);
    expect(sink.requests).toHaveLength(2);
  });
});
