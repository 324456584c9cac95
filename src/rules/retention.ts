/**
 * How long versions are kept: a plan's words as the rules of `forget`.
 *
 * Lengths of time are counted back from the newest version, not from today: a computer that rests for a month loses
 * nothing by it. Days, weeks and months are those of the clock of the computer that made the version.
 */
import { assertNever } from '../api/errors.ts';
import type { Retention } from '../api/model/plan.ts';
import type { Duration, KeepPolicy } from '../repository/retention.ts';

type Counts = Extract<Retention, { kind: 'custom' }>['keep'];

const NOTHING: Duration = { years: 0, months: 0, days: 0, hours: 0 };
const span = (part: Partial<Duration>): Duration => ({ ...NOTHING, ...part });

/**
 * The policy that carries out `retention`; undefined: nothing is ever removed. Counts that are all zero would keep
 * nothing at all; nobody means that, so they remove nothing.
 */
export function keepPolicyOf(retention: Retention): KeepPolicy | undefined {
  switch (retention.kind) {
    case 'everything':
      return undefined;
    case 'balanced':
      return {
        within: span({ hours: 24 }),
        // Not a calendar month: 31 March less one is 2 March, and a day later it would begin on the 1st again.
        withinDaily: span({ days: 31 }),
        withinWeekly: span({ years: 1 }),
        monthly: -1,
      };
    case 'recent':
      return { within: span({ days: retention.days }) };
    case 'custom':
      return countsLeft(retention.keep).length === 0 ? undefined : { ...retention.keep };
    default:
      return assertNever(retention);
  }
}

/** What is kept, as a sentence to the person. */
export function describeRetention(retention: Retention): string {
  switch (retention.kind) {
    case 'everything':
      return 'Keeps every version for ever.';
    case 'balanced':
      return 'Keeps every version of the last 24 hours, then one a day for a month, one a week for a year and one a month for ever.';
    case 'recent':
      return `Keeps every version of the last ${counted(retention.days, 'day')}, counted back from the newest, and nothing older.`;
    case 'custom':
      return describeCounts(retention.keep);
    default:
      return assertNever(retention);
  }
}

const PERIODS = [
  ['hourly', 'hour'],
  ['daily', 'day'],
  ['weekly', 'week'],
  ['monthly', 'month'],
  ['yearly', 'year'],
] as const;

function countsLeft(keep: Counts): number[] {
  return Object.values(keep).filter((count) => count > 0);
}

function describeCounts(keep: Counts): string {
  if (countsLeft(keep).length === 0)
    return 'Keeps every version for ever, because no number says what to keep.';
  const newest = keep.last === 0 ? [] : [`the newest ${counted(keep.last, 'version')}`];
  const periods = PERIODS.filter(([rule]) => keep[rule] > 0).map(([rule, unit]) => counted(keep[rule], unit));
  const each =
    periods.length === 0 ? [] : [`one version for each of the newest ${list(periods)} that have one`];
  return `Keeps ${list([...newest, ...each])}.`;
}

function counted(n: number, unit: string): string {
  return n === 1 ? (unit === 'version' ? unit : `1 ${unit}`) : `${n} ${unit}s`;
}

/** `a`, `a and b`, `a, b and c`. */
function list(parts: readonly string[]): string {
  const last = parts.at(-1) ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`;
}
