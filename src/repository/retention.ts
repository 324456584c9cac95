/**
 * Which snapshots stay: the rules of `forget`.
 *
 * bucket     the hour, day, week, month or year on the snapshot's own clock (in the zone in which it was made)
 * count      `daily: 7` keeps the newest snapshot of each of the seven newest days that have one; -1 keeps all days
 * within     a length of calendar time, counted back from the newest snapshot that is not in the future
 * oldest     while a count is not used up, the oldest snapshot of the list is kept as well
 *
 * Source of the rules, the wording of reasons included: restic's `internal/data/snapshot_policy.go`, `duration.go` and
 * `cmd/restic/cmd_forget.go`. Everything here is pure: snapshots in, decisions out.
 */
import { EngineError } from '../api/errors.ts';
import { type SecNs, toSecNs } from '../format/time.ts';
import type { StoredSnapshot, Timestamp } from '../format/types.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { describeGroup, type GroupBy, type GroupKey, groupSnapshots } from './grouping.ts';
import { hasTags, newestFirst, type TagList } from './snapshot-filter.ts';

// ---- lengths of calendar time

/** What a year or a month is depends on the day it is counted from. */
export interface Duration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const UNITS = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const;

/** Reads `1y5m7d3h`, each part optional and in any order; a unit given twice counts once, the last time. Error: 'usage'. */
export function parseDuration(text: string): Duration {
  const trimmed = text.trim();
  if (!/^(?:-?\d{1,15}[ymdh])*$/.test(trimmed)) {
    throw new EngineError('usage', `"${text}" is not a length of time.`, {
      hint: 'Write years, months, days and hours, such as 1y6m or 7d12h.',
    });
  }
  const duration = { years: 0, months: 0, days: 0, hours: 0 };
  for (const [, number, unit] of trimmed.matchAll(/(-?\d+)([ymdh])/g)) {
    duration[UNITS[unit as keyof typeof UNITS]] = Number(number);
  }
  return duration;
}

/** `1y5m7d3h`; parts that are zero are left out. */
export function formatDuration(d: Duration): string {
  return Object.entries(UNITS)
    .map(([unit, field]) => (d[field] === 0 ? '' : `${d[field]}${unit}`))
    .join('');
}

function isZero(d: Duration | undefined): boolean {
  return d === undefined || formatDuration(d) === '';
}

// ---- policies

/** Counts: how many to keep, -1 for all, 0 or absent for none by this rule. */
export interface KeepPolicy {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  readonly within?: Duration;
  readonly withinHourly?: Duration;
  readonly withinDaily?: Duration;
  readonly withinWeekly?: Duration;
  readonly withinMonthly?: Duration;
  readonly withinYearly?: Duration;
  /** Keep what has all tags of one of these lists. */
  readonly tags?: readonly TagList[];
}

export type CountRule = 'last' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';
type WithinRule = 'withinHourly' | 'withinDaily' | 'withinWeekly' | 'withinMonthly' | 'withinYearly';

/** A number that is the same for moments of the same bucket; `nr` is the snapshot's place in the list. */
type Bucket = (time: Timestamp, nr: number) => number;

const COUNT_RULES: readonly (readonly [CountRule, Bucket, reason: string])[] = [
  ['last', (_, nr) => nr, 'last snapshot'],
  ['hourly', hourOf, 'hourly snapshot'],
  ['daily', dayOf, 'daily snapshot'],
  ['weekly', weekOf, 'weekly snapshot'],
  ['monthly', monthOf, 'monthly snapshot'],
  ['yearly', yearOf, 'yearly snapshot'],
];

const WITHIN_RULES: readonly (readonly [WithinRule, Bucket, reason: string])[] = [
  ['withinHourly', hourOf, 'hourly within'],
  ['withinDaily', dayOf, 'daily within'],
  ['withinWeekly', weekOf, 'weekly within'],
  ['withinMonthly', monthOf, 'monthly within'],
  ['withinYearly', yearOf, 'yearly within'],
];

/** No rule at all: such a policy keeps nothing. */
export function isEmptyPolicy(p: KeepPolicy): boolean {
  const counts = COUNT_RULES.every(([rule]) => (p[rule] ?? 0) === 0);
  const within = isZero(p.within) && WITHIN_RULES.every(([rule]) => isZero(p[rule]));
  return counts && within && (p.tags ?? []).length === 0;
}

