/**
 * Times as restic writes them: Go's RFC 3339 with up to nine decimals, trailing zeros cut, in the local zone of the
 * moment that is told (`Z` when that is UTC).
 *
 * Inside, a time is seconds since 1970 and nanoseconds 0…999,999,999 beside them; "wall" seconds are the same count
 * for what the local clock shows, as if that were UTC.
 */

import { damaged } from './go-json.ts';
import type { Timestamp } from './types.ts';

export interface SecNs {
  /** Seconds since 1970-01-01T00:00:00Z, rounded down. */
  readonly sec: number;
  /** 0…999,999,999 */
  readonly ns: number;
}

/** Anything that tells milliseconds since 1970; `Date` does. */
export interface MillisecondClock {
  now(): number;
}

const BILLION = 1_000_000_000n;
const DAY = 86_400;
/** The calendar repeats every 400 years, and so do the rules of a zone once its last change of law is past. */
const CYCLE = 146_097 * DAY;
const CYCLE_YEARS = 400;
/** Bounds of what `cyclesAway` leaves alone: 0000-01-02 and 9999-12-30, so that a zone can't push the year out. */
const EARLIEST = -62_167_132_800;
const LATEST = 253_402_128_000;
const MAX_YEAR = 9999;
/** Where Go's unsigned count of seconds begins, 1 March of the year -292277022400; earlier times wrap around to the end. */
const GO_ZERO = -(730_692_556n * 146_097n + 306n) * 86_400n - 62_135_596_800n;

// ---- writing

/** The local time `sec` seconds and `ns` nanoseconds after 1970; `sec` may be any whole double below 2^53. */
export function fromSecNs(sec: number, ns: number): Timestamp {
  if (sec >= EARLIEST && sec <= LATEST) return format(sec, ns);
  return formatFar(BigInt(sec), ns);
}

/** The local time `ns` nanoseconds after 1970, with the year held within 0…9999 as restic holds it. */
export function fromEpochNs(ns: bigint): Timestamp {
  const rest = ((ns % BILLION) + BILLION) % BILLION;
  const sec = (ns - rest) / BILLION;
  const near = Number(sec);
  return Number.isSafeInteger(near) ? fromSecNs(near, Number(rest)) : formatFar(sec, Number(rest));
}

/** The present, in milliseconds as finely as JavaScript tells. */
export function now(clock: MillisecondClock): Timestamp {
  const ms = Math.floor(clock.now());
  const sec = Math.floor(ms / 1000);
  return fromSecNs(sec, (ms - sec * 1000) * 1_000_000);
}

function format(sec: number, ns: number): Timestamp {
  const offset = offsetAt(sec);
  const wall = sec + offset;
  const day = Math.floor(wall / DAY);
  return (dayText(day) + clockText(wall - day * DAY) + fractionText(ns) + zoneText(offset)) as Timestamp;
}

/**
 * Moves a year beyond the calendar onto the nearest year within, keeping month, day and time of the local clock, as
 * Go's `AddDate` does it: 29 February may become 1 March.
 */
function formatFar(sec: bigint, ns: number): Timestamp {
  const offset = offsetAt(Number(sec - cyclesAway(sec) * BigInt(CYCLE)));
  const goSec = GO_ZERO + BigInt.asUintN(64, sec - GO_ZERO);
  const cycles = cyclesAway(goSec);
  const wall = Number(goSec - cycles * BigInt(CYCLE)) + offset;
  const { year, month, day } = civil(Math.floor(wall / DAY));
  const realYear = BigInt(year) + cycles * BigInt(CYCLE_YEARS);
  if (realYear >= 0n && realYear <= MAX_YEAR) return format(Number(goSec), ns);
  const time = wall - Math.floor(wall / DAY) * DAY;
  return format(fromWall(dayNumber(realYear < 0n ? 0 : MAX_YEAR, month, day) * DAY + time), ns);
}

/** How many whole cycles lie between `sec` and the years that `Date` and the zone data cover well. */
function cyclesAway(sec: bigint): bigint {
  const cycle = BigInt(CYCLE);
  if (sec > LATEST) return (sec - BigInt(LATEST) + cycle - 1n) / cycle;
  if (sec < EARLIEST) return -((BigInt(EARLIEST) - sec + cycle - 1n) / cycle);
  return 0n;
}

/** The moment at which the local clock shows `wall`; where it never or twice does, the one that Go's `Date` takes. */
function fromWall(wall: number): number {
  return wall - offsetAt(wall - offsetAt(wall));
}

// ---- the local zone

/** Seconds east of UTC by day since 1970, for days without a change of the clock. */
const dayOffsets = new Map<number, number>();
/** Bounds the memory of both caches. */
const CACHE_LIMIT = 20_000;

/** Seconds by which the local clock is ahead of UTC at that moment. */
function offsetAt(sec: number): number {
  const day = Math.floor(sec / DAY);
  const known = dayOffsets.get(day);
  if (known !== undefined) return known;
  const start = exactOffset(day * DAY);
  if (start !== exactOffset((day + 1) * DAY)) return exactOffset(sec);
  remember(dayOffsets, day, start);
  return start;
}

