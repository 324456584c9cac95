/** The host as the screens see it: what is known, and what can be asked of it. */
import {
  keepPreviousData,
  onlineManager,
  QueryClient,
  QueryClientProvider,
  useInfiniteQuery,
  useMutation,
  useQueries,
  useQuery,
} from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useSyncExternalStore } from 'react';
import type { Problem, Run } from '../../src/api/model/run.ts';
import type { Client } from '../../src/transport/client.ts';
import { applyEvent, keys, type RunQuery, refreshAll } from './cache.ts';
import type { HostLink, LinkState } from './link.ts';

const LinkContext = createContext<HostLink | undefined>(undefined);

export function useLink(): HostLink {
  const link = useContext(LinkContext);
  if (!link) throw new Error('outside of HostProvider');
  return link;
}

/** A cache whose content the events keep true, so nothing grows stale by itself. */
export function createCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        // A broken line is the link's concern: calls are paused until it stands again.
        retry: false,
      },
      // What a person asked for must not begin minutes later, when the line is back.
      mutations: { networkMode: 'always', retry: false },
    },
  });
}

/** Holds the line to the host while it is shown. */
export function HostProvider(props: {
  readonly link: HostLink;
  readonly cache: QueryClient;
  readonly children: ReactNode;
}) {
  const { link, cache } = props;
  useEffect(() => {
    const stop = new AbortController();
    // Whether there is an internet says nothing about a host that is, mostly, on this computer.
    onlineManager.setEventListener(() => undefined);
    onlineManager.setOnline(link.state === 'connected');
    const unsubscribe = link.subscribe(() => onlineManager.setOnline(link.state === 'connected'));
    void link.hold(
      { onConnected: () => refreshAll(cache), onEvent: (event) => applyEvent(cache, event) },
      stop.signal,
    );
    return () => {
      unsubscribe();
      stop.abort();
    };
  }, [link, cache]);
  return (
    <LinkContext value={link}>
      <QueryClientProvider client={cache}>{props.children}</QueryClientProvider>
    </LinkContext>
  );
}

export function useLinkState(): LinkState {
  const link = useLink();
  return useSyncExternalStore(link.subscribe, () => link.state);
}

export function useStatus() {
  const link = useLink();
  return useQuery({
    queryKey: keys.status,
    queryFn: ({ signal }) => link.client.system.status(undefined, { signal }),
  });
}

export function usePlans() {
  const link = useLink();
  return useQuery({
    queryKey: keys.plans,
    queryFn: ({ signal }) => link.client.plans.list(undefined, { signal }),
  });
}

type Destinations = Awaited<ReturnType<Client['destinations']['list']>>;

/** As the host names them. `select` is to be the same function at each call. */
export function useDestinations(select: (all: Destinations) => Destinations = (all) => all) {
  const link = useLink();
  return useQuery({
    queryKey: keys.destinations,
    queryFn: ({ signal }) => link.client.destinations.list(undefined, { signal }),
    select,
  });
}

/** While it is shown: no event tells of a disk that is plugged in, or of one that fills up. */
const DISKS_EVERY = 15_000;

export function useDisks() {
  const link = useLink();
  return useQuery({
    queryKey: keys.disks,
    queryFn: ({ signal }) => link.client.computer.disks(undefined, { signal }),
    staleTime: 0,
    refetchInterval: DISKS_EVERY,
  });
}

export function useSuggestions() {
  const link = useLink();
  return useQuery({
    queryKey: keys.suggestions,
    queryFn: ({ signal }) => link.client.computer.suggestions(undefined, { signal }),
    staleTime: 0,
    refetchInterval: DISKS_EVERY,
  });
}

/** A folder of the host's computer, read anew whenever it is looked at. */
export function useFolder(path: string | null) {
  const link = useLink();
  return useQuery({
    queryKey: keys.folder(path),
    queryFn: ({ signal }) => link.client.computer.folder({ path }, { signal }),
    staleTime: 0,
    gcTime: 0,
    placeholderData: keepPreviousData,
  });
}

/** Waits, as long as it is shown, until the person is back from signing in to a cloud. */
export function useSignedIn(signInId: string) {
  const link = useLink();
  return useQuery({
    queryKey: keys.signedIn(signInId),
    queryFn: ({ signal }) => link.client.destinations.signedIn({ signInId }, { signal }),
    gcTime: 0,
  });
}

/** Free space at a destination over time, oldest first. */
export function useTrend(destinationId: string) {
  const link = useLink();
  return useQuery({
    queryKey: keys.trend(destinationId),
    queryFn: ({ signal }) => link.client.destinations.trend({ id: destinationId }, { signal }),
    staleTime: 0,
  });
}

export function useSettings() {
  const link = useLink();
  return useQuery({
    queryKey: keys.settings,
    queryFn: ({ signal }) => link.client.settings.get(undefined, { signal }),
  });
}

export function useRun(id: string) {
  const link = useLink();
  return useQuery({
    queryKey: keys.run(id),
    queryFn: ({ signal }) => link.client.runs.get({ id }, { signal }),
  });
}

