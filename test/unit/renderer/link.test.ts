import { describe, expect, it } from 'vitest';
import { HostLink, type LinkPorts, type LinkState } from '../../../renderer/data/link.ts';
import { EngineError, isEngineError } from '../../../src/api/errors.ts';
import type { HostEvent } from '../../../src/api/model/event.ts';
import { EventHub } from '../../../src/transport/latest.ts';
import { planOf } from '../../helpers/host-values.ts';
import { until } from '../../helpers/until.ts';

const EVENT: HostEvent = { kind: 'plan', plan: planOf() };

/** A host that can be unplugged, and a link to it whose waits end when the test says so. */
function stage(said: Partial<LinkPorts> = {}) {
  let hub = new EventHub();
  const stop = new AbortController();
  const waits: number[] = [];
  const go: (() => void)[] = [];
  const states: LinkState[] = [];
  const heard: HostEvent[] = [];
  let connected = 0;
  let closed = 0;
  const client = {
    system: { events: async (_: undefined, o: { signal: AbortSignal }) => hub.subscribe(o.signal) },
  };
  const link = new HostLink({
    open: async () => ({
      client: client as unknown as HostLink['client'],
      closed: new Promise<void>(() => {}),
      close: () => {
        closed++;
      },
    }),
    isSignedOut: async () => false,
    wait: (ms) => {
      waits.push(ms);
      return new Promise((resolve) => go.push(resolve));
    },
    ...said,
  });
  link.subscribe(() => states.push(link.state));
  const held = link.hold(
    {
      onConnected: () => {
        connected++;
      },
      onEvent: (event) => heard.push(event),
    },
    stop.signal,
  );
  return {
    link,
    waits,
    states,
    heard,
    connected: () => connected,
    closed: () => closed,
    listening: () => hub.listeners > 0,
    publish: () => hub.publish(EVENT),
    unplug: () => {
      const old = hub;
      hub = new EventHub();
      old.close();
    },
    go: () => go.shift()?.(),
    stop: async () => {
      stop.abort();
      go.shift()?.();
      await held;
    },
  };
}

describe('a link', () => {
  it('hears events from before anybody asks anything', async () => {
    const s = stage();
    expect(s.link.state).toBe('connecting');
    await until(() => s.connected() === 1);
    s.publish();
    await until(() => s.heard.length === 1);
    expect(s.states).toEqual(['connected']);
    await s.stop();
    expect(s.closed()).toBe(1);
  });

  it('is made again when it breaks, and then everything is told to be out of date', async () => {
    const s = stage();
    await until(() => s.connected() === 1);
    s.unplug();
    await until(() => s.link.state === 'lost' && s.waits.length === 1);
    expect(() => s.link.client).toThrow(expect.objectContaining({ code: 'unreachable', transient: true }));
    s.go();
    await until(() => s.connected() === 2);
    expect(s.states).toEqual(['connected', 'lost', 'connected']);
    s.publish();
    await until(() => s.heard.length === 1);
    await s.stop();
    expect(s.listening()).toBe(false);
  });

  it('waits longer after each try in vain, up to a bound', async () => {
    const s = stage({
      open: async () => {
        throw new EngineError('unreachable', 'Nobody answers.');
      },
    });
    for (let tries = 1; tries <= 6; tries++) {
      await until(() => s.waits.length === tries);
      s.go();
    }
    expect(s.waits.slice(0, 6)).toEqual([1000, 2000, 4000, 5000, 5000, 5000]);
    expect(s.states).toEqual(['lost']);
    await s.stop();
  });

  it('says that a sign-in is needed', async () => {
    const s = stage({
      open: async () => {
        throw new EngineError('unreachable', 'Refused.');
      },
      isSignedOut: async () => true,
    });
    await until(() => s.waits.length === 1);
    expect(s.link.state).toBe('signed-out');
    await s.stop();
  });

  it('never rejects, whatever a try fails with', async () => {
    const s = stage({
      open: async () => {
        throw 'a text';
      },
      isSignedOut: async () => {
        throw new Error('no network');
      },
    });
    await until(() => s.waits.length === 1);
    expect(s.link.state).toBe('lost');
    try {
      s.link.client.system;
      expect.unreachable();
    } catch (e) {
      expect(isEngineError(e, 'unreachable')).toBe(true);
    }
    await s.stop();
  });
});