/** Error: 'usage' for a count below -1, one that is no whole number, or a negative length of time. */
export function checkPolicy(p: KeepPolicy): void {
  for (const [rule] of COUNT_RULES) {
    const count = p[rule] ?? 0;
    if (Number.isInteger(count) && count >= -1) continue;
    throw new EngineError('usage', `--keep-${rule} needs a whole number, not ${count}.`, {
      hint: 'Write unlimited to keep all.',
    });
  }
  for (const rule of ['within', ...WITHIN_RULES.map(([name]) => name)] as const) {
    const d = p[rule];
    if (d === undefined || Math.min(d.years, d.months, d.days, d.hours) >= 0) continue;
    throw new EngineError('usage', `${formatDuration(d)} is negative; --keep-within looks back only.`);
  }
}

/** `keep 7 daily, 4 weekly snapshots and all snapshots with tags [[a]]`, in restic's words. */
export function describePolicy(p: KeepPolicy): string {
  const parts = [countsText(p)];
  if (p.tags?.length) parts.push(`all snapshots with tags [${p.tags.map(tagsText).join(' ')}]`);
  if (p.within && !isZero(p.within)) {
    parts.push(`all snapshots within ${formatDuration(p.within)} of the newest`);
  }
  const told = parts.filter((part) => part !== '');
  return told.length === 0 ? 'remove' : `keep ${told.join(' and ')}`;
}

function countsText(p: KeepPolicy): string {
  const counts = COUNT_RULES.map(([rule]) => {
    const count = p[rule] ?? 0;
    const name = rule === 'last' ? 'latest' : rule;
    return count === 0 ? '' : `${count === -1 ? 'all' : count} ${name}`;
  }).filter((part) => part !== '');
  const within = WITHIN_RULES.map(([rule]) => {
    const d = p[rule];
    if (d === undefined || isZero(d)) return '';
    return `${rule.slice('within'.length).toLowerCase()} snapshots within ${formatDuration(d)}`;
  }).filter((part) => part !== '');
  return [...(counts.length === 0 ? [] : [`${counts.join(', ')} snapshots`]), ...within].join(', ');
}

/** restic's way to print a list of tags. */
function tagsText(tags: TagList): string {
  return `[${tags.join(', ')}]`;
}

// ---- applying a policy

/** Why a snapshot stays, and what is left of each count after it; a count of zero is left out. */
export interface KeepReason {
  readonly snapshot: StoredSnapshot;
  readonly matches: readonly string[];
  readonly counters: Readonly<Partial<Record<CountRule, number>>>;
}

/** All lists are newest first. `reasons` has an entry for each of `keep`. */
export interface PolicyResult {
  readonly keep: readonly StoredSnapshot[];
  readonly remove: readonly StoredSnapshot[];
  readonly reasons: readonly KeepReason[];
}

export interface PolicyOptions {
  readonly clock?: Pick<Clock, 'now'>;
}

/** Decides over one group of snapshots. */
export function applyPolicy(
  snapshots: readonly StoredSnapshot[],
  policy: KeepPolicy,
  o: PolicyOptions = {},
): PolicyResult {
  const list = newestFirst(snapshots);
  const newest = newestUntil(list, (o.clock ?? systemClock).now());
  const counts = COUNT_RULES.map(([rule, bucket, reason]) => new CountState(rule, bucket, reason, policy));
  const withins = WITHIN_RULES.map(
    ([rule, bucket, reason]) => new WithinState(bucket, reason, policy[rule], newest),
  );
  const keep: StoredSnapshot[] = [];
  const remove: StoredSnapshot[] = [];
  const reasons: KeepReason[] = [];
  for (const [nr, snapshot] of list.entries()) {
    const place = { nr, oldest: nr === list.length - 1 };
    const matches = [
      ...tagReasons(snapshot, policy),
      ...withinReason(snapshot, policy.within, newest),
      ...counts.flatMap((state) => state.take(snapshot, place)),
      ...withins.flatMap((state) => state.take(snapshot, place)),
    ];
    (matches.length > 0 ? keep : remove).push(snapshot);
    if (matches.length > 0) reasons.push({ snapshot, matches, counters: countersOf(counts) });
  }
  return { keep, remove, reasons };
}

