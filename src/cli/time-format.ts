/** Points in time as people read and write them: local, to the second. */
import { EngineError } from '../api/errors.ts';

const two = (n: number) => String(n).padStart(2, '0');

/**
 * `2006-01-02 15:04:05` in the zone of this computer, from milliseconds or from an RFC 3339 text as snapshots
 * hold it. A text that is no time comes back unchanged.
 */
export function formatLocalTime(time: number | string): string {
  const d = new Date(time);
  if (Number.isNaN(d.getTime())) return String(time);
  const date = `${String(d.getFullYear()).padStart(4, '0')}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${date} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

const WRITTEN = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})$/;

/** Milliseconds since the epoch from `2006-01-02 15:04:05`, local. Error: 'usage'. */
export function parseLocalTime(text: string): number {
  const [year, month, day, hour, minute, second] = (WRITTEN.exec(text) ?? []).slice(1).map(Number);
  const d = new Date(year ?? Number.NaN, (month ?? 0) - 1, day, hour, minute, second);
  // A Date rolls 31 February over into March; what comes back must be what was written.
  if (formatLocalTime(d.getTime()) !== text.replace('T', ' ')) {
    throw new EngineError('usage', `"${text}" is not a time`, {
      hint: 'Write it as 2026-01-31 18:30:00, in the time of this computer.',
    });
  }
  return d.getTime();
}

/** The forms of restic's `find`: day, or day and time, in its order or with dots, with a zone or local. */
const MOMENT =
  /^(?:(?<y>\d{4})-(?<m>\d{2})-(?<d>\d{2})|(?<d2>\d{2})\.(?<m2>\d{2})\.(?<y2>\d{4}))(?:[ T](?<h>\d{2}):(?<min>\d{2})(?::(?<s>\d{2}))?)?(?: ?(?<zone>UTC|Z|[+-]\d{2}:?\d{2}))?$/;

/** Milliseconds since the epoch from `2026-01-31`, `2026-01-31 18:30`, `31.01.2026 18:30:00 +0100`. Error: 'usage'. */
export function parseMoment(text: string): number {
  const g = MOMENT.exec(text)?.groups;
  if (g === undefined) throw noMoment(text);
  const date = `${g.y ?? g.y2}-${g.m ?? g.m2}-${g.d ?? g.d2}`;
  const local = parseLocalTime(`${date} ${g.h ?? '00'}:${g.min ?? '00'}:${g.s ?? '00'}`);
  if (g.zone === undefined) return local;
  const zone = g.zone === 'UTC' ? 'Z' : g.zone.replace(/^(.\d{2}):?(\d{2})$/, '$1:$2');
  return Date.parse(`${date}T${g.h ?? '00'}:${g.min ?? '00'}:${g.s ?? '00'}${zone}`);
}

function noMoment(text: string): EngineError {
  return new EngineError('usage', `"${text}" is not a time`, {
    hint: 'Write it as 2026-01-31 or 2026-01-31 18:30:00, in the time of this computer.',
  });
}
