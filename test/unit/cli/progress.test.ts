import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLines } from '../../../src/cli/json-lines.ts';
import { progressInterval, startProgress, transferLine } from '../../../src/cli/progress.ts';
import { addSample, perSecond, startRate, timeLeft } from '../../../src/cli/progress-model.ts';
import { fakeTerminal } from './fake-terminal.ts';

describe('the rate', () => {
  it('of steady work is its speed, however irregular the samples', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 50 }), (steps) => {
        let at = 1000;
        let rate = startRate(at);
        for (const step of steps) {
          at += step;
          rate = addSample(rate, at, (at - 1000) * 5);
        }
        expect(perSecond(rate)).toBeCloseTo(5000, 6);
      }),
    );
  });

  it('follows a change within a minute and forgets a burst smoothly', () => {
    let rate = startRate(0);
    for (let s = 1; s <= 60; s++) rate = addSample(rate, s * 1000, s * 100);
    const before = perSecond(rate);
    for (let s = 61; s <= 120; s++) rate = addSample(rate, s * 1000, 6000 + (s - 60) * 10);
    expect(before).toBeCloseTo(100);
    expect(perSecond(rate)).toBeGreaterThan(10);
    expect(perSecond(rate)).toBeLessThan(16);
  });

  it('keeps what two samples of one instant say', () => {
    const rate = addSample(addSample(startRate(0), 0, 500), 1000, 1000);
    expect(perSecond(rate)).toBeCloseTo(1000);
  });

  it('never falls below nothing when a counter is set back', () => {
    expect(perSecond(addSample(startRate(0, 100), 1000, 50))).toBe(0);
  });
});

describe('the time left', () => {
  it('is what is left at the present rate', () => {
    const rate = addSample(startRate(0), 10_000, 1000);
    expect(timeLeft(rate, 3000)).toBeCloseTo(20_000);
    expect(timeLeft(rate, 1000)).toBe(0);
  });

  it('is not told too early, nor without progress or a total', () => {
    expect(timeLeft(addSample(startRate(0), 500, 10), 100)).toBeUndefined();
    expect(timeLeft(addSample(startRate(0), 5000, 0), 100)).toBeUndefined();
    expect(timeLeft(startRate(0), 0)).toBeUndefined();
  });
});

describe('the line', () => {
  it('says everything that is known', () => {
    const rate = addSample(startRate(0), 8000, 3 * 1024 ** 2);
    const counts = { files: 3, bytes: 3 * 1024 ** 2, totalFiles: 7, totalBytes: 6 * 1024 ** 2, errors: 1 };
    expect(transferLine(8000, counts, rate)).toBe(
      '[0:08] 50.00%  3 of 7 files, 3.000 MiB of 6.000 MiB, 384.000 KiB/s, 0:08 left, 1 problem',
    );
    expect(transferLine(0, { files: 1, bytes: 12 }, startRate(0))).toBe('[0:00] 1 file, 12 B');
  });
});

describe('how often progress is shown', () => {
  const usual = { quiet: false, json: false, canUpdateStatus: true, env: {} };
  it.each([
    ['a terminal', {}, 100],
    ['no terminal', { canUpdateStatus: false }, undefined],
    ['quiet', { quiet: true }, undefined],
    ['JSON anywhere', { json: true, canUpdateStatus: false }, 100],
    ['a set speed', { canUpdateStatus: false, env: { RESTIC_PROGRESS_FPS: '0.5' } }, 2000],
    ['a speed too high', { env: { HOLDFAST_PROGRESS_FPS: '1000' } }, 1000 / 60],
    ['a speed that is none', { env: { HOLDFAST_PROGRESS_FPS: 'x' } }, 100],
  ])('%s', (_, change, interval) => {
    expect(progressInterval({ ...usual, ...change })).toBe(interval);
  });
});

describe('progress', () => {
  function start(o: { readonly terminal: boolean; readonly json?: boolean }) {
    const io = fakeTerminal({ stdoutIsTerminal: o.terminal });
    const looks: (() => void)[] = [];
    let now = 0;
    const register = (look: () => void) => {
      looks.push(look);
      return () => looks.splice(looks.indexOf(look), 1);
    };
    const progress = startProgress(
      {
        terminal: io.terminal,
        json: o.json ? jsonLines(io.terminal.stdout) : undefined,
        clock: { now: () => now, sleep: () => Promise.resolve() },
        intervalMs: undefined,
        every: (_, look) => register(look),
        onRequest: register,
      },
      { lines: (ms) => [`at ${ms}`], json: (ms) => ({ message_type: 'status', ms }) },
    );
    const lookAt = (ms: number) => {
      now = ms;
      looks[0]?.();
    };
    return { io, progress, looks, lookAt };
  }

  it('comes on request where there is no terminal', () => {
    const { io, progress, lookAt, looks } = start({ terminal: false });
    lookAt(50);
    progress.stop();
    expect(io.out()).toBe('at 50\n');
    expect(looks).toEqual([]);
  });

  it('is redrawn in place, below the messages, and taken away', () => {
    const { io, progress, lookAt } = start({ terminal: true });
    lookAt(1);
    lookAt(1);
    io.terminal.print('message');
    lookAt(2);
    progress.stop();
    expect(io.screen()).toEqual(['message']);
    expect(io.out()).toBe('at 1\r\x1b[2Kmessage\nat 1\r\x1b[2Kat 2\r\x1b[2K');
  });

  it('is a JSON line with --json', async () => {
    const { io, lookAt } = start({ terminal: false, json: true });
    lookAt(7);
    expect(io.out()).toBe('{"message_type":"status","ms":7}\n');
  });

  it('fits the width of the terminal', () => {
    const io = fakeTerminal({ stdoutIsTerminal: true, columns: 6 });
    io.terminal.setStatus(['0123456789', 'ああああ', 'a\nb']);
    expect(io.out()).toBe('01234\nああ\n"a\\nb');
    io.terminal.setStatus([]);
    expect(io.screen()).toEqual([]);
  });
});
