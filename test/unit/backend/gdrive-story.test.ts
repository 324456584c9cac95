import { expect, it } from 'vitest';
import { driveStory } from '../../servers/drive-story.ts';

it('Drive: 300 files come through whatever goes wrong, byte by byte, within what Google allows', async () => {
  const { stored, expected, wrong, seen, allowed, faults } = await driveStory(1, 300);
  expect(wrong).toEqual([]);
  expect(new Set(stored.keys())).toEqual(expected);
  expect([...stored.values()].filter((files) => files > 1)).toEqual([]);
  expect(seen.creationsInTenSeconds).toBeLessThanOrEqual(allowed.creationsInTenSeconds);
  expect(seen.queriesInAMinute).toBeLessThanOrEqual(allowed.queriesInAMinute);
  expect(faults).toBeGreaterThan(10);
});