function tagReasons(snapshot: StoredSnapshot, policy: KeepPolicy): string[] {
  const lists = (policy.tags ?? []).filter((list) => hasTags(snapshot, list));
  return lists.map((list) => `has tags ${tagsText(list)}`);
}

function withinReason(snapshot: StoredSnapshot, within: Duration | undefined, newest: Newest): string[] {
  if (within === undefined || isZero(within)) return [];
  return isAfter(toSecNs(snapshot.time), before(newest, within)) ? [`within ${formatDuration(within)}`] : [];
}

interface Place {
  readonly nr: number;
  /** The last of the list. */
  readonly oldest: boolean;
}

function countersOf(counts: readonly CountState[]): KeepReason['counters'] {
  return Object.fromEntries(counts.filter((c) => c.left !== 0).map((c) => [c.rule, c.left]));
}

/** No bucket has this number. */
const NONE = -1;

/** How far a count is used up. */
class CountState {
  readonly rule: CountRule;
  left: number;
  readonly #bucket: Bucket;
  readonly #reason: string;
  #last = NONE;

  constructor(rule: CountRule, bucket: Bucket, reason: string, policy: KeepPolicy) {
    this.rule = rule;
    this.left = policy[rule] ?? 0;
    this.#bucket = bucket;
    this.#reason = reason;
  }

  take(snapshot: StoredSnapshot, { nr, oldest }: Place): string[] {
    if (this.left === 0) return [];
    const bucket = this.#bucket(snapshot.time, nr);
    const repeated = bucket === this.#last;
    if (repeated && !oldest) return [];
    this.#last = bucket;
    if (this.left > 0) this.left--;
    return [repeated ? `oldest ${this.#reason}` : this.#reason];
  }
}

/** The last bucket seen within a length of time. */
class WithinState {
  readonly #bucket: Bucket;
  readonly #reason: string;
  readonly #start: SecNs | undefined;
  #last = NONE;

  constructor(bucket: Bucket, reason: string, within: Duration | undefined, newest: Newest) {
    const active = within !== undefined && !isZero(within);
    this.#bucket = bucket;
    this.#reason = active ? `${reason} ${formatDuration(within)}` : reason;
    this.#start = active ? before(newest, within) : undefined;
  }

