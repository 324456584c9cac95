import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { isEngineError } from '../../src/api/errors.ts';
import { parseTimestamp } from '../../src/format/time.ts';
import { type Id, isId, type StoredSnapshot } from '../../src/format/types.ts';
import { describeGroup, formatGroupBy, groupSnapshots, parseGroupBy } from '../../src/repository/grouping.ts';
import {
  applyPolicy,
  checkPolicy,
  describePolicy,
  formatDuration,
  isEmptyPolicy,
  type KeepPolicy,
  parseDuration,
  planForget,
} from '../../src/repository/retention.ts';

interface Case {
  readonly list: number;
  readonly policy: Readonly<Record<string, number | string | readonly (readonly string[])[]>>;
  readonly text: string;
  readonly keep: readonly string[];
  readonly remove: string;
}

interface Zone {
  readonly tz: string;
  readonly lists: readonly (readonly string[])[];
  readonly cases: readonly Case[];
}

/** What restic decides, on machines in three zones. */
const golden: { readonly zones: readonly Zone[] } = JSON.parse(
  readFileSync(new URL('../golden/retention.json', import.meta.url), 'utf8'),
);

const clock = { now: () => Date.UTC(2026, 0, 1) };
const zoneBefore = process.env.TZ;

afterEach(() => {
  if (zoneBefore === undefined) delete process.env.TZ;
  else process.env.TZ = zoneBefore;
});

function id(n: number): Id {
  const hex = n.toString(16).padStart(64, '0');
  if (!isId(hex)) throw new Error('no id');
  return hex;
}

/** From `time` or `time tag,tag`. */
function snapshot(text: string, n: number, more: Partial<StoredSnapshot> = {}): StoredSnapshot {
  const [time = '', tags] = text.split(' ');
  return {
    id: id(n),
    tree: id(0),
    time: parseTimestamp(time, 'a snapshot'),
    paths: ['/data'],
    hostname: 'box',
    ...(tags === undefined ? {} : { tags: tags.split(',') }),
    ...more,
  };
}

function policyOf(c: Case): KeepPolicy {
  const entries = Object.entries(c.policy);
  return Object.fromEntries(
    entries.map(([rule, value]) => [rule, typeof value === 'string' ? parseDuration(value) : value]),
  );
}

function decide(zone: Zone, c: Case) {
  const list = (zone.lists[c.list] ?? []).map((text, n) => snapshot(text, n));
  const place = (s: StoredSnapshot) => list.indexOf(s);
  const { keep, remove, reasons } = applyPolicy(list, policyOf(c), { clock });
  expect(reasons.map((r) => r.snapshot)).toEqual(keep);
  const told = reasons.map(({ snapshot: s, matches, counters }) => {
    const counts = Object.entries(counters).sort(([a], [b]) => (a < b ? -1 : 1));
    return `${place(s)}|${matches.join(';')}|${counts.map((pair) => pair.join('=')).join(',')}`;
  });
  return { keep: told, remove: remove.map(place).join(' '), text: describePolicy(policyOf(c)) };
}

describe('retention', () => {
  it.each(golden.zones)('decides as restic on a machine in $tz', (zone) => {
    process.env.TZ = zone.tz;
    for (const c of zone.cases) {
      const { keep, remove, text } = c;
      expect(decide(zone, c), JSON.stringify(c.policy)).toEqual({ keep, remove, text });
    }
    expect(zone.cases.length).toBeGreaterThan(100);
  });

  it('counts lengths of time over a change of the clock in the zone of this machine only', () => {
    process.env.TZ = 'Europe/Berlin';
    // A month before 10 April 12:00 +02:00 is 10 March 12:00 +01:00 in Berlin, but 12:00 +02:00 elsewhere.
    const list = ['2024-04-10T12:00:00+02:00', '2024-03-10T11:30:00+01:00'].map((t, n) => snapshot(t, n));
    const within = parseDuration('1m');
    expect(applyPolicy(list, { within }, { clock }).keep).toHaveLength(1);
    process.env.TZ = 'UTC';
    expect(applyPolicy(list, { within }, { clock }).keep).toHaveLength(2);
  });

  it.each([
    ['2021-01-03T12:00:00Z', '2020-12-28T12:00:00Z', 1],
    ['2021-01-04T12:00:00Z', '2021-01-03T12:00:00Z', 2],
    ['2016-01-03T12:00:00Z', '2015-12-28T12:00:00Z', 1],
    ['0001-01-01T12:00:00Z', '0000-12-31T12:00:00Z', 2],
  ])('puts %s and %s into ISO weeks', (a, b, weeks) => {
    const list = [snapshot(a, 1), snapshot(b, 2), snapshot('0000-01-20T00:00:00Z', 3)];
    const { reasons } = applyPolicy(list, { weekly: -1 }, { clock });
    expect(reasons.length).toBe(weeks + 1);
  });

  it('decides nothing for no snapshots', () => {
    expect(applyPolicy([], { last: 3 }, { clock })).toEqual({ keep: [], remove: [], reasons: [] });
  });
});

