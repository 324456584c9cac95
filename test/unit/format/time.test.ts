import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fromEpochNs,
  fromSecNs,
  now,
  parseTimestamp,
  sameInstant,
  toEpochNs,
  toSecNs,
} from '../../../src/format/time.ts';
import type { Timestamp } from '../../../src/format/types.ts';
import { GOLDEN } from './golden-files.ts';

type Row = readonly [sec: string, ns: number, text: string];

/** Printed by a Go program: times of nine zones, around changes of the clock, with local mean time and far years. */
const zones: Readonly<Record<string, readonly Row[]>> = JSON.parse(
  readFileSync(join(GOLDEN, 'go', 'times.json'), 'utf8'),
);

const t = (text: string): Timestamp => parseTimestamp(text, 'a test');

/** Runs in a process of its own, for its own TZ. */
const PRINT_TIMES = `
  import { readFileSync } from 'node:fs';
  import { fromEpochNs } from ${JSON.stringify(new URL('../../../src/format/time.ts', import.meta.url).href)};
  const rows = JSON.parse(readFileSync(0, 'utf8'));
  console.log(JSON.stringify(rows.map(([sec, ns]) => fromEpochNs(BigInt(sec) * 1000000000n + BigInt(ns)))));
`;

describe('writing', () => {
  it.each(Object.entries(zones))('prints %s as Go does', (zone, rows) => {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', PRINT_TIMES], {
      input: JSON.stringify(rows),
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toEqual(rows.map(([, , text]) => text));
  });

  it('says the same from nanoseconds and from seconds', () => {
    expect(fromEpochNs(-1n)).toBe(fromSecNs(-1, 999_999_999));
    expect(fromEpochNs(1_700_000_000_500_000_000n)).toBe(fromSecNs(1_700_000_000, 500_000_000));
  });

  it('reads the clock that it is given', () => {
    expect(toEpochNs(now({ now: () => 1_700_000_000_123 }))).toBe(1_700_000_000_123_000_000n);
    expect(toEpochNs(now({ now: () => -1 }))).toBe(-1_000_000n);
  });
});

describe('reading', () => {
  it('gives back every moment that Go printed, to the minute where zones had seconds', () => {
    for (const [sec, ns, text] of Object.values(zones).flat()) {
      const back = toSecNs(t(text));
      expect(back.ns).toBe(ns);
      const near = Math.abs(Number(sec)) < 6e10;
      if (near) expect(Math.abs(back.sec - Number(sec))).toBeLessThan(60);
      if (near && Number(sec) > 1e8) expect(back.sec).toBe(Number(sec));
    }
  });

  it('knows one moment in two zones', () => {
    expect(sameInstant(t('2024-01-01T00:30:00+01:00'), t('2023-12-31T23:30:00Z'))).toBe(true);
    expect(sameInstant(t('2024-01-01T00:30:00.5Z'), t('2024-01-01T00:30:00.500Z'))).toBe(true);
    expect(sameInstant(t('2024-01-01T00:30:00.5Z'), t('2024-01-01T00:30:00.51Z'))).toBe(false);
    expect(toEpochNs(t('1969-12-31T23:59:59.999999999-00:00'))).toBe(-1n);
  });

  it.each([
    '',
    '2024-01-01',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+1:00',
    '2024-01-01T00:00:00Z"',
    '2024-01-01 00:00:00Z',
    '+2024-01-01T00:00:00Z',
  ])('refuses %j', (text) => {
    expect(() => t(text)).toThrow(expect.objectContaining({ code: 'damaged' }));
  });

  it('takes leap days of leap years', () => {
    expect(toSecNs(t('2000-02-29T00:00:00Z')).sec).toBe(951_782_400);
    expect(toSecNs(t('0000-02-29T00:00:00Z')).sec).toBe(-62_162_121_600);
  });
});
