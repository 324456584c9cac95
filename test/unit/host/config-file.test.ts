import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Channel, Channel as ChannelSchema } from '../../../src/api/model/alert.ts';
import { DestinationInput } from '../../../src/api/model/destination.ts';
import { type Plan, PlanInput } from '../../../src/api/model/plan.ts';
import { Settings } from '../../../src/api/model/settings.ts';
import { fromYaml, type HostConfig, toDocument, toYaml } from '../../../src/host/config-file.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';

const settings = Settings.parse({});

function channelOf(said: Partial<Channel>): Channel {
  return ChannelSchema.parse({
    id: randomUUID(),
    name: 'Desktop',
    target: { kind: 'desktop' },
    hasSecret: true,
    lastResult: null,
    ...said,
  });
}

const disk = destinationOf({ name: 'USB disk' });
const documents = planOf({ name: 'Documents', destinations: [disk.id] });
const monitor = channelOf({
  name: 'Monitor',
  target: { kind: 'monitor', url: 'https://hc.example/ping/1', planId: documents.id },
});
const config: HostConfig = { plans: [documents], destinations: [disk], channels: [monitor], settings };

const wrongLine = (line: number, message: RegExp) =>
  expect.objectContaining({
    code: 'usage',
    message: expect.stringMatching(new RegExp(`^Line ${line}: .*${message.source}`)),
    context: { line },
  });

