/** Destinations by the names that people read. */
import { useCallback } from 'react';
import type { Destination } from '../../src/api/model/destination.ts';
import { useDestinations } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { shownName } from './words.ts';

/** For screens. What compares names with what the host knows takes `useDestinations`. */
export function useNamedDestinations() {
  const { say } = useSpeech();
  const named = useCallback(
    (all: Destination[]) =>
      all.map((one) => (one.embedded ? { ...one, name: shownName(say, one.name) } : one)),
    [say],
  );
  return useDestinations(named);
}
