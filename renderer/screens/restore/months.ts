/** Versions by the day on which they were made, on the clock of this computer; and the days of a month as a calendar shows them. */
import type { Version } from '../../../src/api/model/destination.ts';

/** '2026-03-09', local. */
export type DayKey = string;

export interface Month {
  readonly year: number;
  /** 0: January. */
  readonly month: number;
}

export function dayKey(at: number): DayKey {
  const day = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Noon: no change of the clock makes another day of it. */
export function noonOf(key: DayKey): number {
  const [year = 0, month = 1, day = 1] = key.split('-').map(Number);
  return new Date(year, month - 1, day, 12).getTime();
}

export function monthOf(at: number): Month {
  const day = new Date(at);
  return { year: day.getFullYear(), month: day.getMonth() };
}

export function monthAfter({ year, month }: Month, by: number): Month {
  return monthOf(new Date(year, month + by, 1, 12).getTime());
}

/** In months since the year 0; to compare. */
export const monthNumber = ({ year, month }: Month) => year * 12 + month;

/** The day so many days, or months, later; where the month is shorter, its last day. */
export function dayAfter(key: DayKey, by: { readonly days?: number; readonly months?: number }): DayKey {
  const day = new Date(noonOf(key));
  if (by.months !== undefined) {
    const wanted = day.getDate();
    const length = new Date(day.getFullYear(), day.getMonth() + by.months + 1, 0).getDate();
    day.setMonth(day.getMonth() + by.months, Math.min(wanted, length));
  }
  day.setDate(day.getDate() + (by.days ?? 0));
  return dayKey(day.getTime());
}

/** Weeks from Monday on that cover the month, each with seven days. */
export function weeksOfMonth({ year, month }: Month): readonly (readonly DayKey[])[] {
  const first = new Date(year, month, 1, 12);
  const before = (first.getDay() + 6) % 7;
  const days = new Date(year, month + 1, 0).getDate();
  const weeks = Math.ceil((before + days) / 7);
  return Array.from({ length: weeks }, (_, week) =>
    Array.from({ length: 7 }, (_, day) =>
      dayKey(new Date(year, month, 1 + 7 * week + day - before, 12).getTime()),
    ),
  );
}

/** As they come: newest first. */
export function versionsByDay(versions: readonly Version[]): ReadonlyMap<DayKey, readonly Version[]> {
  const days = new Map<DayKey, Version[]>();
  for (const version of versions) {
    const key = dayKey(version.at);
    const day = days.get(key);
    if (day) day.push(version);
    else days.set(key, [version]);
  }
  return days;
}

/** Versions of one computer and plan (or, made by others, of one set of folders). */
export interface Line {
  readonly key: string;
  readonly hostname: string;
  /** null: of no plan that is known here. */
  readonly planName: string | null;
  readonly paths: readonly string[];
  readonly count: number;
}

export function lineKey({ hostname, planId, paths }: Version): string {
  return JSON.stringify(planId === null ? [hostname, ...paths] : [hostname, planId]);
}

/** The one with the newest version first. */
export function linesOf(versions: readonly Version[]): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const version of versions) {
    const key = lineKey(version);
    const before = lines.get(key);
    const { hostname, planName, paths } = before ?? version;
    lines.set(key, { key, hostname, planName, paths, count: (before?.count ?? 0) + 1 });
  }
  return [...lines.values()];
}

/** By its id, a beginning of it, or 'latest'. */
export function versionNamed(versions: readonly Version[], id: string | null): Version | undefined {
  if (id === null || id === '') return undefined;
  return id === 'latest' ? versions[0] : versions.find((version) => version.id.startsWith(id));
}