describe('durations', () => {
  it.each([
    ['9h', '9h'],
    ['5d7m', '7m5d'],
    [' 1y5m7d3h\n', '1y5m7d3h'],
    ['2y7m-5d', '2y7m-5d'],
    ['3d4d', '4d'],
    ['', ''],
    ['0d', ''],
  ])('read %j and write %j', (text, written) => {
    expect(formatDuration(parseDuration(text))).toBe(written);
  });

  it.each(['5', 'd', '5w', '1y 2m', '1.5d', '--1d'])('refuse %j', (text) => {
    expect(errorOf(() => parseDuration(text))).toContain(`usage: "${text}"`);
  });
});

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    if (isEngineError(e)) return `${e.code}: ${e.message}`;
    throw e;
  }
  return 'no error';
}

describe('policies', () => {
  it.each([
    [{ last: -2 }, '--keep-last'],
    [{ daily: 1.5 }, '--keep-daily'],
    [{ withinDaily: parseDuration('-1d') }, 'negative'],
  ])('refuse %j', (policy, message) => {
    expect(errorOf(() => checkPolicy(policy))).toContain(message);
  });

  it('are empty without a rule', () => {
    expect(isEmptyPolicy({})).toBe(true);
    expect(isEmptyPolicy({ last: 0, within: parseDuration('0d'), tags: [] })).toBe(true);
    expect(isEmptyPolicy({ tags: [['']] })).toBe(false);
    expect(isEmptyPolicy({ yearly: -1 })).toBe(false);
  });
});

describe('planForget', () => {
  const groupBy = parseGroupBy('host');
  const list = [
    snapshot('2024-01-01T00:00:00Z a', 1, { hostname: 'b' }),
    snapshot('2024-01-02T00:00:00Z', 2, { hostname: 'b' }),
    snapshot('2024-01-01T00:00:00Z a', 3, { hostname: 'a' }),
  ];

  it('applies the policy to each group', () => {
    const groups = planForget(list, { policy: { last: 1 }, groupBy, filtered: false, clock });
    expect(groups.map((g) => [g.key.hostname, g.keep.map((s) => s.id), g.remove.map((s) => s.id)])).toEqual([
      ['a', [id(3)], []],
      ['b', [id(2)], [id(1)]],
    ]);
  });

  it('refuses to leave nothing of a group', () => {
    const plan = () => planForget(list, { policy: { tags: [['x']] }, groupBy, filtered: false, clock });
    expect(errorOf(plan)).toContain('For host a the rules would leave no snapshot');
  });

  it('removes all only if that is asked for, and of a chosen part', () => {
    const o = { policy: {}, groupBy, clock };
    expect(errorOf(() => planForget(list, { ...o, filtered: true }))).toContain('No rule says');
    const all = { ...o, unsafeAllowRemoveAll: true };
    expect(errorOf(() => planForget(list, { ...all, filtered: false }))).toContain('only possible for');
    const removed = planForget(list, { ...all, filtered: true }).flatMap((g) => g.remove);
    expect(removed).toHaveLength(3);
  });
});

describe('grouping', () => {
  it.each([
    ['host,paths,tags', 'host,paths,tags'],
    ['tag,path,hosts', 'host,paths,tags'],
    ['', ''],
    [',paths,', 'paths'],
  ])('reads %j as %j', (text, written) => {
    expect(formatGroupBy(parseGroupBy(text))).toBe(written);
  });

  it.each(['user', 'toString', 'host, paths'])('refuses %j', (text) => {
    expect(errorOf(() => parseGroupBy(text))).toContain('usage');
  });

  it('takes paths and tags for sets, and keeps the order of snapshots', () => {
    const list = [
      snapshot('2024-01-01T00:00:00Z b,a', 1, { paths: ['/y', '/x'] }),
      snapshot('2024-01-02T00:00:00Z', 2, { paths: ['/x', '/y'] }),
      snapshot('2024-01-03T00:00:00Z a,b', 3, { paths: ['/x', '/y'] }),
      snapshot('2024-01-04T00:00:00Z', 4, { paths: ['/x'] }),
    ];
    const groups = groupSnapshots(list, parseGroupBy('host,paths,tags'));
    expect(groups.map((g) => [describeGroup(g.key), g.snapshots.map((s) => Number(`0x${s.id}`))])).toEqual([
      ['host box, path [/x]', [4]],
      ['host box, path [/x /y]', [2]],
      ['host box, path [/x /y], tags [a b]', [1, 3]],
    ]);
    expect(groupSnapshots(list, parseGroupBy(''))).toEqual([
      { key: { hostname: '', paths: null, tags: null }, snapshots: list },
    ]);
  });
});
