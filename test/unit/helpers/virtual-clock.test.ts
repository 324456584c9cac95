import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

function noting(clock: VirtualClock) {
  const notes: string[] = [];
  const note = (name: string, ms: number, signal?: AbortSignal) =>
    clock.sleep(ms, signal).then(
      () => notes.push(`${name} ${clock.now()}`),
      (reason) => notes.push(`${name} ${reason}`),
    );
  return { notes, note };
}

describe('VirtualClock', () => {
  it('fires each timer at its time, and what that starts in between', async () => {
    const clock = new VirtualClock(1000);
    const { notes, note } = noting(clock);
    void note('b', 20);
    void note('a', 10).then(() => note('c', 5));
    await clock.advance(15);
    expect(notes).toEqual(['a 1010', 'c 1015']);
    await clock.runUntil(1020);
    expect(notes).toEqual(['a 1010', 'c 1015', 'b 1020']);
    expect(clock.now()).toBe(1020);
    expect(clock.sleepers).toBe(0);
  });

  it('ends a sleep with the reason of its signal', async () => {
    const clock = new VirtualClock(0);
    const { notes, note } = noting(clock);
    const stop = new AbortController();
    void note('a', 10, stop.signal);
    stop.abort('enough');
    void note('b', 10, stop.signal);
    await clock.advance(20);
    expect(notes).toEqual(['a enough', 'b enough']);
    expect(clock.sleepers).toBe(0);
  });

  it('fires nothing while the computer sleeps, then all that is due, or later where timers stand still', async () => {
    const clock = new VirtualClock(0);
    const { notes, note } = noting(clock);
    void note('a', 10);
    void note('b', 5);
    await clock.suspend(100);
    expect(notes).toEqual(['b 100', 'a 100']);
    void note('c', 10);
    await clock.suspend(100, 'stand-still');
    expect(notes).toHaveLength(2);
    await clock.advance(10);
    expect(notes.at(-1)).toBe('c 210');
  });

  it('counts timers on while the clock is set back or forward', async () => {
    const clock = new VirtualClock('2026-03-01T12:00Z');
    const { notes, note } = noting(clock);
    void note('a', 10);
    await clock.shift(-3_600_000);
    expect(clock.now()).toBe(Date.parse('2026-03-01T11:00Z'));
    await clock.set('2026-03-01T14:00Z');
    expect(notes).toEqual([]);
    await clock.advance(10);
    expect(notes).toEqual([`a ${Date.parse('2026-03-01T14:00Z') + 10}`]);
  });
});
