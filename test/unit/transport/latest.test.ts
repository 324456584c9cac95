import { describe, expect, it } from 'vitest';
import type { HostEvent } from '../../../src/api/model/event.ts';
import { EventHub } from '../../../src/transport/latest.ts';
import { logEvent, progressEvent } from './toy-router.ts';

const A = '0b5d4a4e-6d53-4a7c-8d3c-0f4f3a6f0c11';
const B = '1b5d4a4e-6d53-4a7c-8d3c-0f4f3a6f0c11';

async function collect(stream: AsyncIterable<HostEvent>): Promise<HostEvent[]> {
  const got = [];
  for await (const event of stream) got.push(event);
  return got;
}

describe('EventHub', () => {
  it('delivers in order what was published, first what was given at the start', async () => {
    const hub = new EventHub();
    const stream = hub.subscribe(undefined, [logEvent(A, 'first')]);
    for (const text of ['a', 'b', 'c']) hub.publish(logEvent(A, text));
    hub.close();
    expect(await collect(stream)).toEqual(['first', 'a', 'b', 'c'].map((text) => logEvent(A, text)));
  });

  it('lets a waiting listener have an event at once', async () => {
    const hub = new EventHub();
    const stream = hub.subscribe();
    const waiting = [stream.next(), stream.next()];
    hub.publish(logEvent(A, 'a'));
    hub.publish(progressEvent(A, 1));
    expect(await Promise.all(waiting)).toEqual([
      { done: false, value: logEvent(A, 'a') },
      { done: false, value: progressEvent(A, 1) },
    ]);
  });

  it("keeps only the latest of each run's progress, at its place in time", async () => {
    const hub = new EventHub();
    const stream = hub.subscribe();
    hub.publish(progressEvent(A, 1));
    hub.publish(progressEvent(B, 1));
    hub.publish(logEvent(A, 'between'));
    for (let i = 2; i < 5000; i++) hub.publish(progressEvent(A, i));
    hub.close();
    expect(await collect(stream)).toEqual([
      progressEvent(B, 1),
      logEvent(A, 'between'),
      progressEvent(A, 4999),
    ]);
  });

  it('cuts off a listener that falls too far behind, and no other', async () => {
    const hub = new EventHub(10);
    const slow = hub.subscribe();
    const quick = hub.subscribe();
    const got = [];
    for (let i = 0; i < 30; i++) {
      hub.publish(logEvent(A, `${i}`));
      got.push((await quick.next()).value);
    }
    expect(got).toHaveLength(30);
    expect(hub.listeners).toBe(1);
    await expect(slow.next()).rejects.toMatchObject({ code: 'timeout', transient: true });
    hub.close();
    expect(await quick.next()).toEqual({ done: true, value: undefined });
  });

  it('forgets listeners whose signal aborts, who return, or who come too late', async () => {
    const hub = new EventHub();
    const controller = new AbortController();
    const one = hub.subscribe(controller.signal);
    const other = hub.subscribe();
    const waiting = one.next();
    expect(hub.listeners).toBe(2);
    controller.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await other.return(undefined);
    expect(hub.listeners).toBe(0);
    hub.publish(logEvent(A, 'unheard'));
    expect(await collect(hub.subscribe(AbortSignal.abort()))).toEqual([]);
    hub.close();
    expect(await collect(hub.subscribe())).toEqual([]);
    expect(hub.listeners).toBe(0);
  });
});
