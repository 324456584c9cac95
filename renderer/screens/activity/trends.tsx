/** How large the backups of a plan are, what they add and how long they take, over time: drawn, or as a table. */
import { Button, NativeSelect, SegmentedControl, Skeleton, Text, Title } from '@mantine/core';
import { IconChartLine, IconTable } from '@tabler/icons-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { PlanStatus } from '../../../src/api/model/plan.ts';
import { Panel, useNow } from '../../components/parts.tsx';
import { byteTicks, secondTicks } from '../../components/scale.ts';
import { VirtualList } from '../../components/virtual-list.tsx';
import { shownName } from '../../components/words.ts';
import { useBackupHistory, usePlans } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { MEASURES, type Measure, type Past, pastOf, seriesOf } from './history.ts';

const Chart = lazy(async () => ({ default: (await import('../../components/chart.tsx')).Chart }));

const PERIODS = [30, 90, 365] as const;
const DAY = 86_400_000;

export function Trends({ planId }: { readonly planId: string }) {
  const { data: plans } = usePlans();
  const [chosen, setChosen] = useState('');
  const plan = planOf(plans ?? [], planId, chosen);
  if (!plan) return null;
  return (
    <PlanTrends
      key={plan.plan.id}
      plans={planId === '' ? (plans ?? []) : [plan]}
      plan={plan}
      onPlan={setChosen}
    />
  );
}

/** What the filter says, else what was chosen here, else the first that has been backed up. */
function planOf(plans: readonly PlanStatus[], filtered: string, chosen: string): PlanStatus | undefined {
  const named = (id: string) => plans.find(({ plan }) => plan.id === id);
  if (filtered !== '') return named(filtered);
  return named(chosen) ?? plans.find(({ lastSuccess }) => lastSuccess.length > 0) ?? plans[0];
}

function PlanTrends(props: {
  readonly plans: readonly PlanStatus[];
  readonly plan: PlanStatus;
  readonly onPlan: (id: string) => void;
}) {
  const { say } = useSpeech();
  const { plan } = props.plan;
  const [days, setDays] = useState<number>(90);
  const [asTable, setAsTable] = useState(false);
  // By the day: a new moment would ask for everything anew.
  const to = Math.ceil(useNow() / DAY) * DAY;
  const from = to - days * DAY;
  const { data: runs } = useBackupHistory(plan.id, from);
  const past = useMemo(() => pastOf(runs ?? [], (name) => shownName(say, name)), [runs, say]);
  return (
    <Panel
      title={say('chart.title')}
      actions={
        <div className="hf-actions">
          {props.plans.length > 1 && (
            <NativeSelect
              aria-label={say('chart.plan')}
              data={props.plans.map((one) => ({ value: one.plan.id, label: one.plan.name }))}
              value={plan.id}
              onChange={(e) => props.onPlan(e.currentTarget.value)}
            />
          )}
          <SegmentedControl
            aria-label={say('chart.period')}
            data={PERIODS.map((n) => ({ value: String(n), label: say('chart.days', { days: n }) }))}
            value={String(days)}
            onChange={(value) => setDays(Number(value))}
          />
          <Button
            variant="default"
            aria-pressed={asTable}
            leftSection={
              asTable ? <IconChartLine size={17} aria-hidden /> : <IconTable size={17} aria-hidden />
            }
            onClick={() => setAsTable(!asTable)}
          >
            {say(asTable ? 'chart.as-chart' : 'chart.as-table')}
          </Button>
        </div>
      }
    >
      {!runs && <Skeleton height={190} radius="md" />}
      {runs && past.length === 0 && <Text c="dimmed">{say('chart.empty', { plan: plan.name })}</Text>}
      {past.length > 0 && (asTable ? <PastTable past={past} /> : <Charts past={past} from={from} to={to} />)}
    </Panel>
  );
}

function Charts({
  past,
  from,
  to,
}: {
  readonly past: readonly Past[];
  readonly from: number;
  readonly to: number;
}) {
  const { say, format } = useSpeech();
  const series = MEASURES.map((measure) => [measure, seriesOf(past, measure)] as const);
  const newest = past.at(-1);
  const text = (measure: Measure) => (measure === 'took' ? format.duration : format.bytes);
  const names = series[0]?.[1].map(({ name }) => name) ?? [];
  return (
    <>
      <div className="hf-charts">
        {series.map(([measure, lines]) => (
          <figure key={measure}>
            <figcaption>
              <Title order={3}>{say(`chart.${measure}`)}</Title>
              <span className="hf-dim">
                {newest && say('chart.newest', { value: text(measure)(newest.values[measure]) })}
              </span>
            </figcaption>
            <Suspense fallback={<Skeleton height={170} radius="md" />}>
              <Chart
                series={lines}
                kind={measure === 'added' ? 'bar' : 'line'}
                from={from}
                to={to}
                text={(value) => (value === 0 ? '0' : text(measure)(value))}
                ticks={measure === 'took' ? secondTicks : byteTicks}
              />
            </Suspense>
          </figure>
        ))}
      </div>
      {names.length > 1 && (
        <ul className="hf-legend">
          {names.map((name, i) => (
            <li key={name}>
              <span className="hf-series" data-series={i + 1} aria-hidden />
              {name}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function PastTable({ past }: { readonly past: readonly Past[] }) {
  const { say, format } = useSpeech();
  const cell = { role: 'cell' } as const;
  return (
    <VirtualList
      label={say('chart.title')}
      className="hf-past"
      count={past.length}
      rowHeight={40}
      columns={[
        say('activity.when'),
        say('chart.destination'),
        say('chart.size'),
        say('chart.added'),
        say('chart.took'),
      ]}
      row={(i) => {
        const one = past[past.length - 1 - i];
        return (
          one && (
            <>
              <div {...cell}>{format.exact(one.at)}</div>
              <div {...cell}>{one.destination}</div>
              <div {...cell}>{format.bytes(one.values.size)}</div>
              <div {...cell}>{format.bytes(one.values.added)}</div>
              <div {...cell}>{format.duration(one.values.took)}</div>
            </>
          )
        );
      }}
    />
  );
}
