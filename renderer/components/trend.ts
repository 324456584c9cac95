/** How the free space of a destination changes: a straight line through the last weeks' samples. */
import { daysUntilFull } from '../../src/api/forecast.ts';
import type { SpaceSample } from '../../src/api/model/computer.ts';

export type Trend =
  /** Too few samples, or over too few days, to say anything. */
  | { readonly kind: 'few' }
  | { readonly kind: 'steady' }
  | { readonly kind: 'rises'; readonly bytesPerWeek: number }
  /** `weeks` until nothing is free; null: in more than two years, of which such a line says nothing. */
  | { readonly kind: 'falls'; readonly bytesPerWeek: number; readonly weeks: number | null };

const DAY = 24 * 3600 * 1000;
const WEEK = 7 * DAY;
/** What was longer ago says little about what comes. */
const LOOK_BACK = 60 * DAY;
const FEWEST = 5;
const SHORTEST = 4 * DAY;
const FARTHEST_WEEKS = 104;
/** Of the whole room, a week: less is as good as nothing. */
const STEADY_SHARE = 0.001;

/** `samples` oldest first. By least squares; a slope that drowns in the samples' own scatter counts as none. */
export function trendOf(samples: readonly SpaceSample[]): Trend {
  const last = samples.at(-1);
  const recent = samples.filter(({ at }) => last !== undefined && at >= last.at - LOOK_BACK);
  const first = recent[0];
  if (!last || !first || recent.length < FEWEST || last.at - first.at < SHORTEST) return { kind: 'few' };
  const { slope, scatter } = lineThrough(recent);
  const perWeek = slope * WEEK;
  const moved = Math.abs(slope * (last.at - first.at));
  if (moved < 2 * scatter || Math.abs(perWeek) < STEADY_SHARE * last.total) return { kind: 'steady' };
  if (perWeek > 0) return { kind: 'rises', bytesPerWeek: perWeek };
  return { kind: 'falls', bytesPerWeek: -perWeek, weeks: weeksUntilFull(samples) };
}

/** As the host's alerts count it. */
function weeksUntilFull(samples: readonly SpaceSample[]): number | null {
  const days = daysUntilFull(samples);
  return days === null || days > 7 * FARTHEST_WEEKS ? null : Math.floor(days / 7);
}

/** Least squares: bytes per millisecond, and the usual distance from the line. */
function lineThrough(samples: readonly SpaceSample[]) {
  const mean = (of: (sample: SpaceSample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const middle = mean(({ at }) => at);
  const average = mean(({ free }) => free);
  const spread = mean(({ at }) => (at - middle) ** 2);
  const slope = mean(({ at, free }) => (at - middle) * (free - average)) / spread;
  const lineAt = (at: number) => average + slope * (at - middle);
  const scatter = Math.sqrt(mean(({ at, free }) => (free - lineAt(at)) ** 2));
  return { slope, scatter };
}

/** The samples as an SVG path from the left to the right edge; up is free, the lower edge is nothing. Two samples at least. */
export function linePath(samples: readonly SpaceSample[], width: number, height: number): string {
  const from = samples[0]?.at ?? 0;
  const span = Math.max(1, (samples.at(-1)?.at ?? 0) - from);
  const most = Math.max(1, ...samples.map(({ free }) => free)) * 1.1;
  const points = samples.map(({ at, free }) => {
    const x = ((at - from) / span) * width;
    return `${x.toFixed(1)},${(height - (free / most) * height).toFixed(1)}`;
  });
  return `M${points.join('L')}`;
}
