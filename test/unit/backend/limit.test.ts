import { describe, expect, it } from 'vitest';
import type { Backend, Wrap } from '../../../src/backend/backend.ts';
import { limit } from '../../../src/backend/limit.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { fakeClock, named } from './support.ts';

const { h } = named('pack', 'x');
const RATE = 1_000_000;

/** Holds every save until it is let go, and knows how many are inside. */
function gate() {
  const open: (() => void)[] = [];
  const inside = { now: 0, most: 0 };
  const wrap: Wrap = (inner): Backend => ({
    ...inner,
    async save(handle, data, o) {
      inside.most = Math.max(inside.most, ++inside.now);
      await new Promise<void>((go) => open.push(go));
      inside.now--;
      await inner.save(handle, data, o);
    },
  });
  return { wrap, inside, open };
}

const turn = () => new Promise(setImmediate);

describe('limit', () => {
  it.each([1000, 70_000, 5_000_000])('keeps an upload of pieces of %i bytes within a tenth', async (size) => {
    const clock = fakeClock();
    const backend = limit({ uploadBytesPerSecond: RATE, clock })(createMemory());
    const started = clock.now();
    for (let sent = 0; sent < 20 * RATE; sent += size) await backend.save(h, [new Uint8Array(size)]);
    const seconds = (clock.now() - started) / 1000;
    const sent = Math.ceil((20 * RATE) / size) * size;
    expect(sent / seconds / RATE).toBeGreaterThan(0.9);
    expect(sent / seconds / RATE).toBeLessThan(1.1);
  });

  it('keeps the rate over calls made at once', async () => {
    const slept: number[] = [];
    const standing = { now: () => 0, sleep: async (ms: number) => void slept.push(ms) };
    const backend = limit({ downloadBytesPerSecond: RATE, clock: standing })(createMemory());
    await backend.save(h, [new Uint8Array(RATE)]);
    await Promise.all(Array.from({ length: 20 }, () => backend.load(h)));
    const last = Math.max(...slept) / 1000;
    expect(last).toBeGreaterThan(18);
    expect(last).toBeLessThan(22);
  });

  it('makes nobody wait for what was given up', async () => {
    const slept: number[] = [];
    const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
      slept.push(ms);
      if (slept.length > 2) return Promise.resolve();
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    };
    const backend = limit({ uploadBytesPerSecond: RATE, clock: { now: () => 0, sleep } })(createMemory());
    const stop = new AbortController();
    const packs = [1, 2].map(() => backend.save(h, [new Uint8Array(16 * RATE)], { signal: stop.signal }));
    await turn();
    stop.abort();
    await Promise.allSettled(packs);
    expect(slept).toEqual([15_950, 31_950]);
    await backend.save(h, [new Uint8Array(RATE)]);
    expect(slept[2]).toBe(950);
  });

  it('does not slow the other direction', async () => {
    const clock = fakeClock();
    const backend = limit({ downloadBytesPerSecond: 1, clock })(createMemory());
    await backend.save(h, [new Uint8Array(1000)]);
    expect(clock.slept).toEqual([]);
  });

  it('lets so many calls through at once, and tells so', async () => {
    const g = gate();
    const backend = limit({ connections: 3 })(g.wrap(createMemory()));
    expect(backend.traits.connections).toBe(3);
    const saves = Array.from({ length: 10 }, () => backend.save(h, []));
    for (let i = 0; i < 10; i++) {
      await turn();
      expect(g.inside.now).toBe(Math.min(3, 10 - i));
      g.open.shift()?.();
    }
    await Promise.all(saves);
    expect(g.inside.most).toBe(3);
  });

  it('lets an abort leave the queue, and loses no place by it', async () => {
    const g = gate();
    const backend = limit({ connections: 1 })(g.wrap(createMemory()));
    const abort = new AbortController();
    const first = backend.save(h, []);
    const second = backend.save(h, [], { signal: abort.signal });
    const third = backend.save(h, []);
    await turn();
    abort.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    g.open.shift()?.();
    await first;
    await turn();
    g.open.shift()?.();
    await third;
    expect(g.inside.most).toBe(1);
  });
});
