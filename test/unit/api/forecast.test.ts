import { describe, expect, it } from 'vitest';
import { daysUntilFull } from '../../../src/api/forecast.ts';

const GiB = 1024 ** 3;
const DAY = 86_400_000;
/** One sample a day, in GiB. */
const daily = (free: readonly number[], total = 1000) =>
  free.map((gib, day) => ({ at: 1_700_000_000_000 + day * DAY, free: gib * GiB, total: total * GiB }));
const falling = (days: number, from: number, perDay: number) =>
  Array.from({ length: days }, (_, day) => from - day * perDay);

describe('days until a destination is full', () => {
  it('go on as the past did', () => {
    expect(daysUntilFull(daily(falling(30, 500, 10)))).toBe(21);
    expect(daysUntilFull(daily(falling(4, 100, 1)))).toBe(97);
  });

  it('do not count what a clean-up frees', () => {
    // 10 a day, and 60 back each week.
    const free: number[] = [];
    for (let day = 0, left = 500; day < 28; day++, left -= 10) {
      if (day > 0 && day % 7 === 0) left += 70;
      free.push(left);
    }
    expect(daysUntilFull(daily(free))).toBe(Math.ceil(free.at(-1)! / 10));
  });

  it('are of the disk that is there now', () => {
    const [old, fresh] = [daily(falling(10, 100, 10)), daily(falling(20, 900, 10), 2000)];
    const both = [...old, ...fresh.map((sample) => ({ ...sample, at: sample.at + 10 * DAY }))];
    expect(daysUntilFull(both)).toBe(71);
  });

  it('rest on the last 90 days', () => {
    const long = [...falling(300, 5000, 1), ...falling(91, 3000, 20)];
    expect(daysUntilFull(daily(long, 9000))).toBe(60);
  });

  it('are as steady as the line through noise', () => {
    const noisy = falling(60, 900, 5).map((gib, day) => gib + (day % 2 === 0 ? 0 : 4));
    expect(daysUntilFull(daily(noisy))).toBe(Math.ceil(noisy.at(-1)! / 5));
  });

  it('are 0 for a full one, whatever else is known', () => {
    expect(daysUntilFull(daily([0]))).toBe(0);
  });

  it.each([
    ['nothing is known', []],
    ['the past is short', falling(3, 500, 10)],
    ['nothing is added', falling(30, 500, 0)],
    ['more and more becomes free', falling(30, 500, -10)],
    ['it would take ages', falling(30, 500, 0.01)],
  ])('are not told where %s', (_, free) => {
    expect(daysUntilFull(daily(free))).toBeNull();
  });

  it('are not told of many samples within a day', () => {
    const hours = daily(falling(20, 500, 10)).map((sample, n) => ({ ...sample, at: n * 3_600_000 }));
    expect(daysUntilFull(hours)).toBeNull();
  });
});
