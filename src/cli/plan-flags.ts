/**
 * From flags to a plan: what is given replaces that part of the plan, all else stays. A new plan starts from the defaults.
 *
 * A list that is given replaces the whole list of its kind; an empty value empties it: `--exclude ''`.
 */
import path from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import {
  type Hook,
  Hooks,
  KeepCounts,
  PlanInput,
  PlanOptions,
  type PlanSettings,
  PRESETS,
  type Preset,
  type Recurrence,
  type Retention,
  Rules,
  Schedule,
  type Source,
} from '../api/model/plan.ts';
import {
  choice,
  duration,
  flag,
  integer,
  list,
  parseChoice,
  parseInteger,
  type ValuesOf,
  value,
  values,
} from './options.ts';
import { parseCron, parseDaily, parseHourly, parseMonthly, parseWeekly } from './recurrence.ts';
import { shellWords } from './shell-words.ts';
import { parseSize, plural } from './units.ts';

const sourceOptions = {
  source: list('--source path', 'folder or file to back up (can be given several times)'),
  sourceCommand: values(
    '--source-command file=command',
    "back up a command's output as a file of this name, such as 'db.sql=pg_dump db'",
    (given) => (given === '' ? [] : [parseSourceCommand(given)]),
  ),
  destination: list('--destination name', 'where to keep it (can be given several times)'),
};

const scheduleOptions = {
  manual: flag('--manual', 'back up by hand only'),
  hourly: { ...value('--hourly hours', 'every so many hours, such as 6 or 6@15', parseHourly), implied: '1' },
  daily: value('--daily time', 'every day, such as 12:30 or 07:00,19:00', parseDaily),
  weekly: value(
    '--weekly days@time',
    'on these weekdays, such as mon,fri@18:00 or mon-fri@18:00',
    parseWeekly,
  ),
  monthly: value(
    '--monthly day@time',
    'on this day of the month, such as 1@03:00 or last@03:00',
    parseMonthly,
  ),
  cron: value('--cron expression', 'five fields: minute hour day month weekday', parseCron),
  timeZone: value('--time-zone name', 'of the times above, such as Europe/Berlin or system', parseTimeZone),
  jitter: integer('--jitter minutes', 'spread the starts at random over so many minutes'),
  noCatchUp: flag('--no-catch-up', "don't make up for starts that were missed"),
  noOnConnect: flag('--no-on-connect', "don't make up for them when the destination's disk is plugged in"),
};

const ruleOptions = {
  exclude: list('--exclude rule', 'leave this out, as in .gitignore; "!" takes back in (several times)'),
  preset: values(
    '--preset names',
    `leave out what is usually left out: ${PRESETS.join(', ')}, or none`,
    parsePresets,
  ),
  excludeLargerThan: value(
    '--exclude-larger-than size',
    'leave out larger files, such as 4G, or none',
    parseLimit,
  ),
  excludeIfPresent: list('--exclude-if-present file', 'leave out folders that hold a file of this name'),
  noExcludeCaches: flag('--no-exclude-caches', 'take folders that are marked with a CACHEDIR.TAG'),
  oneFileSystem: flag('--one-file-system', "don't leave the file system of a source"),
};

const hookOptions = {
  hookBefore: list(
    '--hook-before command',
    'run this first; if it fails, there is no backup (several times)',
  ),
  hookAfter: list('--hook-after command', 'run this afterwards, whatever the outcome was'),
  hookFailure: list('--hook-failure command', 'run this when a backup failed'),
  hookTimeout: duration('--hook-timeout time', 'stop a hook after this time, such as 10m'),
  hookOptional: flag('--hook-optional', 'back up even if a hook before the backup fails'),
};

const runOptions = {
  keep: value(
    '--keep rule',
    'how long to keep versions: balanced, everything, recent:30 (days), or counts such as daily=7,weekly=4',
    parseRetention,
  ),
  uploadLimit: value(
    '--upload-limit size',
    'write at most so much a second, such as 2M, or none',
    parseLimit,
  ),
  downloadLimit: value('--download-limit size', 'read at most so much a second, or none', parseLimit),
  priority: choice('--priority level', 'of processor and disk, low or normal', ['low', 'normal']),
  onBattery: choice('--on-battery what', 'run or wait while on battery', ['run', 'wait']),
  onMetered: choice('--on-metered what', 'run or wait while the network is metered', ['run', 'wait']),
  planTag: list('--tag tag', 'mark the versions with this (can be given several times)'),
  disable: flag('--disable', 'keep the plan, but never start it'),
};

/** The flags of `plan add`. */
export const planOptions = {
  ...sourceOptions,
  ...scheduleOptions,
  ...ruleOptions,
  ...hookOptions,
  ...runOptions,
};

export type PlanFlags = ValuesOf<typeof planOptions>;