  take(snapshot: StoredSnapshot, { nr, oldest }: Place): string[] {
    if (this.#start === undefined || !isAfter(toSecNs(snapshot.time), this.#start)) return [];
    const bucket = this.#bucket(snapshot.time, nr);
    const repeated = bucket === this.#last;
    if (repeated && !oldest) return [];
    this.#last = bucket;
    return [repeated ? `oldest ${this.#reason}` : this.#reason];
  }
}

// ---- calendars

const DAY = 86_400;

function field(time: Timestamp, start: number, end: number): number {
  return Number(time.slice(start, end));
}

function yearOf(time: Timestamp): number {
  return field(time, 0, 4);
}

function monthOf(time: Timestamp): number {
  return yearOf(time) * 100 + field(time, 5, 7);
}

function dayOf(time: Timestamp): number {
  return monthOf(time) * 100 + field(time, 8, 10);
}

function hourOf(time: Timestamp): number {
  return dayOf(time) * 100 + field(time, 11, 13);
}

/** The ISO week and the year it belongs to: those of its Thursday. */
function weekOf(time: Timestamp): number {
  const day = wallSeconds(time) / DAY;
  // 1970 began on a Thursday.
  const weekday = (((Math.floor(day) + 3) % 7) + 7) % 7;
  const thursday = new Date((Math.floor(day) - weekday + 3) * DAY * 1000);
  const year = thursday.getUTCFullYear();
  const dayOfYear = (thursday.getTime() - utcMs(year, 0, 1)) / (DAY * 1000);
  return year * 100 + Math.floor(dayOfYear / 7) + 1;
}

/** What the clock showed, as seconds since 1970 as if that clock showed UTC. */
function wallSeconds(time: Timestamp): number {
  const day = utcMs(field(time, 0, 4), field(time, 5, 7) - 1, field(time, 8, 10)) / 1000;
  return day + field(time, 11, 13) * 3600 + field(time, 14, 16) * 60 + field(time, 17, 19);
}

/** `Date.UTC`, which takes the years 0…99 for 1900…1999. NaN far outside of the calendar. */
function utcMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  return date.setUTCFullYear(year, month, day);
}

/** The moment that lengths of time count back from; undefined if all snapshots are in the future. */
type Newest = Timestamp | undefined;

function newestUntil(list: readonly StoredSnapshot[], nowMs: number): Newest {
  const sec = Math.floor(nowMs / 1000);
  const now = { sec, ns: Math.round((nowMs - sec * 1000) * 1_000_000) };
  return list.find((s) => isAfter(now, toSecNs(s.time)))?.time;
}

function isAfter(a: SecNs, b: SecNs): boolean {
  return a.sec > b.sec || (a.sec === b.sec && a.ns > b.ns);
}

const BEGINNING: SecNs = { sec: Number.NEGATIVE_INFINITY, ns: 0 };

/**
 * The moment that lies so long before: years, months and days by the calendar and with the same time on the clock
 * (31 March less a month is 3 March, or 2 March in a leap year), then hours of 3600 seconds.
 */
function before(newest: Newest, d: Duration): SecNs {
  if (newest === undefined) return BEGINNING;
  const { sec, ns } = toSecNs(newest);
  const day = utcMs(
    yearOf(newest) - d.years,
    field(newest, 5, 7) - 1 - d.months,
    field(newest, 8, 10) - d.days,
  );
  if (Number.isNaN(day)) return BEGINNING;
  const wall = day / 1000 + (((wallSeconds(newest) % DAY) + DAY) % DAY);
  const start = newest.endsWith('Z') ? wall : zonedSeconds(wall, wallSeconds(newest) - sec, sec);
  return { sec: start - d.hours * 3600, ns };
}

/**
 * The moment at which a clock shows `wall`. A time whose offset is that of this machine's zone at that moment is
 * taken to be of that zone, summer time and all; any other has the same offset for ever. That is how Go reads times.
 */
function zonedSeconds(wall: number, offset: number, sec: number): number {
  if (localOffset(sec) !== offset) return wall - offset;
  return wall - localOffset(wall - localOffset(wall));
}

/** Seconds by which this machine's clock is ahead of UTC at that moment; 0 far outside of the calendar. */
function localOffset(sec: number): number {
  return -(new Date(sec * 1000).getTimezoneOffset() || 0) * 60;
}

// ---- a whole run

export interface ForgetRequest {
  readonly policy: KeepPolicy;
  readonly groupBy: GroupBy;
  /** Allow an empty policy, which removes all that the filter chose. */
  readonly unsafeAllowRemoveAll?: boolean;
  /** Whether the snapshots were chosen by host, tags or paths; without, `unsafeAllowRemoveAll` is refused. */
  readonly filtered: boolean;
  readonly clock?: Pick<Clock, 'now'>;
}

export interface ForgetGroup extends PolicyResult {
  readonly key: GroupKey;
}

/**
 * Applies the policy to each group. Errors: 'usage' for a policy that makes no sense, for none at all, and for one
 * that would leave nothing of a group.
 */
export function planForget(snapshots: readonly StoredSnapshot[], o: ForgetRequest): ForgetGroup[] {
  checkPolicy(o.policy);
  const empty = isEmptyPolicy(o.policy);
  if (empty) refuseEmptyPolicy(o);
  return groupSnapshots(snapshots, o.groupBy).map(({ key, snapshots: group }) => {
    const result = applyPolicy(group, o.policy, o.clock ? { clock: o.clock } : {});
    if (!empty && result.keep.length === 0) throw nothingLeft(key);
    return { key, ...result };
  });
}

function refuseEmptyPolicy(o: ForgetRequest): void {
  if (!o.unsafeAllowRemoveAll) {
    throw new EngineError('usage', 'No rule says what to keep, so nothing is removed.', {
      hint: 'Say what to keep, for example with --keep-daily 7 --keep-weekly 5 --keep-monthly 12.',
    });
  }
  if (!o.filtered) {
    throw new EngineError('usage', 'Removing all snapshots is only possible for a host, a tag or a path.', {
      hint: 'Choose what to remove with --host, --tag or --path beside --unsafe-allow-remove-all.',
    });
  }
}

function nothingLeft(key: GroupKey): EngineError {
  const group = describeGroup(key);
  const which = group === '' ? 'The rules' : `For ${group} the rules`;
  return new EngineError('usage', `${which} would leave no snapshot at all, so nothing is removed.`, {
    hint: 'Add a rule that keeps something, such as --keep-last 1.',
  });
}