describe('a configuration as YAML', () => {
  it('names what it refers to, and has no ids', () => {
    const yaml = toYaml(config);
    expect(yaml).toMatch(/^# What Holdfast backs up/);
    expect(yaml).toContain('    destinations:\n      - USB disk\n');
    expect(yaml).toContain('      plan: Documents\n');
    expect(yaml).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    expect(yaml).not.toMatch(/hasSecret|repositoryId|lastResult/);
  });

  it('holds no password, not even one in an address', () => {
    const yaml = toYaml({
      ...config,
      destinations: [{ ...disk, location: 'rest:https://ann:geheim@host/x' }],
      channels: [channelOf({ target: { kind: 'ntfy', url: 'https://ann:geheim@ntfy.example/t' } })],
    });
    expect(yaml).not.toContain('geheim');
    expect(yaml).toContain('https://ann@ntfy.example/t');
  });

  it('cannot have two of a name', () => {
    const twice = { ...config, destinations: [disk, destinationOf({ name: 'USB disk' })] };
    expect(() => toYaml(twice)).toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(configs, (original) => {
        const document = fromYaml(toYaml(original));
        expect(document).toEqual(toDocument(original));
        const [plan] = document.plans;
        const [before] = original.plans;
        if (plan === undefined || before === undefined) return;
        const ids = plan.destinations.map((name) => original.destinations.find((d) => d.name === name)?.id);
        expect(PlanInput.parse({ ...plan, destinations: ids })).toEqual(PlanInput.parse(before));
      }),
      { numRuns: 200 },
    );
  });

  it('needs to say little', () => {
    const text = `version: 1
destinations:
  - { name: Disk, location: /d }
plans:
  - name: Home
    sources: [{ kind: path, path: /home }]
    destinations: [Disk]
    schedule: { when: { kind: manual } }
settings:
  language: de
`;
    const document = fromYaml(text);
    expect(document.destinations).toEqual([DestinationInput.parse({ name: 'Disk', location: '/d' })]);
    expect(document.plans[0]).toMatchObject({ name: 'Home', retention: { kind: 'balanced' }, enabled: true });
    expect(document.settings).toEqual({ language: 'de' });
    expect(fromYaml('version: 1')).toMatchObject({ plans: [], destinations: [], channels: [], settings: {} });
  });

  it('may refer to what is there already', () => {
    const text = toYaml(config).replace(/^destinations:\n[\s\S]*?(?=^plans:)/m, '');
    expect(() => fromYaml(text)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(fromYaml(text, { destinations: ['USB disk'], plans: [] }).plans).toHaveLength(1);
  });
});

const valid = `version: 1
destinations:
  - name: Disk
    location: /d
plans:
  - name: Home
    sources:
      - kind: path
        path: /home
    destinations:
      - Disk
    schedule:
      when: { kind: daily, at: ['12:30'] }
`;

describe('a document that is wrong', () => {
  it('is right before it is made wrong', () => {
    expect(fromYaml(valid).plans).toHaveLength(1);
  });

  it.each<[string, string, number, RegExp]>([
    ["'12:30'", "'25:30'", 13, /plans\[0\]\.schedule\.when\.at\[0\]/],
    ['path: /home', 'path: 7', 9, /path/],
    ['    sources:\n      - kind: path\n        path: /home\n', '', 6, /sources/],
    ['      - Disk', '      - Dsk', 11, /there is no destination “Dsk”/],
    ['location: /d', 'location: /d\n    locatoin: x', 5, /there is no field “locatoin”/],
    ['    schedule:', '    shedule: 1\n    schedule:', 12, /there is no field “shedule”/],
    ['name: Home', 'name: Home\n    rules: { preset: [caches] }', 7, /rules: there is no field “preset”/],
    ['version: 1', 'version: 2', 1, /version/],
    ['version: 1\n', '', 1, /version/],
    ['plans:', '  - name: Disk\n    location: /e\nplans:', 5, /destinations has “Disk” twice/],
    ['name: Home', 'name: Home\n    name: Away', 7, /unique/],
    ['path: /home', 'path: "/home', 9, /./],
    ['path: /home', 'path: /home\n        __proto__: { x: 1 }', 10, /there is no field “__proto__”/],
    ['name: Home', 'name: !!js/function x', 6, /./],
  ])('%j → %j: line %i is named', (part, instead, line, message) => {
    const text = valid.replace(part, instead);
    expect(text).not.toBe(valid);
    expect(() => fromYaml(text)).toThrow(wrongLine(line, message));
  });

  it.each(['', '[]', 'just words', '7', '--- a\n--- b'])('%j is none at all', (text) => {
    expect(() => fromYaml(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('cannot blow up', () => {
    const levels = Array.from({ length: 12 }, (_, i) =>
      i === 0
        ? 'a0: &a0 [x, x]'
        : `a${i}: &a${i} [${Array(9)
            .fill(`*a${i - 1}`)
            .join(', ')}]`,
    );
    expect(() => fromYaml(levels.join('\n'))).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringMatching(/refers to itself/) }),
    );
  });

  it('never fails with anything else, whatever the text', () => {
    const mutation = fc.tuple(
      fc.nat(valid.length),
      fc.nat(20),
      fc.string({ maxLength: 8, unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const text = mutations.reduce(
          (t, [at, gone, put]) => t.slice(0, at) + put + t.slice(at + gone),
          valid,
        );
        try {
          fromYaml(text);
        } catch (e) {
          expect(e).toMatchObject({ name: 'EngineError', code: 'usage' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Names and lines that YAML could take for something else: numbers, booleans, comments, quotes, line breaks. */
const word = fc.oneof(
  fc.constantFrom(
    'yes',
    'null',
    '12',
    '1e3',
    '0x1f',
    '~',
    '- a',
    'a: b',
    '#x',
    '"',
    "'",
    '&a',
    '*a',
    '!x',
    '| ',
    '12:30',
  ),
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
);
const name = word.map((w) => w.trim()).filter((w) => w !== '' && w.isWellFormed());
const text = word.filter((w) => w.isWellFormed() && w.length <= 100);

const configs = fc
  .record({
    names: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
    planNames: fc.uniqueArray(name, { maxLength: 3 }),
    lines: fc.array(text, { maxLength: 4 }),
    command: fc.array(text, { minLength: 1, maxLength: 3 }),
    path: text,
    tags: fc.array(text, { maxLength: 2 }),
    enabled: fc.boolean(),
    limit: fc.option(fc.integer({ min: 1, max: 2 ** 40 })),
    retention: fc.constantFrom<Plan['retention']>({ kind: 'everything' }, { kind: 'recent', days: 9 }),
    when: fc.constantFrom<Plan['schedule']['when']>(
      { kind: 'manual' },
      { kind: 'daily', at: ['00:00', '12:30'] },
      { kind: 'monthly', day: 'last', at: '03:00' },
      { kind: 'cron', expression: '0 4 * * *' },
    ),
  })
  .map((v): HostConfig => {
    const destinations = v.names.map((n) =>
      destinationOf({ name: n, location: `/${n}`, uploadLimit: v.limit }),
    );
    const hook = { command: v.command, timeoutSeconds: 5, required: false };
    const plans = v.planNames.map((n) =>
      planOf({
        name: n,
        destinations: destinations.map((d) => d.id),
        sources: [
          { kind: 'path', path: v.path },
          { kind: 'command', fileName: 'x.sql', command: v.command },
        ],
        rules: {
          presets: [],
          lines: v.lines,
          excludeLargerThan: v.limit,
          excludeIfPresent: [],
          excludeCaches: v.enabled,
          oneFileSystem: false,
        },
        schedule: { when: v.when, timeZone: null, jitterMinutes: 0, catchUp: v.enabled, onConnect: true },
        hooks: { before: [hook], after: [], onFailure: [hook] },
        retention: v.retention,
        tags: v.tags,
        enabled: v.enabled,
      }),
    );
    const planId = plans[0]?.id ?? null;
    const channels = [
      channelOf({ name: 'a', target: { kind: 'monitor', url: 'https://hc.example/1', planId } }),
      channelOf({
        name: 'b',
        target: { kind: 'webhook', url: 'https://hook.example/?a=b#c' },
        on: [],
        enabled: v.enabled,
      }),
    ];
    return { plans, destinations, channels, settings: { ...settings, uploadLimit: v.limit } };
  });
