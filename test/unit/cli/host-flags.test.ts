import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlanSettings, PRESETS, type Recurrence, WEEKDAYS } from '../../../src/api/model/plan.ts';
import {
  absoluteLocation,
  changedDestination,
  destinationOptions,
} from '../../../src/cli/destination-flags.ts';
import { globalOptions } from '../../../src/cli/globals.ts';
import { hostOptions } from '../../../src/cli/host-client.ts';
import { parseFlags } from '../../../src/cli/parse.ts';
import {
  changedPlan,
  describeRetention,
  formatRetention,
  newPlan,
  parseRetention,
  planOptions,
} from '../../../src/cli/plan-flags.ts';
import { describeRecurrence, formatRecurrence, parseRecurrence } from '../../../src/cli/recurrence.ts';
import { findNamed } from '../../../src/cli/reference.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';

const DESTINATION = '11111111-1111-4111-8111-111111111111';
const parts = { name: 'Documents', destinations: [DESTINATION], cwd: '/home/ann' };

function said(...argv: string[]) {
  const { values, given } = parseFlags(argv, { ...globalOptions, ...hostOptions, ...planOptions });
  return { flags: values, given };
}

const make = (...argv: string[]) => newPlan(said('--source', 'docs', ...argv), parts);
const change = (before: PlanSettings, ...argv: string[]) => changedPlan(before, said(...argv), parts);

const usage = (message: RegExp, hint = /./) =>
  expect.objectContaining({
    code: 'usage',
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'usage', message: expect.stringMatching(message) });

