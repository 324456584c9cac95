import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaPath, byteTicks, roundTicks, secondTicks } from '../../../renderer/components/scale.ts';

describe('the marks of an axis', () => {
  it.each([
    [4, [0, 1, 2, 3, 4]],
    [7, [0, 2, 4, 6, 8]],
    [95, [0, 50, 100]],
    [0.3, [0, 0.1, 0.2, 0.3]],
  ])('are round up to %d', (most, wanted) => {
    const ticks = roundTicks(most);
    expect(ticks.length).toBe(wanted.length);
    ticks.forEach((tick, i) => {
      expect(tick).toBeCloseTo(wanted[i] ?? Number.NaN, 9);
    });
  });

  it('begin with nothing, reach the largest value, and are few', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e15, noNaN: true }), (most) => {
        for (const ticks of [roundTicks(most), byteTicks(most), secondTicks(most)]) {
          expect(ticks[0]).toBe(0);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-6));
          expect(ticks.length).toBeGreaterThan(1);
          expect(ticks.length).toBeLessThanOrEqual(6);
        }
      }),
    );
  });

  it('are there even where nothing was added', () => {
    expect(roundTicks(0)).toEqual([0, 1]);
    expect(byteTicks(0)).toEqual([0, 1]);
  });

  it('are round in the unit that is said', () => {
    const gib = 1024 ** 3;
    expect(byteTicks(3.4 * gib)).toEqual([0, gib, 2 * gib, 3 * gib, 4 * gib]);
    expect(secondTicks(0.3)).toEqual([0, 1, 2, 3, 4]);
    expect(secondTicks(200)).toEqual([0, 60, 120, 180, 240]);
    expect(secondTicks(3 * 3600)).toEqual([0, 3600, 7200, 10_800]);
  });
});

describe('a curve', () => {
  it('goes from the left to the right edge and stays inside', () => {
    expect(areaPath([0, 10, 5], 100, 40)).toBe('M0,40L0.0,40.0L50.0,4.0L100.0,22.0L100,40Z');
    expect(areaPath([0, 0], 10, 4)).toBe('M0,4L0.0,4.0L10.0,4.0L10,4Z');
  });
});
