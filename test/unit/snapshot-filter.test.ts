import { describe, expect, it } from 'vitest';
import { isEngineError } from '../../src/api/errors.ts';
import { parseTimestamp } from '../../src/format/time.ts';
import { isId, type StoredSnapshot } from '../../src/format/types.ts';
import {
  findLatest,
  findSnapshot,
  hasTags,
  matchesFilter,
  newestFirst,
  parseReference,
  parseTagList,
  resolvePrefix,
  selectSnapshots,
} from '../../src/repository/snapshot-filter.ts';

function time(text: string) {
  return parseTimestamp(text, 'a snapshot');
}

function snapshot(start: string, when: string, more: Partial<StoredSnapshot> = {}): StoredSnapshot {
  const hex = start.padEnd(64, '0');
  if (!isId(hex)) throw new Error('no id');
  return { id: hex, tree: hex, time: time(when), paths: ['/home', '/etc'], hostname: 'box', ...more };
}

const oldest = snapshot('aa01', '2024-01-01T23:00:00-02:00', { tags: ['a', 'b'] });
const middle = snapshot('aa02', '2024-01-02T01:00:00.5Z', { hostname: 'other' });
const newest = snapshot('bb', '2024-01-02T02:30:00+01:00', { paths: ['/home'], tags: ['b'] });
const all = [middle, newest, oldest];

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    if (isEngineError(e)) return `${e.code}: ${e.message} ${e.hint ?? ''}`;
    throw e;
  }
  return 'no error';
}

describe('filter', () => {
  it.each([
    [{}, [oldest, middle, newest]],
    [{ hosts: ['box'] }, [oldest, newest]],
    [{ hosts: ['box', 'other'] }, [oldest, middle, newest]],
    [{ tags: [['b']] }, [oldest, newest]],
    [{ tags: [['a', 'b']] }, [oldest]],
    [{ tags: [['a'], ['']] }, [oldest, middle]],
    [{ paths: ['/home', '/etc'] }, [oldest, middle]],
    [{ paths: ['/etc'], hosts: ['box'], tags: [['b']] }, [oldest]],
    [{ paths: ['/etc/x'] }, []],
  ])('%j', (filter, expected) => {
    expect([oldest, middle, newest].filter((s) => matchesFilter(s, filter))).toEqual(expected);
  });

  it('reads tag lists', () => {
    expect(parseTagList(' a, b c ,')).toEqual(['a', 'b c', '']);
  });

  it('takes the empty tag for "untagged"', () => {
    expect(hasTags(middle, [''])).toBe(true);
    expect(hasTags(middle, ['', 'a'])).toBe(true);
    expect(hasTags(middle, ['a', ''])).toBe(false);
    expect(hasTags(oldest, [''])).toBe(false);
    expect(hasTags(oldest, [])).toBe(true);
  });
});

describe('latest', () => {
  it('goes by the moment, not by the text', () => {
    expect(newestFirst(all)).toEqual([newest, middle, oldest]);
    expect(findLatest(all, {})).toBe(newest);
    expect(findLatest(all, { hosts: ['other'] })).toBe(middle);
    expect(findLatest(all, {}, { back: 2 })).toBe(oldest);
    expect(findLatest(all, {}, { back: 3 })).toBeUndefined();
    expect(findLatest(all, {}, { notAfter: time('2024-01-02T01:00:00.5Z') })).toBe(middle);
    expect(findLatest(all, {}, { notAfter: time('2024-01-02T01:00:00.499Z') })).toBe(oldest);
  });

  it('takes the highest id of equal times', () => {
    const twin = snapshot('cc', newest.time);
    expect(findLatest([twin, newest], {})).toBe(twin);
    expect(findLatest([newest, twin], {}, { back: 1 })).toBe(newest);
  });
});

describe('references', () => {
  it.each([
    ['latest', { kind: 'latest', back: 0, subfolder: '' }],
    ['latest~12:/a:b', { kind: 'latest', back: 12, subfolder: '/a:b' }],
    ['ab12', { kind: 'id', prefix: 'ab12', subfolder: '' }],
    ['ab12:x\ny', { kind: 'id', prefix: 'ab12', subfolder: 'x\ny' }],
  ])('%j', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each(['', ':x', 'latest~', 'latest~-1', 'Latest', 'xyz', 'ab~1', 'a'.repeat(65)])(
    'refuse %j',
    (text) => {
      expect(errorOf(() => parseReference(text))).toContain('usage');
    },
  );

  it('resolve prefixes', () => {
    expect(resolvePrefix(all, 'b')).toBe(newest);
    expect(resolvePrefix(all, middle.id)).toBe(middle);
    expect(errorOf(() => resolvePrefix(all, 'aa'))).toMatch(/^ambiguous: 2 snapshots .*aa02/);
    expect(errorOf(() => resolvePrefix(all, 'ff'))).toContain('snapshot-missing');
  });

  it('find one snapshot; the filter counts for latest', () => {
    const filter = { hosts: ['other'] };
    expect(findSnapshot(all, 'latest:/etc', filter)).toEqual({ snapshot: middle, subfolder: '/etc' });
    expect(findSnapshot(all, 'bb', filter)).toEqual({ snapshot: newest, subfolder: '' });
    expect(errorOf(() => findSnapshot(all, 'latest~1', filter))).toContain('latest~1 does not exist');
    expect(errorOf(() => findSnapshot([], 'latest'))).toContain('There is no snapshot in the repository');
  });

  it('select many', () => {
    expect(selectSnapshots(all, [], { hosts: ['box'] })).toEqual([newest, oldest]);
    expect(selectSnapshots(all, ['aa02', 'latest', 'bb', 'aa02'])).toEqual([middle, newest]);
    expect(errorOf(() => selectSnapshots(all, ['bb:/x']))).toContain('usage');
    expect(errorOf(() => selectSnapshots(all, ['bb'], { hosts: ['box'] }))).toContain('usage');
  });
});
