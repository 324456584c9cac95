import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { type RetryNotice, retry } from '../../../src/backend/retry.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { counting } from '../../helpers/counting.ts';
import { type Fault, faulty } from '../../helpers/faulty.ts';
import { fakeClock, named, text } from './support.ts';

const busy = (context = {}) => new EngineError('unreachable', 'away', { transient: true, context });
const { h, data } = named('pack', 'content');

function setUp(faults: readonly Fault[], o = {}) {
  const clock = fakeClock();
  const notices: RetryNotice[] = [];
  const count = counting();
  const memory = createMemory();
  const policy = { clock, random: () => 0.5, onRetry: (n: RetryNotice) => notices.push(n), ...o };
  return { clock, notices, count, memory, backend: retry(policy)(count(faulty(faults)(memory))) };
}

describe('retry', () => {
  it('doubles its pauses up to the longest', async () => {
    const s = setUp([{ kind: 'error', operation: 'save', error: busy, times: 8 }], { maxDelayMs: 30_000 });
    await s.backend.save(h, data);
    expect(s.clock.slept).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(s.notices.map((n) => n.failed)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(s.notices[0]).toMatchObject({ operation: 'save', type: 'pack', name: h.name, delayMs: 1000 });
    expect(text(await s.memory.load(h))).toBe('content');
  });

  it('spreads a pause from a half to one and a half', async () => {
    for (const [random, want] of [
      [0, 500],
      [1, 1500],
    ] as const) {
      const s = setUp([{ kind: 'error', error: busy }], { random: () => random });
      await s.backend.save(h, data);
      expect(s.clock.slept).toEqual([want]);
    }
  });

  it('waits as long as the storage asks', async () => {
    const s = setUp([{ kind: 'error', error: () => busy({ retryAfterSeconds: 42 }) }]);
    await s.backend.save(h, data);
    expect(s.clock.slept).toEqual([42_000]);
  });

  it('does not wait for a date beyond its patience', async () => {
    const s = setUp([{ kind: 'error', error: () => busy({ retryAfterSeconds: 86_400 }) }]);
    await expect(s.backend.save(h, data)).rejects.toMatchObject({ code: 'unreachable' });
    expect(s.clock.slept).toEqual([]);
  });

  it.each([
    ['of a permanent kind', () => new EngineError('no-space', 'full')],
    ['that it does not know', () => new TypeError('a fault of ours')],
  ])('passes on an error %s at once', async (_, error) => {
    const s = setUp([{ kind: 'error', error }]);
    await expect(s.backend.save(h, data)).rejects.toThrow(error().message);
    expect(s.count.calls.save).toBe(1);
    expect(s.clock.slept).toEqual([]);
  });

  it('gives up after so many tries', async () => {
    const s = setUp([{ kind: 'error', error: busy, times: 99 }], { attempts: 3 });
    await expect(s.backend.load(h)).rejects.toMatchObject({ code: 'unreachable' });
    expect(s.count.calls.load).toBe(3);
  });

  it('gives up when its time is over', async () => {
    const s = setUp([{ kind: 'error', error: busy, times: 99 }], { maxElapsedMs: 10_000 });
    await expect(s.backend.stat(h)).rejects.toMatchObject({ code: 'unreachable' });
    expect(s.clock.slept).toEqual([1000, 2000, 4000]);
  });

  it('gives a slow first try a second one', async () => {
    const s = setUp([]);
    const slow = () => {
      s.clock.advance(3_600_000);
      return busy();
    };
    const backend = retry({ clock: s.clock, random: () => 0.5 })(
      faulty([{ kind: 'error', error: slow }])(s.memory),
    );
    await backend.save(h, data);
    expect(s.clock.slept).toEqual([1000]);
  });

  it('sends data again after a lost answer', async () => {
    const s = setUp([{ kind: 'error', operation: 'save', error: busy, afterwards: true }]);
    await s.backend.save(h, data);
    expect(s.count.calls.save).toBe(2);
    expect(text(await s.memory.load(h))).toBe('content');
  });

  it('begins a broken list anew and shows each file once', async () => {
    const s = setUp([{ kind: 'error', operation: 'list', error: busy, afterFiles: 2, times: 2 }]);
    const files = ['a', 'b', 'c', 'd'].map((c) => named('index', c));
    for (const f of files) await s.memory.save(f.h, f.data);
    const seen: string[] = [];
    for await (const { name } of s.backend.list('index')) seen.push(name);
    expect(seen.sort()).toEqual(files.map((f) => f.h.name).sort());
    expect(s.clock.slept).toEqual([1000, 2000]);
  });

  it('ends a pause at an abort', async () => {
    const abort = new AbortController();
    const s = setUp([{ kind: 'error', error: busy, times: 99 }], {
      clock: systemClock,
      initialDelayMs: 3_600_000,
      maxDelayMs: 3_600_000,
      onRetry: () => setImmediate(() => abort.abort('shutdown')),
    });
    await expect(s.backend.save(h, data, { signal: abort.signal })).rejects.toMatchObject({
      code: 'cancelled',
      context: { reason: 'shutdown' },
    });
    expect(s.count.calls.save).toBe(1);
  });

  it('hands on the reason of an abort where it is an error of the engine', async () => {
    const lost = new EngineError('lock-lost', 'lost');
    const s = setUp([]);
    await expect(s.backend.save(h, data, { signal: AbortSignal.abort(lost) })).rejects.toBe(lost);
    expect(s.count.calls.save).toBe(0);
  });
});
