/**
 * Values over time, drawn by recharts; a part of the page that is loaded when it is first looked at. Colours are the theme's
 * variables, so light and dark need no second drawing. Whoever can't see it is given a table instead (`Trends`).
 */
import {
  Bar,
  CartesianGrid,
  ComposedChart,
  Line,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import { useSpeech } from '../i18n/speech.tsx';
import type { Series } from './scale.ts';

/** More are not told apart; what is left over has no lines. */
export const MOST_SERIES = 5;

const TICK = { fill: 'var(--mantine-color-dimmed)', fontSize: 12 } as const;

type Row = { readonly at: number } & Readonly<Record<string, number>>;

/** One row for each moment, with the value of each series that has one then. */
function rowsOf(series: readonly Series[]): readonly Row[] {
  const rows = new Map<number, Record<string, number>>();
  series.forEach(({ points }, i) => {
    for (const { at, value } of points) rows.set(at, { ...rows.get(at), at, [`s${i}`]: value });
  });
  return [...rows.values()].map((row) => ({ at: 0, ...row })).sort((a, b) => a.at - b.at);
}

interface ChartProps {
  readonly series: readonly Series[];
  readonly kind: 'line' | 'bar';
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly text: (value: number) => string;
  /** Values at which the axis is marked, from the largest value that there is. */
  readonly ticks: (most: number) => readonly number[];
}

export function Chart(props: ChartProps) {
  const series = props.series.slice(0, MOST_SERIES);
  const values = series.flatMap(({ points }) => points.map(({ value }) => value));
  return (
    <div className="hf-chart" aria-hidden>
      <ResponsiveContainer width="100%" height={170}>
        <ComposedChart
          data={[...rowsOf(series)]}
          margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
          accessibilityLayer={false}
        >
          <CartesianGrid vertical={false} stroke="var(--hf-line)" />
          <TimeAxis from={props.from} to={props.to} />
          <ValueAxis text={props.text} ticks={props.ticks(Math.max(0, ...values))} />
          <Tooltip
            isAnimationActive={false}
            cursor={{ stroke: 'var(--hf-line)' }}
            content={({ active, payload }) =>
              active && payload ? (
                <Hint
                  at={Number(payload[0]?.payload?.at)}
                  values={payload.map((one) => [String(one.name), props.text(Number(one.value))])}
                />
              ) : null
            }
          />
          {series.map(({ name }, i) => mark(props.kind, name, i, values.length))}
        </ComposedChart>
      </ResponsiveContainer>
    </div>
  );
}

function TimeAxis({ from, to }: Pick<ChartProps, 'from' | 'to'>) {
  const { format } = useSpeech();
  return (
    <XAxis
      dataKey="at"
      type="number"
      domain={[from, to]}
      ticks={[...dayTicks(from, to)]}
      tickFormatter={(at: number) => format.day(at)}
      tick={TICK}
      tickLine={false}
      axisLine={{ stroke: 'var(--hf-line)' }}
      minTickGap={24}
      padding={{ left: 8, right: 8 }}
    />
  );
}

function ValueAxis(props: { readonly text: (value: number) => string; readonly ticks: readonly number[] }) {
  return (
    <YAxis
      width={76}
      ticks={[...props.ticks]}
      domain={[0, props.ticks.at(-1) ?? 1]}
      tickFormatter={props.text}
      tick={TICK}
      tickLine={false}
      axisLine={false}
    />
  );
}

/** Below that, each value is a point of its own on the line. */
const FEW_POINTS = 40;

function mark(kind: ChartProps['kind'], name: string, i: number, count: number) {
  const colour = `var(--hf-series-${i + 1})`;
  const common = { dataKey: `s${i}`, name, isAnimationActive: false } as const;
  if (kind === 'bar') {
    return <Bar key={name} {...common} barSize={barWidth(count)} radius={[2, 2, 0, 0]} fill={colour} />;
  }
  return (
    <Line
      key={name}
      {...common}
      type="monotone"
      strokeWidth={2}
      stroke={colour}
      dot={count < FEW_POINTS ? { r: 2.5, strokeWidth: 0, fill: colour } : false}
      activeDot={{ r: 4, strokeWidth: 0 }}
      connectNulls
    />
  );
}

/** In pixels: narrow enough that all fit side by side into a chart on a usual screen. */
function barWidth(count: number): number {
  return Math.max(1.5, Math.min(8, 200 / Math.max(1, count)));
}

function Hint(props: { readonly at: number; readonly values: readonly (readonly [string, string])[] }) {
  const { format } = useSpeech();
  return (
    <div className="hf-chart-hint">
      <div className="hf-dim">{format.exact(props.at)}</div>
      {props.values.map(([name, text]) => (
        <div key={name}>
          {name}: <strong>{text}</strong>
        </div>
      ))}
    </div>
  );
}

const DAY = 86_400_000;

/** Midnights, six or so. */
function dayTicks(from: number, to: number): readonly number[] {
  const step = Math.max(1, Math.ceil((to - from) / DAY / 6));
  const ticks: number[] = [];
  const day = new Date(from);
  for (let n = 1; ; n += step) {
    const at = new Date(day.getFullYear(), day.getMonth(), day.getDate() + n).getTime();
    if (at > to) return ticks;
    ticks.push(at);
  }
}
