/**
 * Dialogs over dialogs: Escape is heard by all of them, but closes only the one on top. A dialog that others may cover asks
 * `useCovered`, those that cover it call `useLayer`.
 */
import { useEffect, useSyncExternalStore } from 'react';

let open = 0;
const watchers = new Set<() => void>();

function change(by: number): void {
  open += by;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Covers what lies below while it is shown. */
export function useLayer(): void {
  useEffect(() => {
    change(1);
    // Not before the key that closes it has been heard by those below.
    return () => void setTimeout(() => change(-1));
  }, []);
}

export function useCovered(): boolean {
  return useSyncExternalStore(watch, () => open > 0);
}