/** What flags say of a plan: the values, and the names of those that were given. */
export interface Said {
  readonly flags: PlanFlags;
  readonly given: ReadonlySet<string>;
}

export interface PlanParts {
  readonly name: string;
  readonly destinations: readonly string[];
  /** What `--source` is relative to. */
  readonly cwd: string;
}

/** Daily at noon, and everything else as the contract has it. */
const USUAL: Recurrence = { kind: 'daily', at: ['12:30'] };

/** Error: 'usage' in the words of the flags. */
export function newPlan(said: Said, parts: PlanParts): PlanSettings {
  const fresh: PlanSettings = {
    name: parts.name,
    sources: [],
    rules: Rules.parse({}),
    destinations: [],
    schedule: Schedule.parse({ when: USUAL }),
    retention: { kind: 'balanced' },
    hooks: Hooks.parse({}),
    options: PlanOptions.parse({}),
    tags: [],
    enabled: true,
  };
  return changedPlan(fresh, said, parts);
}

/** `before` with what was given in place of what it had. Error: 'usage'. */
export function changedPlan(before: PlanSettings, said: Said, parts: PlanParts): PlanSettings {
  const { flags, given } = said;
  const sources = changedSources(before.sources, said, parts.cwd);
  if (sources.length === 0) {
    throw usage('The plan has nothing to back up.', 'Give at least one --source or --source-command.');
  }
  if (parts.destinations.length === 0) {
    throw usage('The plan has no destination.', 'Say with --destination where its backups are kept.');
  }
  return checkedPlan({
    name: parts.name,
    sources,
    destinations: [...new Set(parts.destinations)],
    rules: changedRules(before.rules, said),
    schedule: changedSchedule(before.schedule, said),
    retention: flags.keep ?? before.retention,
    hooks: changedHooks(before.hooks, said),
    options: changedOptions(before.options, said),
    tags: given.has('planTag') ? filled(flags.planTag) : before.tags,
    enabled: given.has('disable') ? !flags.disable : before.enabled,
  });
}

function changedSources(before: readonly Source[], { flags, given }: Said, cwd: string): Source[] {
  const paths = given.has('source')
    ? filled(flags.source).map(
        (place): Source => ({ kind: 'path', path: path.resolve(cwd, readable(place)) }),
      )
    : before.filter((source) => source.kind === 'path');
  const commands = given.has('sourceCommand')
    ? flags.sourceCommand
    : before.filter((source) => source.kind === 'command');
  return [...paths, ...commands];
}

/** A name that is not UTF-8 reaches us with lone surrogates, which no plan can hold. */
function readable(place: string): string {
  if (place.isWellFormed()) return place;
  throw usage('A path of a plan must be text in UTF-8.', 'Give the folder above it as the source.');
}

function changedRules(before: Rules, { flags, given }: Said): Rules {
  return {
    presets: given.has('preset') ? [...new Set(flags.preset)] : before.presets,
    lines: given.has('exclude') ? filled(flags.exclude) : before.lines,
    excludeLargerThan:
      flags.excludeLargerThan === undefined ? before.excludeLargerThan : flags.excludeLargerThan,
    excludeIfPresent: given.has('excludeIfPresent')
      ? filled(flags.excludeIfPresent)
      : before.excludeIfPresent,
    excludeCaches: given.has('noExcludeCaches') ? !flags.noExcludeCaches : before.excludeCaches,
    oneFileSystem: given.has('oneFileSystem') ? flags.oneFileSystem : before.oneFileSystem,
  };
}

function changedSchedule(before: Schedule, { flags, given }: Said): Schedule {
  return {
    when: whenOf(flags) ?? before.when,
    timeZone: flags.timeZone === undefined ? before.timeZone : flags.timeZone,
    jitterMinutes: flags.jitter ?? before.jitterMinutes,
    catchUp: given.has('noCatchUp') ? !flags.noCatchUp : before.catchUp,
    onConnect: given.has('noOnConnect') ? !flags.noOnConnect : before.onConnect,
  };
}

function whenOf(flags: PlanFlags): Recurrence | undefined {
  const manual: Recurrence | undefined = flags.manual ? { kind: 'manual' } : undefined;
  const all = [manual, flags.hourly, flags.daily, flags.weekly, flags.monthly, flags.cron];
  const [first, second] = all.filter((when) => when !== undefined);
  if (second === undefined) return first;
  throw usage(
    'The plan is given more than one schedule.',
    'Give one of --manual, --hourly, --daily, --weekly, --monthly and --cron.',
  );
}

