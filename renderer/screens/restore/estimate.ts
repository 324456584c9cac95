/** What a restore would do, counted by the host while the person reads. */
import { useCallback, useState } from 'react';
import { isEngineError } from '../../../src/api/errors.ts';
import type { RestoreEstimate } from '../../../src/api/model/look.ts';
import type { RestoreRequest } from '../../../src/api/model/run.ts';
import type { HostLink } from '../../data/link.ts';
import { useWhileConnected } from '../../data/versions.ts';
import { type StepContext, targetOf } from './draft.ts';
import { pathsOf } from './selection.ts';

/** Error: `TooManyPaths`. */
export function requestOf({ destination, version, draft, where }: StepContext): RestoreRequest {
  const { conflicts, verify } = where;
  return {
    destinationId: destination.id,
    versionId: version.id,
    ...pathsOf(draft.selection),
    target: targetOf(where),
    conflicts,
    verify,
  };
}

export interface Estimated {
  readonly estimate?: RestoreEstimate;
  readonly error?: unknown;
}

/** Anew for another context; the same one is counted once. */
export function useEstimate(context: StepContext): Estimated {
  const [estimated, setEstimated] = useState<Estimated>({});
  const { destination, version, draft, where } = context;
  // By value: the context is another object whenever anything on the screen changes.
  const key = JSON.stringify([
    destination.id,
    version.id,
    [...draft.selection],
    targetOf(where),
    where.conflicts,
  ]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says whether it is another one
  const count = useCallback(
    async ({ client }: HostLink, signal: AbortSignal) => {
      setEstimated({});
      try {
        const estimates = await client.versions.estimate(requestOf(context), { signal });
        for await (const estimate of estimates) if (!signal.aborted) setEstimated({ estimate });
      } catch (error) {
        if (!signal.aborted && !isEngineError(error, 'cancelled')) setEstimated({ error });
      }
    },
    [key],
  );
  useWhileConnected(count);
  return estimated;
}
