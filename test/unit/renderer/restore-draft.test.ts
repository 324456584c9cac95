import { describe, expect, it } from 'vitest';
import {
  addressOf,
  type Draft,
  positionOf,
  proposalOf,
  targetOf,
  whereOf,
  whereProblem,
  withFormat,
} from '../../../renderer/screens/restore/draft.ts';
import {
  dayAfter,
  dayKey,
  linesOf,
  monthAfter,
  noonOf,
  versionNamed,
  versionsByDay,
  weeksOfMonth,
} from '../../../renderer/screens/restore/months.ts';
import type { Version } from '../../../src/api/model/destination.ts';

const at = (text: string) => new Date(text).getTime();
const versionOf = (said: Partial<Version> = {}): Version => ({
  id: 'abcdef0123456789',
  at: at('2026-03-09T14:05:00'),
  hostname: 'laptop',
  username: 'ann',
  paths: ['/home/ann'],
  tags: [],
  planId: null,
  planName: null,
  files: 3,
  bytes: 30,
  addedBytes: 3,
  ...said,
});

const nothingSaid = {
  target: null,
  folder: null,
  archiveFolder: null,
  archiveName: null,
  format: 'zip',
  conflicts: 'keep-both',
  verify: true,
} as const satisfies Partial<Draft>;
const HERE = { hostname: 'laptop', home: '/home/ann' };
const whereWith = (said: Partial<Draft>, version = versionOf()) => {
  const draft = { ...nothingSaid, ...said } as Draft;
  return whereOf(draft, proposalOf(version, draft.format, HERE));
};

describe('the address', () => {
  it('says where somebody is, and leads there', () => {
    const position = { destinationId: 'd1', versionId: 'v 1&2', step: 'where' } as const;
    const [, query] = addressOf(position).split('?');
    expect(positionOf(new URLSearchParams(query))).toEqual({ ...position, path: null, runId: null });
  });

  it('of a link to a version leads to its files', () => {
    expect(positionOf(new URLSearchParams('destination=d&version=latest'))).toMatchObject({ step: 'files' });
    expect(positionOf(new URLSearchParams('step=nonsense'))).toMatchObject({ step: 'version' });
  });
});

describe('where to', () => {
  it('is the original place of this computer’s own files, and a folder for another computer’s', () => {
    expect(targetOf(whereWith({}))).toEqual({ kind: 'original' });
    expect(targetOf(whereWith({}, versionOf({ hostname: 'other' })))).toEqual({
      kind: 'folder',
      path: '/home/ann/Restored 2026-03-09',
    });
  });

  it('may be an archive, named by plan and day', () => {
    const where = whereWith({ target: 'archive' }, versionOf({ planName: 'My files: “Fotos” / Ümläute' }));
    expect(targetOf(where)).toEqual({
      kind: 'archive',
      path: '/home/ann/holdfast-My-files-Fotos-Ümläute-2026-03-09.zip',
      format: 'zip',
    });
  });

  it('gets the ending of its kind', () => {
    const where = whereWith({
      target: 'archive',
      format: 'tar',
      archiveName: 'mine',
      archiveFolder: 'C:\\Users',
    });
    expect(targetOf(where)).toEqual({ kind: 'archive', path: 'C:\\Users\\mine.tar', format: 'tar' });
    expect(withFormat('a.zip', 'tar')).toBe('a.tar');
    expect(withFormat('a.b', 'tar')).toBe('a.b');
  });

  it('says what is missing', () => {
    const problem = (said: Partial<Draft>) => whereProblem(whereWith(said));
    expect(problem({})).toBeUndefined();
    expect(problem({ target: 'folder', folder: ' ' })).toBe('no-folder');
    expect(problem({ target: 'folder', folder: 'documents' })).toBe('relative');
    expect(problem({ target: 'archive', archiveName: '' })).toBe('no-name');
    expect(problem({ target: 'archive', archiveName: '../x.zip' })).toBe('bad-name');
    // What belongs to a choice that was not taken is no obstacle.
    expect(problem({ target: 'original', folder: '', archiveName: '' })).toBeUndefined();
  });
});

describe('days', () => {
  it('follow each other over the ends of months and years', () => {
    expect(dayAfter('2026-12-31', { days: 1 })).toBe('2027-01-01');
    expect(dayAfter('2026-03-01', { days: -1 })).toBe('2026-02-28');
    expect(dayAfter('2026-01-31', { months: 1 })).toBe('2026-02-28');
    expect(dayAfter('2026-03-31', { months: -1 })).toBe('2026-02-28');
    expect(monthAfter({ year: 2026, month: 11 }, 1)).toEqual({ year: 2027, month: 0 });
  });

  it('are the same again by their key', () => {
    for (let n = 0, day = '2024-01-01'; n < 1000; n++, day = dayAfter(day, { days: 1 })) {
      expect(dayKey(noonOf(day))).toBe(day);
    }
  });

  it('of a month come in whole weeks from Monday on', () => {
    const weeks = weeksOfMonth({ year: 2026, month: 1 });
    expect(weeks.map((week) => week[0])).toEqual([
      '2026-01-26',
      '2026-02-02',
      '2026-02-09',
      '2026-02-16',
      '2026-02-23',
    ]);
    expect(weeks.every((week) => week.length === 7)).toBe(true);
    expect(weeks.at(-1)?.at(-1)).toBe('2026-03-01');
  });
});

describe('versions', () => {
  const three = [
    versionOf({ id: 'c3', at: at('2026-03-09T23:59:59') }),
    versionOf({ id: 'b2', at: at('2026-03-09T00:00:00'), hostname: 'desktop' }),
    versionOf({ id: 'a1', at: at('2026-03-08T23:59:59') }),
  ];

  it('are found by day', () => {
    const days = versionsByDay(three);
    expect([...days].map(([day, list]) => [day, list.map(({ id }) => id)])).toEqual([
      ['2026-03-09', ['c3', 'b2']],
      ['2026-03-08', ['a1']],
    ]);
  });

  it('are told apart by computer and plan', () => {
    expect(linesOf(three)).toMatchObject([
      { hostname: 'laptop', count: 2 },
      { hostname: 'desktop', count: 1 },
    ]);
  });

  it('are named by their id, its beginning, or as the latest', () => {
    expect(versionNamed(three, 'b')?.id).toBe('b2');
    expect(versionNamed(three, 'latest')?.id).toBe('c3');
    expect(versionNamed(three, 'f')).toBeUndefined();
    expect(versionNamed(three, null)).toBeUndefined();
  });
});
