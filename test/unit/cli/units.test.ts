import { describe, expect, it } from 'vitest';
import { renderTable } from '../../../src/cli/table.ts';
import { displayWidth, printable, truncate } from '../../../src/cli/text-width.ts';
import { formatLocalTime, parseLocalTime } from '../../../src/cli/time-format.ts';
import * as units from '../../../src/cli/units.ts';

const usage = expect.objectContaining({ code: 'usage' });

// The expected texts are what restic prints for the same numbers.
describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.000 KiB'],
    [1088, '1.062 KiB'],
    [1216, '1.188 KiB'],
    [5.5 * 1024 ** 2, '5.500 MiB'],
    [1024 ** 3, '1.000 GiB'],
    [1024 ** 4 - 2 ** 36, '960.000 GiB'],
    [1024 ** 4, '1.000 TiB'],
    [2n ** 60n, '1048576.000 TiB'],
  ])('%s bytes are %s', (bytes, text) => {
    expect(units.formatBytes(bytes)).toBe(text);
  });

  it.each([
    ['1024', 1024],
    ['1024b', 1024],
    ['1k', 1024],
    ['100K', 102_400],
    ['10M', 10_485_760],
    ['10MiB', 10_485_760],
    ['1GB', 1024 ** 3],
    ['1GiB', 1024 ** 3],
    ['2t', 2_199_023_255_552],
  ])('%s is read as %d', (text, bytes) => {
    expect(units.parseSize(text)).toBe(bytes);
  });

  it.each([
    '',
    ' ',
    'foobar',
    'zzz',
    '-1',
    '1.5M',
    '18446744073709551615',
    '9223372036854775807k',
    '9999999999999M',
  ])('%j is refused', (text) => {
    expect(() => units.parseSize(text)).toThrow(usage);
  });
});

describe('shares', () => {
  it.each([
    [0, 5, '0.00%'],
    [3, 7, '42.86%'],
    [99, 99, '100.00%'],
    [7, 5, '100.00%'],
    [1, 800, '0.12%'],
    [3, 800, '0.38%'],
    [1, 0, ''],
  ])('%d of %d is %j', (part, whole, text) => {
    expect(units.formatPercent(part, whole)).toBe(text);
  });
});

describe('times', () => {
  it.each([
    [0, '0:00'],
    [7999, '0:07'],
    [750_000, '12:30'],
    [3_723_000, '1:02:03'],
    [360_000_000, '100:00:00'],
  ])('%d ms are %s', (ms, text) => {
    expect(units.formatDuration(ms)).toBe(text);
  });

  it.each([
    ['0', 0],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['300ms', 300],
    ['-1m', -60_000],
  ])('%s is clock time of %d ms', (text, ms) => {
    expect(units.parseClockDuration(text)).toBe(ms);
  });

  it.each(['', '5', 'x', '5x', 'm', '1d'])('%j is no clock time', (text) => {
    expect(() => units.parseClockDuration(text)).toThrow(usage);
  });

  it.each([
    ['2y5m7d3h', { years: 2, months: 5, days: 7, hours: 3 }],
    [' 9h ', { years: 0, months: 0, days: 0, hours: 9 }],
    ['3d-1h', { years: 0, months: 0, days: 3, hours: -1 }],
    ['', { years: 0, months: 0, days: 0, hours: 0 }],
  ])('%j is a span', (text, span) => {
    expect(units.parseSpan(text)).toEqual(span);
    expect(units.parseSpan(units.formatSpan(span))).toEqual(span);
  });

  it.each(['5', '5w', 'y', '2y5'])('%j is no span', (text) => {
    expect(() => units.parseSpan(text)).toThrow(usage);
  });

  it('of a day are local, both ways', () => {
    const time = new Date(2026, 0, 31, 8, 5, 9).getTime();
    expect(formatLocalTime(time)).toBe('2026-01-31 08:05:09');
    expect(formatLocalTime(new Date(time).toISOString().replace('Z', '123456Z'))).toBe('2026-01-31 08:05:09');
    expect(parseLocalTime('2026-01-31 08:05:09')).toBe(time);
    for (const wrong of ['2026-02-31 00:00:00', '2026-01-31', 'now', '2026-01-31 25:00:00']) {
      expect(() => parseLocalTime(wrong)).toThrow(usage);
    }
  });
});

describe('text on a terminal', () => {
  it.each([
    ['foo', 3],
    ['aéb', 3],
    ['ae\u0301b', 3],
    ['a’b', 3],
    ['aあb', 4],
    ['日本語', 6],
    ['🗂️', 1],
    ['😀', 2],
  ])('%j is %d cells wide', (text, cells) => {
    expect(displayWidth(text)).toBe(cells);
  });

  it('is cut between characters', () => {
    expect(truncate('aあb', 2)).toBe('a');
    expect(truncate('aあb', 3)).toBe('aあ');
    expect(truncate('abc', 0)).toBe('');
    expect(truncate('abc', 9)).toBe('abc');
  });

  it('shows odd characters instead of obeying them', () => {
    expect(printable('föó_bàŕ-bãẑ')).toBe('föó_bàŕ-bãẑ');
    expect(printable('c:\\foo\\bar')).toBe('c:\\foo\\bar');
    expect(printable('a\x1b[2J"\\\n\u202e')).toBe('"a\\x1b[2J\\"\\\\\\n\\u202e"');
    expect(printable('\uFFFD')).toBe('"\uFFFD"');
  });

  it('stands in columns whatever its width, also over several lines', () => {
    const rows = [
      ['1', '日本\n/srv', 'x'],
      ['22', 'é', ''],
    ];
    expect(renderTable({ columns: ['ID', 'Name', 'Last'], rows, footer: ['2 rows'] })).toEqual([
      'ID  Name  Last',
      '--------------',
      '1   日本  x',
      '    /srv',
      '22  é',
      '--------------',
      '2 rows',
    ]);
  });
});
