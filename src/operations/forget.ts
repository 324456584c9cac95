/**
 * forget: removes snapshots; what only they need stays until prune.
 *
 * plan   by rules: repository/retention.ts decides group by group; or the snapshots are named
 * apply  removes the files of the snapshots
 *
 * The repository must be locked exclusively by the caller.
 */
import { type EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, StoredSnapshot } from '../format/types.ts';
import type { Repository } from '../repository/repository.ts';
import { type ForgetGroup, type ForgetRequest, planForget as planByRules } from '../repository/retention.ts';
import { forEachLimit } from '../util/semaphore.ts';

export type { ForgetGroup, KeepPolicy } from '../repository/retention.ts';

export interface ForgetPlan {
  /** Empty where the snapshots were named. */
  readonly groups: readonly ForgetGroup[];
  readonly remove: readonly StoredSnapshot[];
}

/** Errors: 'usage' for rules that make no sense or would leave nothing of a group. */
export function planForget(snapshots: readonly StoredSnapshot[], request: ForgetRequest): ForgetPlan {
  const groups = planByRules(snapshots, request);
  return { groups, remove: groups.flatMap((group) => group.remove) };
}

/** Removes exactly these. */
export function planForgetNamed(snapshots: readonly StoredSnapshot[]): ForgetPlan {
  return { groups: [], remove: snapshots };
}

export interface ApplyForgetOptions extends CallOptions {
  /** Files that are gone. */
  readonly counters?: { done: number };
  readonly onRemoved?: (id: Id) => void;
  readonly onFailed?: (id: Id, error: EngineError) => void;
}

export interface ForgetOutcome {
  readonly removed: readonly Id[];
  readonly failed: readonly Id[];
}

/** Goes on where one can't be removed. Errors: the signal's reason. */
export async function applyForget(
  repo: Repository,
  plan: ForgetPlan,
  o: ApplyForgetOptions = {},
): Promise<ForgetOutcome> {
  const removed: Id[] = [];
  const failed: Id[] = [];
  const signal = o.signal ? { signal: o.signal } : {};
  await forEachLimit(plan.remove, repo.backend.traits.connections, async ({ id }) => {
    try {
      await repo.files.remove('snapshot', id, signal);
      removed.push(id);
      o.onRemoved?.(id);
    } catch (e) {
      o.signal?.throwIfAborted();
      if (!isEngineError(e)) throw e;
      failed.push(id);
      o.onFailed?.(id, e);
    }
    if (o.counters) o.counters.done++;
  });
  return { removed, failed };
}
