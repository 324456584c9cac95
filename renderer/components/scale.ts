/** What charts show, and the marks of their axes: at values that are round in the unit in which they are said. */

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** At most so many, besides 0. */
const MARKS = 4;
const ROUND = [1, 2, 5] as const;

/** From 0 to at least `most`; steps of 1, 2 or 5 times a power of ten. */
export function roundTicks(most: number, unit = 1): readonly number[] {
  const wanted = Math.max(most / unit, Number.MIN_VALUE) / MARKS;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = ROUND.find((one) => one * power >= wanted * (1 - 1e-9)) ?? 10;
  const step = most <= 0 ? unit : factor * power * unit;
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** Bytes: round in B, KiB, MiB …, whichever the largest value is said in. */
export function byteTicks(most: number): readonly number[] {
  const unit = most < 1 ? 1 : 1024 ** Math.floor(Math.log2(most) / 10);
  return roundTicks(most, unit);
}

/** Seconds: round in seconds, minutes or hours; none is said in parts of a second, so no mark is. */
export function secondTicks(most: number): readonly number[] {
  return roundTicks(Math.max(most, MARKS), most >= 2 * 3600 ? 3600 : most >= 120 ? 60 : 1);
}

/** Values at even distances as a filled SVG path, from the left to the right edge; the largest reaches nine tenths up. */
export function areaPath(values: readonly number[], width: number, height: number): string {
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, i) => {
    const y = height - (value / most) * height * 0.9;
    return `L${(i * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return `M0,${height}${points.join('')}L${width},${height}Z`;
}
