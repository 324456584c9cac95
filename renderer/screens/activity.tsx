/** All runs, newest first, and how size, time and added data of the backups have gone. */
import { Loader, Skeleton, Text } from '@mantine/core';
import { IconActivity, IconFilterOff } from '@tabler/icons-react';
import { useCallback, useMemo } from 'react';
import { EmptyState, Page, ThrownNote } from '../components/parts.tsx';
import { useRuns } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { Filters, useFilter } from './activity/filter.tsx';
import { queryOf } from './activity/query.ts';
import { RunsTable } from './activity/runs-table.tsx';
import { Trends } from './activity/trends.tsx';

export function ActivityScreen() {
  const { say } = useSpeech();
  const { filter, filtered, change } = useFilter();
  const runs = useRuns(queryOf(filter));
  const all = useMemo(() => withoutTwins(runs.data?.pages.flat() ?? []), [runs.data]);
  const { fetchNextPage } = runs;
  const onMore = useCallback(() => {
    void fetchNextPage({ cancelRefetch: false });
  }, [fetchNextPage]);
  const nothing = runs.data !== undefined && all.length === 0;
  if (nothing && !filtered) return <Nothing />;
  return (
    <Page title={say('activity.title')}>
      <Trends planId={filter.plan} />
      <Filters filter={filter} filtered={filtered} onChange={change} />
      <ThrownNote error={runs.error} />
      {runs.isPending && <Skeleton height={240} radius="lg" />}
      {nothing && (
        <EmptyState
          icon={IconFilterOff}
          title={say('activity.empty.filtered')}
          text={say('activity.empty.filtered.text')}
        />
      )}
      {all.length > 0 && <RunsTable runs={all} hasMore={runs.hasNextPage} onMore={onMore} />}
      {runs.isFetchingNextPage && (
        <Loader size="sm" className="hf-centered" aria-label={say('common.more')} />
      )}
      {all.length > 20 && !runs.hasNextPage && (
        <Text size="sm" c="dimmed" ta="center">
          {say('activity.end', { count: all.length })}
        </Text>
      )}
    </Page>
  );
}

function Nothing() {
  const { say } = useSpeech();
  return (
    <Page title={say('activity.title')}>
      <EmptyState icon={IconActivity} title={say('activity.empty')} text={say('activity.empty.text')} />
    </Page>
  );
}

/** Pages overlap where several runs were queued in the same moment. */
function withoutTwins<T extends { readonly id: string }>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}