/** Not `getTimezoneOffset`: that drops the seconds which local mean time had before zones were whole minutes. */
function exactOffset(sec: number): number {
  const date = new Date(sec * 1000);
  const day = dayNumber(date.getFullYear(), date.getMonth() + 1, date.getDate());
  return day * DAY + date.getHours() * 3600 + date.getMinutes() * 60 + date.getSeconds() - sec;
}

function remember<K, V>(cache: Map<K, V>, key: K, value: V): void {
  if (cache.size >= CACHE_LIMIT) cache.clear();
  cache.set(key, value);
}

// ---- the pieces of the text

const TWO_DIGITS = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
const dayTexts = new Map<number, string>();
const zoneTexts = new Map<number, string>();

/** `2024-02-29T` for a day counted from 1970. */
function dayText(day: number): string {
  const known = dayTexts.get(day);
  if (known !== undefined) return known;
  const date = civil(day);
  const text = `${String(date.year).padStart(4, '0')}-${TWO_DIGITS[date.month]}-${TWO_DIGITS[date.day]}T`;
  remember(dayTexts, day, text);
  return text;
}

function clockText(second: number): string {
  const hour = Math.floor(second / 3600);
  const minute = Math.floor(second / 60) % 60;
  return `${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[second % 60]}`;
}

function fractionText(ns: number): string {
  if (ns === 0) return '';
  const digits = String(ns + 1_000_000_000);
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return `.${digits.slice(1, end)}`;
}

/** Whole minutes only: Go cuts the seconds of a historic offset. */
function zoneText(offset: number): string {
  const known = zoneTexts.get(offset);
  if (known !== undefined) return known;
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const sign = offset < 0 ? '-' : '+';
  const text =
    offset === 0 ? 'Z' : `${sign}${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}`;
  remember(zoneTexts, offset, text);
  return text;
}

// ---- the calendar (proleptic Gregorian; years counted from March, so that the leap day is a year's last)

/** Days from 1970-01-01. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / CYCLE_YEARS);
  const yearOfEra = y - era * CYCLE_YEARS;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}

function civil(day: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const year = era * CYCLE_YEARS + yearOfEra + (month <= 2 ? 1 : 0);
  return { year, month, day: dayOfYear - Math.floor((153 * march + 2) / 5) + 1 };
}

// ---- reading

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** A text as a time, if it is one in Go's strict sense. Error: 'damaged'. */
export function parseTimestamp(text: string, what: string): Timestamp {
  if (!isTimestamp(text)) throw damaged(what, 'has a time that is none');
  return text as Timestamp;
}

function isTimestamp(s: string): boolean {
  const separators = s[4] === '-' && s[7] === '-' && s[10] === 'T' && s[13] === ':' && s[16] === ':';
  if (!separators || !isDate(digits(s, 0, 4), digits(s, 5, 2), digits(s, 8, 2))) return false;
  if (!within(digits(s, 11, 2), 23) || !within(digits(s, 14, 2), 59) || !within(digits(s, 17, 2), 59)) {
    return false;
  }
  const zone = zoneStart(s);
  return zone !== 20 && isZone(s, zone);
}

function isDate(year: number, month: number, day: number): boolean {
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= MONTH_DAYS[month - 1]! + (leap ? 1 : 0);
}

function isZone(s: string, at: number): boolean {
  if (s[at] === 'Z') return s.length === at + 1;
  const shape = (s[at] === '+' || s[at] === '-') && s[at + 3] === ':' && s.length === at + 6;
  return shape && within(digits(s, at + 1, 2), 23) && within(digits(s, at + 4, 2), 59);
}

function within(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

/** The number that `count` decimal digits spell, or a negative one where a character is no digit. */
function digits(s: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = s.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Where the zone begins: after the seconds and what decimals follow them; 20 for a point without decimals. */
function zoneStart(s: string): number {
  if (s[19] !== '.') return 19;
  let at = 20;
  while (digits(s, at, 1) >= 0) at++;
  return at;
}

/** The moment that a time tells. */
export function toSecNs(t: Timestamp): SecNs {
  const day = dayNumber(digits(t, 0, 4), digits(t, 5, 2), digits(t, 8, 2));
  const clock = digits(t, 11, 2) * 3600 + digits(t, 14, 2) * 60 + digits(t, 17, 2);
  const zone = zoneStart(t);
  const decimals = Math.min(9, zone - 20);
  const ns = decimals > 0 ? digits(t, 20, decimals) * 10 ** (9 - decimals) : 0;
  return { sec: day * DAY + clock - zoneOffset(t, zone), ns };
}

function zoneOffset(t: Timestamp, zone: number): number {
  if (t[zone] === 'Z') return 0;
  const offset = digits(t, zone + 1, 2) * 3600 + digits(t, zone + 4, 2) * 60;
  return t[zone] === '-' ? -offset : offset;
}

/** Nanoseconds since 1970. */
export function toEpochNs(t: Timestamp): bigint {
  const { sec, ns } = toSecNs(t);
  return BigInt(sec) * BILLION + BigInt(ns);
}

/** Whether two times tell the same moment, whatever the zone they are told in. */
export function sameInstant(a: Timestamp, b: Timestamp): boolean {
  if (a === b) return true;
  const left = toSecNs(a);
  const right = toSecNs(b);
  return left.sec === right.sec && left.ns === right.ns;
}
