/** All runs, newest first. */
import { Button, NativeSelect, Skeleton, Table, Text } from '@mantine/core';
import { IconActivity } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { RUN_KINDS, RUN_STATES, type Run, type RunKind, type RunState } from '../../src/api/model/run.ts';
import { EmptyState, Moment, Page, Panel, RunStateBadge, ThrownNote } from '../components/parts.tsx';
import { amountOf, secondsOf } from '../components/run-facts.ts';
import { runSubject } from '../components/words.ts';
import type { RunQuery } from '../data/cache.ts';
import { usePlans, useRuns } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';

interface Filter {
  readonly kind: RunKind | '';
  readonly state: RunState | '';
  readonly planId: string;
}

const ALL: Filter = { kind: '', state: '', planId: '' };

function queryOf({ kind, state, planId }: Filter): RunQuery {
  return {
    ...(kind === '' ? {} : { kinds: [kind] }),
    ...(state === '' ? {} : { states: [state] }),
    ...(planId === '' ? {} : { planId }),
  };
}

export function ActivityScreen() {
  const { say } = useSpeech();
  const [filter, setFilter] = useState(ALL);
  const runs = useRuns(queryOf(filter));
  const all = runs.data?.pages.flat() ?? [];
  const filtered = filter.kind !== '' || filter.state !== '' || filter.planId !== '';
  return (
    <Page title={say('activity.title')}>
      <Filters filter={filter} onChange={setFilter} />
      <ThrownNote error={runs.error} />
      {runs.isPending && <Skeleton height={240} radius="lg" />}
      {runs.data && all.length === 0 && !filtered && (
        <EmptyState icon={IconActivity} title={say('activity.empty')} text={say('activity.empty.text')} />
      )}
      {runs.data && all.length === 0 && filtered && <Text c="dimmed">{say('activity.empty.filtered')}</Text>}
      {all.length > 0 && <Runs runs={all} />}
      {runs.hasNextPage && (
        <Button
          variant="default"
          className="hf-centered"
          loading={runs.isFetchingNextPage}
          onClick={() => void runs.fetchNextPage()}
        >
          {say('common.more')}
        </Button>
      )}
    </Page>
  );
}

function Filters({
  filter,
  onChange,
}: {
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}) {
  const { say } = useSpeech();
  const { data: plans = [] } = usePlans();
  const kinds = RUN_KINDS.map((value) => ({ value, label: say(`run.${value}`) }));
  const states = RUN_STATES.map((value) => ({ value, label: say(`run.state.${value}`) }));
  return (
    <search className="hf-filters" aria-label={say('activity.filter')}>
      <NativeSelect
        label={say('activity.kind')}
        data={[{ value: '' as const, label: say('activity.all-kinds') }, ...kinds]}
        value={filter.kind}
        onChange={(e) => onChange({ ...filter, kind: e.currentTarget.value as Filter['kind'] })}
      />
      <NativeSelect
        label={say('activity.state')}
        data={[{ value: '' as const, label: say('activity.all-states') }, ...states]}
        value={filter.state}
        onChange={(e) => onChange({ ...filter, state: e.currentTarget.value as Filter['state'] })}
      />
      <NativeSelect
        label={say('activity.plan')}
        data={[
          { value: '', label: say('activity.all-plans') },
          ...plans.map(({ plan }) => ({ value: plan.id, label: plan.name })),
        ]}
        value={filter.planId}
        onChange={(e) => onChange({ ...filter, planId: e.currentTarget.value })}
      />
    </search>
  );
}

function Runs({ runs }: { readonly runs: readonly Run[] }) {
  const { say } = useSpeech();
  return (
    <Panel className="hf-flush">
      <div className="hf-scroll">
        <Table
          verticalSpacing="sm"
          horizontalSpacing="lg"
          highlightOnHover
          aria-label={say('activity.table')}
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{say('activity.what')}</Table.Th>
              <Table.Th>{say('activity.state')}</Table.Th>
              <Table.Th>{say('activity.when')}</Table.Th>
              <Table.Th>{say('activity.took')}</Table.Th>
              <Table.Th>{say('activity.data')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {runs.map((run) => (
              <RunRow key={run.id} run={run} />
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Panel>
  );
}

function RunRow({ run }: { readonly run: Run }) {
  const { say, format } = useSpeech();
  const seconds = secondsOf(run);
  return (
    <Table.Tr>
      <Table.Td>
        <Link href={`/activity/${run.id}`} className="hf-row-link">
          {say(`run.${run.task.kind}`)}
        </Link>
        <Text size="sm" c="dimmed">
          {runSubject(say, run)}
        </Text>
      </Table.Td>
      <Table.Td>
        <RunStateBadge state={run.state} />
      </Table.Td>
      <Table.Td>
        <Moment at={run.startedAt ?? run.queuedAt} />
      </Table.Td>
      <Table.Td>{seconds === null ? '' : format.duration(seconds)}</Table.Td>
      <Table.Td>{amountOf(say, format, run)}</Table.Td>
    </Table.Tr>
  );
}