describe('a new plan', () => {
  it('has the defaults of the contract where nothing is said', () => {
    expect(make()).toEqual({
      name: 'Documents',
      sources: [{ kind: 'path', path: '/home/ann/docs' }],
      destinations: [DESTINATION],
      rules: {
        presets: ['caches', 'temporary-files', 'trash', 'system'],
        lines: [],
        excludeLargerThan: null,
        excludeIfPresent: [],
        excludeCaches: true,
        oneFileSystem: false,
      },
      schedule: {
        when: { kind: 'daily', at: ['12:30'] },
        timeZone: null,
        jitterMinutes: 0,
        catchUp: true,
        onConnect: true,
      },
      retention: { kind: 'balanced' },
      hooks: { before: [], after: [], onFailure: [] },
      options: {
        uploadLimit: null,
        downloadLimit: null,
        priority: 'low',
        onBattery: 'run',
        onMetered: 'wait',
      },
      tags: [],
      enabled: true,
    });
  });

  it('says everything by flags', () => {
    const plan = make(
      ...['--source', '/srv', '--source-command', "db.sql=pg_dump -h 'my host' db=x"],
      ...['--weekly', 'mon-wed,sun@7:05', '--time-zone', 'Europe/Berlin', '--jitter', '10'],
      ...['--no-catch-up', '--no-on-connect', '--exclude', '*.iso', '--exclude', '!keep.iso'],
      ...['--preset', 'caches,node-modules', '--exclude-larger-than', '4G'],
      ...['--exclude-if-present', '.nobackup', '--no-exclude-caches', '--one-file-system'],
      ...['--hook-before', 'systemctl stop app', '--hook-after', 'systemctl start app'],
      ...['--hook-failure', 'notify "it failed"', '--hook-timeout', '90s', '--hook-optional'],
      ...['--keep', 'daily=7,weekly=4', '--upload-limit', '2M', '--download-limit', '512K'],
      ...[
        '--priority',
        'normal',
        '--on-battery',
        'wait',
        '--on-metered',
        'run',
        '--tag',
        'home',
        '--disable',
      ],
    );
    expect(plan).toEqual({
      name: 'Documents',
      sources: [
        { kind: 'path', path: '/home/ann/docs' },
        { kind: 'path', path: '/srv' },
        { kind: 'command', fileName: 'db.sql', command: ['pg_dump', '-h', 'my host', 'db=x'] },
      ],
      destinations: [DESTINATION],
      rules: {
        presets: ['caches', 'node-modules'],
        lines: ['*.iso', '!keep.iso'],
        excludeLargerThan: 4 * 1024 ** 3,
        excludeIfPresent: ['.nobackup'],
        excludeCaches: false,
        oneFileSystem: true,
      },
      schedule: {
        when: { kind: 'weekly', days: ['mon', 'tue', 'wed', 'sun'], at: '07:05' },
        timeZone: 'Europe/Berlin',
        jitterMinutes: 10,
        catchUp: false,
        onConnect: false,
      },
      retention: {
        kind: 'custom',
        keep: { last: 0, hourly: 0, daily: 7, weekly: 4, monthly: 0, yearly: 0 },
      },
      hooks: {
        before: [{ command: ['systemctl', 'stop', 'app'], timeoutSeconds: 90, required: false }],
        after: [{ command: ['systemctl', 'start', 'app'], timeoutSeconds: 90, required: true }],
        onFailure: [{ command: ['notify', 'it failed'], timeoutSeconds: 90, required: true }],
      },
      options: {
        uploadLimit: 2 * 1024 ** 2,
        downloadLimit: 512 * 1024,
        priority: 'normal',
        onBattery: 'wait',
        onMetered: 'run',
      },
      tags: ['home'],
      enabled: false,
    });
  });

  it.each<[string[], Recurrence]>([
    [['--manual'], { kind: 'manual' }],
    [['--hourly'], { kind: 'hourly', every: 1, minute: 0 }],
    [['--hourly=6'], { kind: 'hourly', every: 6, minute: 0 }],
    [['--hourly=6@15'], { kind: 'hourly', every: 6, minute: 15 }],
    [['--daily', '7:30,19:00'], { kind: 'daily', at: ['07:30', '19:00'] }],
    [['--weekly', 'fri-mon@18:00'], { kind: 'weekly', days: ['mon', 'fri', 'sat', 'sun'], at: '18:00' }],
    [['--weekly', 'MON, mon@18:00'], { kind: 'weekly', days: ['mon'], at: '18:00' }],
    [['--monthly', '31@03:00'], { kind: 'monthly', day: 31, at: '03:00' }],
    [['--monthly', 'last@03:00'], { kind: 'monthly', day: 'last', at: '03:00' }],
    [['--cron', ' 30  12 * * 1-5 '], { kind: 'cron', expression: '30 12 * * 1-5' }],
  ])('%j runs then', (argv, when) => {
    expect(make(...argv).schedule.when).toEqual(when);
  });

  it.each<[string[], RegExp]>([
    [['--daily', '24:00'], /--daily: "24:00" is not a time of day/],
    [['--daily', 'noon'], /"noon" is not a time of day/],
    [['--daily', '12:5'], /"12:5" is not a time of day/],
    [['--hourly=0'], /--hourly/],
    [['--hourly=13'], /--hourly/],
    [['--hourly=6@60'], /--hourly/],
    [['--hourly=x'], /"x" is not a number of hours/],
    [['--weekly', 'mon'], /"mon" does not say when/],
    [['--weekly', 'foo@12:00'], /"foo" is not a day of the week/],
    [['--weekly', 'mon-tue-wed@12:00'], /not a day of the week/],
    [['--weekly', '@12:00'], /does not say when/],
    [['--monthly', '0@12:00'], /--monthly/],
    [['--monthly', '32@12:00'], /--monthly/],
    [['--monthly', 'first@12:00'], /"first" is not a day of the month/],
    [['--cron', '* * * *'], /five fields/],
    [['--time-zone', 'Mars/Base'], /"Mars\/Base" is not a time zone/],
    [['--daily', '12:30', '--manual'], /more than one schedule/],
    [['--jitter', '721'], /721|720/],
    [['--keep', 'always'], /does not say what to keep/],
    [['--keep', 'daily=0'], /no version at all/],
    [['--keep', 'daily=-1'], /below 0/],
    [['--keep', 'daily=10001'], /more than 10000/],
    [['--keep', 'recent:0'], /below 1/],
    [['--keep', 'recent:99999'], /plan can't be like this/],
    [['--keep', '__proto__=1'], /does not say what to keep/],
    [['--preset', 'windows'], /"windows" is none of/],
    [['--exclude-larger-than', 'big'], /"big" is not a size/],
    [['--source-command', 'dump'], /not a file and a command/],
    [['--source-command', 'a/b=dump'], /not a file name/],
    [['--source-command', 'a='], /the command is empty/],
    [['--hook-before', '"open'], /never closed/],
    [['--hook-before', 'x', '--hook-timeout', '2000h'], /plan can't be like this/],
    [['--on-battery', 'maybe'], /"maybe" is none of run, wait/],
    [['--source', '\udcff'], /text in UTF-8/],
  ])('%j is refused', (argv, message) => {
    expect(() => make(...argv)).toThrow(refused(message));
  });

  it('needs a source, a destination and a name', () => {
    expect(() => newPlan(said(), parts)).toThrow(usage(/nothing to back up/, /--source/));
    expect(() => newPlan(said('--source', 'a'), { ...parts, destinations: [] })).toThrow(
      usage(/no destination/, /--destination/),
    );
    expect(() => newPlan(said('--source', 'a'), { ...parts, name: ' ' })).toThrow(refused(/name/));
  });

  it('has flags that no global flag has', () => {
    for (const [key, o] of Object.entries({ ...planOptions, ...destinationOptions, ...hostOptions })) {
      expect(globalOptions, key).not.toHaveProperty(key);
      expect(Object.values(globalOptions).map((g) => g.long)).not.toContain(o.long);
    }
  });
});

const times = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
const recurrences: fc.Arbitrary<Recurrence> = fc.oneof(
  fc.constant({ kind: 'manual' as const }),
  fc.record({
    kind: fc.constant('hourly' as const),
    every: fc.integer({ min: 1, max: 12 }),
    minute: fc.integer({ min: 0, max: 59 }),
  }),
  fc.record({ kind: fc.constant('daily' as const), at: fc.array(times, { minLength: 1, maxLength: 24 }) }),
  fc.record({
    kind: fc.constant('weekly' as const),
    days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
    at: times,
  }),
  fc.record({
    kind: fc.constant('monthly' as const),
    day: fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant('last' as const)),
    at: times,
  }),
  fc
    .constantFrom('0 4 * * *', '*/5 1-3 1,15 * 1-5')
    .map((expression) => ({ kind: 'cron' as const, expression })),
);

describe('a recurrence', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(recurrences, (when) => {
        expect(parseRecurrence(formatRecurrence(when))).toEqual(when);
        expect(describeRecurrence(when)).not.toBe('');
      }),
    );
  });

  it('needs a known form', () => {
    for (const text of ['', 'daily', 'yearly=1', 'toString=1', 'manual=x', 'cron=']) {
      expect(() => parseRecurrence(text)).toThrow(usage(/does not say when/, /weekly=/));
    }
    expect(parseRecurrence('hourly')).toEqual({ kind: 'hourly', every: 1, minute: 0 });
  });

  it('is said in words', () => {
    expect(describeRecurrence({ kind: 'weekly', days: ['mon', 'fri'], at: '18:00' })).toBe(
      'Mon, Fri at 18:00',
    );
    expect(describeRecurrence({ kind: 'hourly', every: 6, minute: 15 })).toBe('every 6 hours at minute 15');
    expect(describeRecurrence({ kind: 'monthly', day: 'last', at: '03:00' })).toMatch(
      /last day of the month/,
    );
  });
});

