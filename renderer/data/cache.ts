/**
 * What the page knows, kept true by the host's events.
 *
 * key  under which something lies in the cache; `keys` names all of them
 */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { RunFilter } from '../../src/api/contract.ts';
import { assertNever } from '../../src/api/errors.ts';
import type { Destination } from '../../src/api/model/destination.ts';
import type { HostEvent } from '../../src/api/model/event.ts';
import type { FileInVersion } from '../../src/api/model/look.ts';
import { ENDED, type LogLine, type Progress, type Run } from '../../src/api/model/run.ts';

export type RunQuery = Partial<Omit<RunFilter, 'before' | 'limit'>>;
export type RunPages = InfiniteData<readonly Run[], number | undefined>;

export const keys = {
  status: ['status'],
  plans: ['plans'],
  destinations: ['destinations'],
  settings: ['settings'],
  alerts: ['alerts'],
  channels: ['channels'],
  /** Of the shell, not of the host. */
  shellPreferences: ['shell-preferences'],
  catalog: (destinationId: string) => ['catalog', destinationId],
  versions: (destinationId: string) => ['versions', destinationId],
  /** Begins the keys of all searches in a destination. */
  searches: (destinationId: string) => ['search', destinationId],
  search: (destinationId: string, text: string) => ['search', destinationId, text],
  timeline: (file: FileInVersion) => ['timeline', file],
  preview: (file: FileInVersion) => ['preview', file],
  comparison: (file: FileInVersion) => ['comparison', file],
  trend: (destinationId: string) => ['trend', destinationId],
  disks: ['disks'],
  suggestions: ['suggestions'],
  /** A folder of the host's computer; null: where choosing begins. */
  folder: (path: string | null) => ['folder', path],
  signedIn: (signInId: string) => ['signed-in', signInId],
  /** Begins the keys of all lists of runs. */
  allRuns: ['runs'],
  runs: (filter: RunQuery) => ['runs', filter],
  /** Runs that began after a moment, whole: for the calendar. */
  recent: ['recent-runs'],
  /** Begins with `recent`: a run that ends changes both. */
  backupHistory: (planId: string, since: number) => ['recent-runs', 'backups', planId, since],
  lastRestore: ['recent-runs', 'restore'],
  run: (id: string) => ['run', id],
  log: (id: string) => ['log', id],
  problems: (id: string) => ['problems', id],
  problemPage: (id: string, page: number) => ['problems', id, page],
} as const;

/** After a connection was made anew: what happened in between nobody has told. */
export function refreshAll(cache: QueryClient): void {
  void cache.invalidateQueries();
}

export function applyEvent(cache: QueryClient, event: HostEvent): void {
  switch (event.kind) {
    case 'status':
      cache.setQueryData(keys.status, event.status);
      return;
    case 'run':
      return applyRun(cache, event.run);
    case 'progress':
      return applyProgress(cache, event.runId, event.progress);
    case 'log':
      cache.setQueryData<readonly LogLine[]>(keys.log(event.runId), (lines) => withLine(lines, event.line));
      return;
    case 'plan':
    case 'plan-removed':
      // When it runs next is not in the event.
      return refresh(cache, keys.plans);
    case 'destination':
      return applyDestination(cache, event.destination);
    case 'destination-removed':
      cache.setQueryData<readonly Destination[]>(keys.destinations, (all) =>
        all?.filter(({ id }) => id !== event.destinationId),
      );
      return;
    case 'alert':
      return refresh(cache, keys.alerts);
    case 'settings':
      cache.setQueryData(keys.settings, event.settings);
      return;
    case 'channels':
      return refresh(cache, keys.channels);
    case 'catalog':
      cache.setQueryData(keys.catalog(event.catalog.destinationId), event.catalog);
      return;
    default:
      return assertNever(event);
  }
}

function refresh(cache: QueryClient, queryKey: readonly unknown[]): void {
  void cache.invalidateQueries({ queryKey });
}

/** A line may come by the event and by the answer to the call: only the event's own repetition is known by its time and text. */
function withLine(lines: readonly LogLine[] | undefined, line: LogLine): readonly LogLine[] | undefined {
  if (!lines) return undefined;
  const last = lines.at(-1);
  if (last && last.at === line.at && last.text === line.text) return lines;
  return [...lines, line];
}

function applyRun(cache: QueryClient, run: Run): void {
  const before = cache.getQueryData<Run>(keys.run(run.id));
  cache.setQueryData(keys.run(run.id), run);
  let listed = false;
  updateLists(cache, (one) => {
    if (one.id !== run.id) return one;
    listed = true;
    return run;
  });
  const changed = before?.state !== run.state;
  if (!listed || changed) refresh(cache, keys.allRuns);
  if (before?.problemCount !== run.problemCount) refresh(cache, keys.problems(run.id));
  if (changed && ENDED.includes(run.state)) {
    refresh(cache, keys.plans);
    refresh(cache, keys.recent);
    if (run.destinationId !== null) refresh(cache, keys.versions(run.destinationId));
  }
}

function applyProgress(cache: QueryClient, id: string, progress: Progress): void {
  const update = (run: Run): Run => (run.id === id && run.state === 'running' ? { ...run, progress } : run);
  cache.setQueryData<Run>(keys.run(id), (run) => run && update(run));
  updateLists(cache, update);
}

function updateLists(cache: QueryClient, update: (run: Run) => Run): void {
  cache.setQueriesData<RunPages>(
    { queryKey: keys.allRuns },
    (data) => data && { ...data, pages: data.pages.map((page) => page.map(update)) },
  );
}

function applyDestination(cache: QueryClient, destination: Destination): void {
  cache.setQueryData<readonly Destination[]>(keys.destinations, (all) => {
    if (!all) return undefined;
    const known = all.some(({ id }) => id === destination.id);
    return known ? all.map((d) => (d.id === destination.id ? destination : d)) : [...all, destination];
  });
}
