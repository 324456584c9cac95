import type { ContenderName } from './contenders.ts';

/** Turns measurements into a table of medians with each one's ratio to restic's. */
export const MEASURES = [
  'first backup',
  'unchanged backup',
  'restore',
  'memory, first backup',
  'memory, unchanged backup',
  'memory, restore',
  'repository size',
] as const;
export type Measure = (typeof MEASURES)[number];

/** Seconds for the first three, otherwise bytes; one number per round. */
export type Results = ReadonlyMap<ContenderName, ReadonlyMap<Measure, readonly number[]>>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) throw new Error('no median of nothing');
  const [low, high] = [sorted[Math.ceil(middle) - 1]!, sorted[Math.floor(middle)]!];
  return (low + high) / 2;
}

function isTime(measure: Measure): boolean {
  return MEASURES.indexOf(measure) < 3;
}

export function shown(measure: Measure, value: number): string {
  return isTime(measure) ? `${value.toFixed(2)} s` : `${(value / (1 << 20)).toFixed(1)} MiB`;
}

/** Each cell: the median, the range over the rounds, and the ratio to restic (under 1 is better than restic). */
export function table(results: Results): string {
  const names = [...results.keys()];
  const head = ['', ...names];
  const rows = MEASURES.map((measure) => [measure, ...names.map((name) => cell(results, name, measure))]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cell(results: Results, name: ContenderName, measure: Measure): string {
  const values = results.get(name)?.get(measure) ?? [];
  if (values.length === 0) return '–';
  const text = shown(measure, median(values));
  const range = isTime(measure)
    ? ` (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`
    : '';
  const base = results.get('restic')?.get(measure) ?? [];
  if (name === 'restic' || base.length === 0) return text + range;
  return `${text}${range} **×${(median(values) / median(base)).toFixed(2)}**`;
}
