import { expect, it } from 'vitest';
import { storm } from '../../servers/dropbox-storm.ts';

it.each([1, 2])('keeps every byte though every twelfth call goes wrong: seed %i', async (seed) => {
  const { wrong, files, faults, kinds } = await storm(seed, 300, 1 / 12);
  expect(wrong).toEqual([]);
  expect(files).toBe(200);
  expect(faults).toBeGreaterThan(30);
  expect(kinds.size).toBeGreaterThan(4);
});