const counts = fc.integer({ min: 0, max: 10_000 });
describe('a retention', () => {
  it('is read back as it was written', () => {
    const custom = fc
      .record({
        last: counts,
        hourly: counts,
        daily: counts,
        weekly: counts,
        monthly: counts,
        yearly: counts,
      })
      .filter((keep) => Object.values(keep).some((n) => n > 0))
      .map((keep) => ({ kind: 'custom' as const, keep }));
    const recent = fc.integer({ min: 1, max: 36_500 }).map((days) => ({ kind: 'recent' as const, days }));
    const plain = fc.constantFrom({ kind: 'everything' as const }, { kind: 'balanced' as const });
    fc.assert(
      fc.property(fc.oneof(custom, recent, plain), (retention) => {
        expect(parseRetention(formatRetention(retention))).toEqual(retention);
        expect(describeRetention(retention)).not.toBe('');
      }),
    );
  });
});

describe('a plan that is changed', () => {
  const before = make(
    ...['--source-command', 'db.sql=dump', '--exclude', 'a', '--hook-before', 'one', '--hook-after', 'two'],
    ...['--upload-limit', '1M', '--tag', 'x', '--time-zone', 'UTC', '--weekly', 'sun@04:00', '--disable'],
  );

  it('stays the same where nothing is given', () => {
    expect(change(before)).toEqual(before);
  });

  it.each<[string[], (plan: PlanSettings) => PlanSettings]>([
    [
      ['--hourly=2'],
      (p) => ({ ...p, schedule: { ...p.schedule, when: { kind: 'hourly', every: 2, minute: 0 } } }),
    ],
    [['--time-zone', 'system'], (p) => ({ ...p, schedule: { ...p.schedule, timeZone: null } })],
    [['--no-catch-up'], (p) => ({ ...p, schedule: { ...p.schedule, catchUp: false } })],
    [['--no-catch-up=false'], (p) => p],
    [['--disable=false'], (p) => ({ ...p, enabled: true })],
    [['--exclude', 'b'], (p) => ({ ...p, rules: { ...p.rules, lines: ['b'] } })],
    [['--exclude', ''], (p) => ({ ...p, rules: { ...p.rules, lines: [] } })],
    [['--preset', 'none'], (p) => ({ ...p, rules: { ...p.rules, presets: [] } })],
    [['--preset', PRESETS.join(',')], (p) => ({ ...p, rules: { ...p.rules, presets: [...PRESETS] } })],
    [['--upload-limit', 'none'], (p) => ({ ...p, options: { ...p.options, uploadLimit: null } })],
    [['--tag', ''], (p) => ({ ...p, tags: [] })],
    [['--keep', 'everything'], (p) => ({ ...p, retention: { kind: 'everything' } })],
    [['--hook-before', ''], (p) => ({ ...p, hooks: { ...p.hooks, before: [] } })],
    [
      ['--hook-optional'],
      (p) => ({
        ...p,
        hooks: { ...p.hooks, before: p.hooks.before.map((h) => ({ ...h, required: false })) },
      }),
    ],
    [
      ['--source', '/new'],
      (p) => ({ ...p, sources: [{ kind: 'path', path: '/new' }, ...p.sources.slice(1)] }),
    ],
    [['--source-command', ''], (p) => ({ ...p, sources: p.sources.slice(0, 1) })],
    [['--source', ''], (p) => ({ ...p, sources: p.sources.slice(1) })],
  ])('by %j changes in that alone', (argv, expected) => {
    expect(change(before, ...argv)).toEqual(expected(before));
  });

  it('must keep a source', () => {
    expect(() => change(make(), '--source', '')).toThrow(refused(/nothing to back up/));
  });
});

