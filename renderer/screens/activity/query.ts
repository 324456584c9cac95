/** Which runs are asked for, as the address says it. */
import { RunKind, RunState } from '../../../src/api/model/run.ts';
import type { RunQuery } from '../../data/cache.ts';

export const FILTERS = ['kind', 'state', 'plan', 'destination'] as const;
export type FilterName = (typeof FILTERS)[number];

/** The texts of the address; '' where it says nothing. */
export type Filter = Readonly<Record<FilterName, string>>;

/** What the address says of kinds and states that are none is not asked for. */
export function queryOf(filter: Filter): RunQuery {
  const kind = RunKind.safeParse(filter.kind);
  const state = RunState.safeParse(filter.state);
  return {
    ...(kind.success ? { kinds: [kind.data] } : {}),
    ...(state.success ? { states: [state.data] } : {}),
    ...(filter.plan === '' ? {} : { planId: filter.plan }),
    ...(filter.destination === '' ? {} : { destinationId: filter.destination }),
  };
}
