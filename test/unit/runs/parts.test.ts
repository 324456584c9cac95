import { describe, expect, test } from 'vitest';
import { isEngineError } from '../../../src/api/errors.ts';
import { Settings } from '../../../src/api/model/settings.ts';
import { MOST_OUTPUT_BYTES, startProcess, withoutSecrets } from '../../../src/runs/process.ts';
import { idle, progressOf, RateMeter, SAMPLE_MS, sampleUntil } from '../../../src/runs/progress.ts';
import { redactor } from '../../../src/runs/redact.ts';
import { limitsOf } from '../../../src/runs/session.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

describe('rate and time left', () => {
  test('a steady speed is told at once; a change little by little', () => {
    const meter = new RateMeter();
    expect(meter.add(0, 0)).toBe(0);
    expect(meter.add(1000, 500)).toBe(500);
    expect(meter.add(2000, 1000)).toBe(500);
    const rates = Array.from({ length: 60 }, (_, i) => meter.add(3000 + i * 1000, 1000 + (i + 1) * 1000));
    expect(rates[0]).toBeGreaterThan(500);
    expect(rates[0]).toBeLessThan(600);
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(rates.at(-1)).toBeCloseTo(1000, 0);
  });

  test('never below zero, whatever clock and counter do', () => {
    const meter = new RateMeter();
    meter.add(10_000, 5000);
    expect(meter.add(5000, 6000)).toBe(0);
    expect(meter.add(6000, 7000)).toBe(1000);
    expect(meter.add(7000, 10)).toBe(0);
    expect(meter.add(7000, 10)).toBe(0);
  });

  test('time left is known only with a goal and a speed', () => {
    const sample = { ...idle('opening', 'x'), bytesDone: 100, bytesTotal: 300 };
    expect(progressOf(sample, 50, 2)).toMatchObject({ secondsLeft: 4, problems: 2, bytesPerSecond: 50 });
    expect(progressOf(sample, 0, 0).secondsLeft).toBeNull();
    expect(progressOf({ ...sample, bytesTotal: null }, 50, 0).secondsLeft).toBeNull();
    expect(progressOf({ ...sample, bytesDone: 300 }, 0, 0).secondsLeft).toBe(0);
  });

  test('samples come four times a second until they are not wanted any more', async () => {
    const clock = new VirtualClock(0);
    const stop = new AbortController();
    let taken = 0;
    const sampling = sampleUntil(clock, stop.signal, () => taken++);
    await clock.advance(10 * SAMPLE_MS);
    expect(taken).toBe(11);
    stop.abort();
    await sampling;
    expect(clock.sleepers).toBe(0);
  });
});

describe('programs', () => {
  const start = (code: string, more: Partial<Parameters<typeof startProcess>[2]> = {}) => {
    const clock = new VirtualClock(0);
    const signal = new AbortController().signal;
    const options = { clock, env: process.env, signal, ...more };
    return { clock, ...startProcess([process.execPath, '-e', code], true, options) };
  };
  const fault = (promise: Promise<void>) =>
    promise.then(
      () => expect.unreachable(),
      (e: unknown) => (isEngineError(e) ? e : expect.unreachable()),
    );

  test('one that takes too long is asked to end, then made to', async () => {
    const polite = start('console.log("up"); setTimeout(() => {}, 300_000)', { timeoutMs: 60_000 });
    await expect.poll(polite.output, { timeout: 20_000 }).toBe('up');
    await polite.clock.advance(60_000);
    expect(await fault(polite.ended)).toMatchObject({ code: 'timeout' });
    const code =
      'process.on("SIGTERM", () => console.log("no")); console.log("up"); setTimeout(() => {}, 300_000)';
    const rude = start(code, { timeoutMs: 60_000 });
    await expect.poll(rude.output, { timeout: 20_000 }).toBe('up');
    await rude.clock.advance(60_000);
    await expect.poll(rude.output, { timeout: 20_000 }).toBe('up\nno');
    await rude.clock.advance(5000);
    const e = await fault(rude.ended);
    expect(e.message).toContain('longer than 60 seconds');
  });

  test('a cancel ends it, with the reason of the signal', async () => {
    const stop = new AbortController();
    const { ended, output } = start('console.log("up"); setTimeout(() => {}, 300_000)', {
      signal: stop.signal,
    });
    await expect.poll(output, { timeout: 20_000 }).toBe('up');
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(ended).rejects.toBe(reason);
  });

  test('what it leaves running in the background, with its output open, is not waited for', async () => {
    const code = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600000)'], { detached: true, stdio: 'inherit' });
      console.log(child.pid); child.unref();`;
    const { ended, output, clock } = start(code);
    await expect.poll(output, { timeout: 20_000 }).toMatch(/^\d+$/);
    await expect.poll(() => clock.sleepers, { timeout: 20_000 }).toBe(1);
    await clock.advance(1000);
    await ended;
    process.kill(Number(output()), 'SIGKILL');
  });

  test('what it prints is kept up to a limit, in whole lines', async () => {
    const { ended, output } = start('for (let i = 0; i < 30000; i++) console.log("line " + i)');
    await ended;
    const lines = output().split('\n');
    expect(lines.at(-1)).toBe('… (the rest was cut)');
    expect(lines.slice(0, -1).every((line) => /^line \d+$/.test(line))).toBe(true);
    expect(Buffer.byteLength(output())).toBeLessThan(MOST_OUTPUT_BYTES + 100);
  });

  test('passwords do not reach it', () => {
    const env = { PATH: '/bin', RESTIC_REPOSITORY: 'r', HOLDFAST_PASSWORD_FILE: 'f', HOLDFAST_PLAN: 'p' };
    expect(withoutSecrets(env)).toEqual({ PATH: '/bin', HOLDFAST_PLAN: 'p' });
  });
});

test('secrets are masked, the longer ones first; short ones would tear words apart', async () => {
  const kept = new Map([
    ['a', 'pass'],
    ['b', 'password'],
    ['c', 'x'],
  ]);
  const mask = await redactor({ names: async () => [...kept.keys()], get: async (name) => kept.get(name) });
  expect(mask('the password is: pass, x')).toBe('the [secret] is: [secret], x');
});

test('the slowest of all limits counts', () => {
  const settings = Settings.parse({ uploadLimit: 100 });
  const part = (uploadLimit: number | null, downloadLimit: number | null) => ({ uploadLimit, downloadLimit });
  expect(limitsOf({ settings: () => settings }, part(50, null), part(null, 7))).toEqual({
    upload: 50,
    download: 7,
  });
  expect(limitsOf({ settings: () => Settings.parse({}) }, part(null, null))).toEqual({
    upload: 0,
    download: 0,
  });
});