function changedHooks(before: Hooks, { flags, given }: Said): Hooks {
  const timing = given.has('hookTimeout') ? { timeoutSeconds: Math.ceil(flags.hookTimeout / 1000) } : {};
  const hooksOf = (isGiven: boolean, commands: readonly string[], old: readonly Hook[]) =>
    (isGiven ? filled(commands).map(newHook) : old).map((hook) => ({ ...hook, ...timing }));
  const need = given.has('hookOptional') ? { required: !flags.hookOptional } : {};
  return {
    before: hooksOf(given.has('hookBefore'), flags.hookBefore, before.before).map((hook) => ({
      ...hook,
      ...need,
    })),
    after: hooksOf(given.has('hookAfter'), flags.hookAfter, before.after),
    onFailure: hooksOf(given.has('hookFailure'), flags.hookFailure, before.onFailure),
  };
}

function newHook(command: string): Hook {
  return { command: [...shellWords(command)], timeoutSeconds: 600, required: true };
}

function changedOptions(before: PlanOptions, { flags }: Said): PlanOptions {
  return {
    uploadLimit: flags.uploadLimit === undefined ? before.uploadLimit : flags.uploadLimit,
    downloadLimit: flags.downloadLimit === undefined ? before.downloadLimit : flags.downloadLimit,
    priority: flags.priority ?? before.priority,
    onBattery: flags.onBattery ?? before.onBattery,
    onMetered: flags.onMetered ?? before.onMetered,
  };
}

/** What the contract will not take is said before anything is sent. */
function checkedPlan(plan: z.input<typeof PlanInput>): PlanSettings {
  const result = PlanInput.safeParse(plan);
  if (result.success) return result.data;
  throw usage(`The plan can't be like this: ${z.prettifyError(result.error).replace(/^✖ /gm, '')}`);
}

/** `db.sql=pg_dump db`. */
function parseSourceCommand(text: string): Source {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw usage(`"${text}" is not a file and a command`, "Write them as 'db.sql=pg_dump db'.");
  }
  return {
    kind: 'command',
    fileName: text.slice(0, equals).trim(),
    command: [...shellWords(text.slice(equals + 1))],
  };
}

function parsePresets(text: string): readonly Preset[] {
  const words = text.split(',').map((word) => word.trim());
  return words.filter((word) => word !== '' && word !== 'none').map((word) => parseChoice(word, PRESETS));
}

/** null: the computer's own. */
export function parseTimeZone(text: string): string | null {
  if (text === 'system' || text === '') return null;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw usage(`"${text}" is not a time zone`, 'Write it as Europe/Berlin or UTC.');
  }
}

/** Bytes; null for none. */
export function parseLimit(text: string): number | null {
  return text === 'none' || text === '0' ? null : parseSize(text);
}

/** `balanced`, `everything`, `recent:30`, `last=5,daily=7`. */
export function parseRetention(text: string): Retention {
  if (text === 'balanced' || text === 'everything') return { kind: text };
  const recent = /^recent:(.+)$/.exec(text)?.[1];
  if (recent !== undefined) return { kind: 'recent', days: parseInteger(recent.replace(/d$/, ''), 1) };
  const counts = new Map(text.split(',').map(parseCount));
  const keep = KeepCounts.parse(Object.fromEntries(counts));
  if (Object.values(keep).every((n) => n === 0)) throw usage(`"${text}" would keep no version at all`);
  return { kind: 'custom', keep };
}

const COUNTS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

function parseCount(text: string): readonly [(typeof COUNTS)[number], number] {
  const [key = '', n = '', ...more] = text.split('=').map((part) => part.trim());
  if (n === '' || more.length > 0 || !COUNTS.some((known) => known === key)) {
    throw usage(
      `"${text}" does not say what to keep`,
      'Write balanced, everything, recent:30 or counts such as last=5,daily=7,weekly=4,monthly=12,yearly=3.',
    );
  }
  const count = parseInteger(n, 0);
  if (count > 10_000) throw usage(`${n} is more than 10000`);
  return [parseChoice(key, COUNTS), count];
}

/** What `parseRetention` reads back. */
export function formatRetention(retention: Retention): string {
  switch (retention.kind) {
    case 'balanced':
    case 'everything':
      return retention.kind;
    case 'recent':
      return `recent:${retention.days}`;
    case 'custom':
      return COUNTS.filter((key) => retention.keep[key] > 0)
        .map((key) => `${key}=${retention.keep[key]}`)
        .join(',');
  }
}

/** `every version of the last 30 days`. */
export function describeRetention(retention: Retention): string {
  switch (retention.kind) {
    case 'balanced':
      return 'all of a day, one a day for a month, one a week for a year, one a month for ever';
    case 'everything':
      return 'every version, for ever';
    case 'recent':
      return `every version of the last ${plural(retention.days, 'day')}`;
    case 'custom':
      return COUNTS.filter((key) => retention.keep[key] > 0)
        .map((key) => `${retention.keep[key]} ${key}`)
        .join(', ');
  }
}

function filled(given: readonly string[]): string[] {
  return given.filter((item) => item !== '');
}

function usage(message: string, hint?: string): EngineError {
  return new EngineError('usage', message, hint === undefined ? {} : { hint });
}
