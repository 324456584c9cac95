/** Counts what a draft would back up, anew whenever it has changed and the person has paused. */
import { useDebouncedValue } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { isEngineError } from '../../../src/api/errors.ts';
import type { Preview, Rules, Source } from '../../../src/api/model/plan.ts';
import { useLink, useLinkState } from '../../data/host.tsx';

export interface Counted {
  readonly preview?: Preview;
  readonly error?: unknown;
}

const PAUSE = 300;

export function usePreview(sources: readonly Source[], rules: Rules): Counted {
  const link = useLink();
  const connected = useLinkState() === 'connected';
  // By value: an equal draft is not counted twice.
  const [wanted] = useDebouncedValue(JSON.stringify({ sources, rules }), PAUSE);
  const [counted, setCounted] = useState<Counted>({});
  useEffect(() => {
    const stop = new AbortController();
    const input = JSON.parse(wanted) as { readonly sources: Source[]; readonly rules: Rules };
    if (input.sources.length === 0 || !connected) {
      setCounted({});
      return;
    }
    const count = async () => {
      const previews = await link.client.plans.preview(input, { signal: stop.signal });
      for await (const preview of previews) if (!stop.signal.aborted) setCounted({ preview });
    };
    count().catch((error: unknown) => {
      if (!stop.signal.aborted && !isEngineError(error, 'cancelled')) setCounted({ error });
    });
    return () => stop.abort();
  }, [link, connected, wanted]);
  return counted;
}