/** Several runs at once, as far as they are there yet and still known. */
export function useRunsNamed(ids: readonly string[]): readonly Run[] {
  const link = useLink();
  const found = useQueries({
    queries: [...new Set(ids)].map((id) => ({
      queryKey: keys.run(id),
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => link.client.runs.get({ id }, { signal }),
    })),
  });
  return found.flatMap(({ data }) => data ?? []);
}

export function useRunLog(id: string) {
  const link = useLink();
  return useQuery({
    queryKey: keys.log(id),
    queryFn: ({ signal }) => link.client.runs.log({ id }, { signal }),
  });
}

const PROBLEMS_PAGE = 200;

/**
 * The problems of a run between two places in their list, both inclusive, as far as they are there yet. Pages that were looked
 * at are kept; there may be tens of thousands.
 */
export function useRunProblems(
  id: string,
  first: number,
  last: number,
): (index: number) => Problem | undefined {
  const link = useLink();
  const from = Math.floor(first / PROBLEMS_PAGE);
  const pages = Math.floor(last / PROBLEMS_PAGE) - from + 1;
  const found = useQueries({
    queries: Array.from({ length: pages }, (_, i) => ({
      queryKey: keys.problemPage(id, from + i),
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        link.client.runs.problems(
          { id, offset: (from + i) * PROBLEMS_PAGE, limit: PROBLEMS_PAGE },
          { signal },
        ),
      placeholderData: keepPreviousData<readonly Problem[]>,
    })),
  });
  return (index) => found[Math.floor(index / PROBLEMS_PAGE) - from]?.data?.[index % PROBLEMS_PAGE];
}

export function useAlerts() {
  const link = useLink();
  return useQuery({
    queryKey: keys.alerts,
    queryFn: ({ signal }) => link.client.alerts.list(undefined, { signal }),
  });
}

export function useChannels() {
  const link = useLink();
  return useQuery({
    queryKey: keys.channels,
    queryFn: ({ signal }) => link.client.alerts.channels(undefined, { signal }),
  });
}

const PAGE = 100;

/** Runs, newest first, page by page. Those queued in the same moment as the last of a page are in the next one again. */
export function useRuns(filter: RunQuery) {
  const link = useLink();
  return useInfiniteQuery({
    queryKey: keys.runs(filter),
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam, signal }): Promise<readonly Run[]> =>
      link.client.runs.list(
        { ...filter, limit: PAGE, ...(pageParam === undefined ? {} : { before: pageParam }) },
        { signal },
      ),
    getNextPageParam: (last, _pages, before) => nextBefore(last, before),
    placeholderData: keepPreviousData,
  });
}

function nextBefore(page: readonly Run[], before: number | undefined): number | undefined {
  const last = page.at(-1)?.queuedAt;
  if (page.length < PAGE || last === undefined) return undefined;
  // A whole page of one moment, which no plan has, would otherwise be asked for without an end.
  return last + 1 === before ? last : last + 1;
}

/** Whole days that the calendar shows. */
export const CALENDAR_WEEKS = 12;
const MOST_PAGES = 10;

/** All runs since a moment, newest first; at most some thousand. */
export function useRecentRuns(since: number) {
  const link = useLink();
  return useQuery({
    queryKey: [...keys.recent, since],
    queryFn: ({ signal }) => runsSince(link.client, since, signal),
    placeholderData: keepPreviousData,
  });
}

async function runsSince(
  client: Client,
  since: number,
  signal: AbortSignal,
  filter: RunQuery = {},
): Promise<readonly Run[]> {
  const all: Run[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const before = all.at(-1)?.queuedAt;
    const runs = await client.runs.list(
      { ...filter, limit: 500, ...(before === undefined ? {} : { before }) },
      { signal },
    );
    all.push(...runs.filter((run) => run.queuedAt >= since));
    if (runs.length < 500 || (runs.at(-1)?.queuedAt ?? 0) < since) break;
  }
  return all;
}

/** Backups of a plan that ended well or with warnings since a moment, newest first; at most some thousand. */
export function useBackupHistory(planId: string, since: number) {
  const link = useLink();
  return useQuery({
    queryKey: keys.backupHistory(planId, since),
    queryFn: ({ signal }) =>
      runsSince(link.client, since, signal, { planId, kinds: ['backup'], states: ['succeeded', 'warnings'] }),
    placeholderData: keepPreviousData,
  });
}

/** The newest restore that ended well; null: there was none. */
export function useLastRestore() {
  const link = useLink();
  return useQuery({
    queryKey: keys.lastRestore,
    queryFn: async ({ signal }): Promise<Run | null> => {
      const runs = await link.client.runs.list(
        { kinds: ['restore'], states: ['succeeded', 'warnings'], limit: 1 },
        { signal },
      );
      return runs[0] ?? null;
    },
  });
}

/** Something that the person asks the host to do. */
export function useAsk<Input, Output>(ask: (client: Client, input: Input) => Promise<Output>) {
  const link = useLink();
  return useMutation({ mutationFn: (input: Input) => ask(link.client, input) });
}