describe('a destination', () => {
  const flagsOf = (...argv: string[]) => parseFlags(argv, destinationOptions).values;
  const at = { name: 'Disk', location: '/d' };

  it('changes only in what is given', () => {
    const fresh = changedDestination(undefined, flagsOf(), at);
    expect(fresh).toMatchObject({ ...at, warnBelowBytes: 5 * 1024 ** 3, uploadLimit: null });
    const busy = changedDestination(
      fresh,
      flagsOf('--clean-up', 'manual', '--check-percent', '5', '--warn-below', '1G', '--upload-limit=1M'),
      at,
    );
    expect(busy).toMatchObject({
      maintenance: { cleanUp: { kind: 'manual' }, check: fresh.maintenance.check, checkPercent: 5 },
      warnBelowBytes: 1024 ** 3,
      uploadLimit: 1024 ** 2,
    });
    expect(changedDestination(busy, flagsOf(), at)).toEqual(busy);
    expect(changedDestination(busy, flagsOf('--upload-limit', 'none'), at).uploadLimit).toBeNull();
    expect(() => changedDestination(busy, flagsOf('--check-percent', '101'), at)).toThrow(
      refused(/can't be/),
    );
  });

  it('lies where the person stands', () => {
    expect(absoluteLocation('backup', '/home/ann')).toBe('/home/ann/backup');
    expect(absoluteLocation('/backup', '/home/ann')).toBe('/backup');
    expect(absoluteLocation('local:a:b', '/home/ann')).toBe('local:/home/ann/a:b');
    expect(absoluteLocation('./a:b', '/home/ann')).toBe('/home/ann/a:b');
    expect(absoluteLocation('sftp:me@host:dir', '/home/ann')).toBe('sftp:me@host:dir');
    for (const empty of ['', 'local:']) expect(() => absoluteLocation(empty, '/')).toThrow(refused(/empty/));
  });
});

describe('a reference', () => {
  const plan = (id: string, name: string) => planOf({ id: `${id}-1111-4111-8111-111111111111`, name });
  const plans = [
    plan('aaaa1111', 'Docs'),
    plan('aaaa2222', 'docs'),
    plan('bbbb3333', 'aaaa2222'),
    plan('cccc4444', 'Twin'),
    plan('cccc5555', 'Twin'),
  ];
  const find = (reference: string) => findNamed(plans, reference, 'plan').id.slice(0, 8);

  it('is a whole id, else a name, else a name in another case, else the beginning of an id', () => {
    expect(find('aaaa1111-1111-4111-8111-111111111111')).toBe('aaaa1111');
    expect(find('AAAA1111-1111-4111-8111-111111111111')).toBe('aaaa1111');
    expect(find('Docs')).toBe('aaaa1111');
    expect(find('docs')).toBe('aaaa2222');
    expect(find('aaaa2222')).toBe('bbbb3333');
    expect(find('aaaa1')).toBe('aaaa1111');
    expect(find('B')).toBe('bbbb3333');
  });

  it('that fits more than one is ambiguous', () => {
    for (const reference of ['Twin', 'DOCS', 'aaaa']) {
      expect(() => find(reference)).toThrow(
        expect.objectContaining({ code: 'ambiguous', message: expect.stringMatching(/\(.+\), .+\(/) }),
      );
    }
  });

  it('that fits none is not found, with advice', () => {
    expect(() => find('Dcs')).toThrow(
      expect.objectContaining({ code: 'not-found', hint: 'Did you mean Docs or docs?' }),
    );
    expect(() => find('')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => findNamed([destinationOf()], 'x', 'destination')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('holdfast destination list') }),
    );
  });
});
