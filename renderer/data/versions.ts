/** What lies in versions, as the host tells it. What a version holds never changes, so it is kept; today's files are asked anew. */
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import type { CatalogState, FileInVersion } from '../../src/api/model/look.ts';
import { keys } from './cache.ts';
import { useLink, useLinkState } from './host.tsx';
import type { HostLink } from './link.ts';

/** Pictures are large: they go soon after nobody looks at them. */
const KEPT_SHORTLY = 30_000;

/** Newest first. */
export function useVersions(destinationId: string | undefined) {
  const link = useLink();
  return useQuery({
    queryKey: keys.versions(destinationId ?? ''),
    enabled: destinationId !== undefined,
    // Whoever looks has them looked up: another computer may have added some, which no event tells.
    refetchOnMount: 'always',
    queryFn: ({ signal }) => link.client.versions.list({ destinationId: destinationId ?? '' }, { signal }),
  });
}

/** How far the catalog is; asking has it filled. */
export function useCatalog(destinationId: string) {
  const link = useLink();
  return useQuery({
    queryKey: keys.catalog(destinationId),
    queryFn: ({ signal }) => link.client.versions.catalog({ destinationId }, { signal }),
  });
}

export const MOST_HITS = 200;

/** What a text finds in all versions. While a new text is asked for, the older answer stays. */
export function useSearchVersions(destinationId: string, text: string) {
  const link = useLink();
  const cache = useQueryClient();
  const catalog = useCatalog(destinationId).data;
  const query = useQuery({
    queryKey: keys.search(destinationId, text),
    enabled: text !== '',
    gcTime: KEPT_SHORTLY,
    queryFn: ({ signal }) =>
      link.client.versions.search({ destinationId, text, limit: MOST_HITS }, { signal }),
    placeholderData: keepPreviousData,
  });
  useMoreFound(catalog, () =>
    cache.invalidateQueries({ queryKey: keys.searches(destinationId) }, { cancelRefetch: false }),
  );
  return query;
}

/** Calls when there are more versions that can be searched than before. */
function useMoreFound(catalog: CatalogState | undefined, again: () => unknown): void {
  const done = catalog?.done;
  const before = useRef(done);
  useEffect(() => {
    if (before.current !== undefined && done !== undefined && before.current !== done) void again();
    before.current = done;
  });
}

export function useTimeline(file: FileInVersion) {
  const link = useLink();
  const cache = useQueryClient();
  const queryKey = keys.timeline(file);
  useMoreFound(useCatalog(file.destinationId).data, () => cache.invalidateQueries({ queryKey }));
  return useQuery({
    queryKey,
    gcTime: KEPT_SHORTLY,
    queryFn: ({ signal }) => link.client.versions.timeline(file, { signal }),
    placeholderData: keepPreviousData,
  });
}

export function useFilePreview(file: FileInVersion) {
  const link = useLink();
  return useQuery({
    queryKey: keys.preview(file),
    gcTime: KEPT_SHORTLY,
    queryFn: ({ signal }) => link.client.versions.preview(file, { signal }),
  });
}

export function useComparison(file: FileInVersion) {
  const link = useLink();
  return useQuery({
    queryKey: keys.comparison(file),
    gcTime: 0,
    refetchOnMount: 'always',
    queryFn: ({ signal }) => link.client.versions.compare(file, { signal }),
  });
}

/** Loads parts of folders of a version; the same function as long as it is the same version. */
export function useFolderLoader(destinationId: string, versionId: string) {
  const link = useLink();
  return useMemo(
    () => (path: string, offset: number, limit: number, signal: AbortSignal) =>
      link.client.versions.folder({ destinationId, versionId, path, offset, limit }, { signal }),
    [link, destinationId, versionId],
  );
}

/** Runs something long on the line while the screen is shown, anew when the line was made anew or `task` is another one. */
export function useWhileConnected(task: (link: HostLink, signal: AbortSignal) => Promise<void>): void {
  const link = useLink();
  const connected = useLinkState() === 'connected';
  useEffect(() => {
    if (!connected) return;
    const stop = new AbortController();
    void task(link, stop.signal);
    return () => stop.abort();
  }, [link, connected, task]);
}
