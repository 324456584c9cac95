import { describe, expect, it } from 'vitest';
import { linePath, trendOf } from '../../../renderer/components/trend.ts';
import type { SpaceSample } from '../../../src/api/model/computer.ts';

const DAY = 24 * 3600 * 1000;
const GIB = 1024 ** 3;

/** A sample a day, of so many GiB. */
const daily = (free: readonly number[], total = 1000): readonly SpaceSample[] =>
  free.map((gib, day) => ({ at: day * DAY, free: gib * GIB, total: total * GIB }));
const days = (count: number) => Array.from({ length: count }, (_, day) => day);

describe('the trend of free space', () => {
  it('is not told from too few samples, or too short a time', () => {
    expect(trendOf([])).toEqual({ kind: 'few' });
    expect(trendOf(daily([500, 490, 480, 470]))).toEqual({ kind: 'few' });
    const inAnHour = days(20).map((i) => ({ at: i * 60_000, free: (500 - i) * GIB, total: 1000 * GIB }));
    expect(trendOf(inAnHour)).toEqual({ kind: 'few' });
  });

  it('tells how fast it falls, and when nothing is left', () => {
    const trend = trendOf(daily(days(15).map((day) => 114 - day)));
    expect(trend).toMatchObject({ kind: 'falls', weeks: 14 });
    expect(trend.kind === 'falls' && trend.bytesPerWeek / GIB).toBeCloseTo(7);
    expect(trendOf(daily([9, 7, 5, 3, 1]))).toMatchObject({ kind: 'falls', weeks: 0 });
  });

  it('says nothing of what is years away', () => {
    expect(trendOf(daily(days(30).map((day) => 900 - day * 0.2)))).toMatchObject({
      kind: 'falls',
      weeks: null,
    });
  });

  it('takes scatter for what it is', () => {
    expect(trendOf(daily([500, 480, 505, 485, 500, 482, 503]))).toEqual({ kind: 'steady' });
    expect(trendOf(daily(days(10).map(() => 500)))).toEqual({ kind: 'steady' });
  });

  it('sees a disk that gets emptier, and forgets what was long ago', () => {
    expect(trendOf(daily(days(10).map((day) => 100 + 10 * day)))).toMatchObject({ kind: 'rises' });
    const turned = daily([...days(200).map((day) => 100 + day), ...days(90).map((day) => 300 - day)]);
    expect(trendOf(turned)).toMatchObject({ kind: 'falls' });
  });

  it('is drawn from edge to edge, with nothing free at the bottom', () => {
    const path = linePath(daily([100, 50, 0]), 200, 40);
    expect(path).toMatch(/^M0\.0,[\d.]+L100\.0,[\d.]+L200\.0,40\.0$/);
    expect(linePath(daily([0, 0]), 10, 10)).toBe('M0.0,10.0L10.0,10.0');
  });
});
