/** One run from its beginning to its outcome, whatever it is. */
import { asEngineError, assertNever, EngineError, type ErrorCode } from '../api/errors.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import type { Report, RunState, Task } from '../api/model/run.ts';
import { runBackup } from './backup-run.ts';
import { runCheck } from './check-run.ts';
import { runCleanUp } from './cleanup-run.ts';
import { runCopy } from './copy-run.ts';
import { type HookContext, type HookFacts, runAfterwards, runBefore } from './hooks.ts';
import type { RunPorts } from './ports.ts';
import { refuseReadOnly } from './read-only.ts';
import { runRestore } from './restore-run.ts';
import type { RunContext } from './session.ts';
import { isShutdown, orLeave, reasonOf } from './stop.ts';

export interface Outcome {
  readonly state: Extract<RunState, 'succeeded' | 'warnings' | 'failed' | 'cancelled' | 'interrupted'>;
  readonly report: Report | null;
  readonly error: EngineError | null;
}

interface Done {
  readonly report: Report;
  /** The work was done, and its result is bad news. */
  readonly error: EngineError | null;
}

/** Errors: 'not-found'. */
export function destinationNamed(store: RunPorts['store'], id: string): Destination {
  const found = store.destinations.get(id);
  if (!found) throw new EngineError('not-found', 'There is no such destination any more.');
  return found;
}

/** Errors: 'not-found'. */
export function planFor(store: RunPorts['store'], id: string): Plan {
  const found = store.plans.get(id);
  if (!found) throw new EngineError('not-found', 'There is no such plan any more.');
  return found;
}

/** Carries out the task. Never rejects. `late` stops the commands that come after a backup. */
export async function carryOut(context: RunContext, task: Task, late: AbortSignal): Promise<Outcome> {
  if (task.kind !== 'backup') return settle(context, () => workOf(context, task));
  let plan: Plan;
  try {
    plan = planFor(context.ports.store, task.planId);
  } catch (e) {
    return { state: 'failed', report: null, error: asEngineError(e) };
  }
  return backUpWithHooks(context, plan, late);
}

async function backUpWithHooks(context: RunContext, plan: Plan, late: AbortSignal): Promise<Outcome> {
  const before: HookContext = context;
  const outcome = await settle(context, async () => {
    refuseReadOnly(context.destination);
    await runBefore(before, { plan });
    return { report: await runBackup(context, plan), error: null };
  });
  const facts: HookFacts = {
    plan,
    result: outcome.state,
    snapshotId: outcome.report?.kind === 'backup' ? outcome.report.snapshotId : null,
    ...(outcome.error ? { error: context.diary.redact(outcome.error.message) } : {}),
  };
  // After a cancel too: what was stopped before the backup has to be started again.
  const after: HookContext = { ...context, signal: late };
  if (outcome.state === 'failed') await runAfterwards(after, 'onFailure', facts);
  await runAfterwards(after, 'after', facts);
  const worse = outcome.state === 'succeeded' && context.diary.warnings > 0;
  return worse ? { ...outcome, state: 'warnings' } : outcome;
}

async function workOf(context: RunContext, task: Exclude<Task, { kind: 'backup' }>): Promise<Done> {
  switch (task.kind) {
    case 'restore':
      return { report: await runRestore(context, task.request), error: null };
    case 'check':
      return runCheck(context, task.percent);
    case 'cleanup':
      refuseReadOnly(context.destination);
      return { report: await runCleanUp(context), error: null };
    case 'copy': {
      const to = destinationNamed(context.ports.store, task.toDestinationId);
      refuseReadOnly(to);
      return { report: await runCopy(context, to, task.versionIds), error: null };
    }
    default:
      return assertNever(task);
  }
}

/** Work that does not end so long after it was stopped is left behind. A shutdown lets packs on their way get through. */
const STUCK_MS = 30_000;
const STUCK_AT_SHUTDOWN_MS = 2 * 60_000;

/** What became of the work. Work that got through counts, even where a cancel came too late for it. */
async function settle(context: RunContext, work: () => Promise<Done>): Promise<Outcome> {
  const { signal, diary } = context;
  try {
    signal.throwIfAborted();
    const done = await untilStuck(context, work());
    if (!done) diary.warn('A disk or a network drive does not answer; what waits for it was left behind.');
    if (!done) return stoppedBy(signal);
    const { report, error } = done;
    if (error) return { state: 'failed', report, error };
    return { state: diary.warnings > 0 ? 'warnings' : 'succeeded', report, error: null };
  } catch (e) {
    if (signal.aborted) return stoppedBy(signal);
    return { state: 'failed', report: null, error: forPeople(asEngineError(e)) };
  }
}

async function untilStuck<T>({ ports, signal }: RunContext, work: Promise<T>): Promise<T | undefined> {
  const { clock } = ports;
  const atOnce = orLeave(work, { clock, signal, graceMs: STUCK_MS });
  const done = await atOnce;
  if (done !== undefined || !isShutdown(signal.reason)) return done;
  return orLeave(work, { clock, signal, graceMs: STUCK_AT_SHUTDOWN_MS - STUCK_MS });
}

export function stoppedBy(signal: AbortSignal): Outcome {
  const error = reasonOf(signal);
  return { state: isShutdown(error) ? 'interrupted' : 'cancelled', report: null, error };
}

const LOST_SOURCE =
  'Is its disk plugged in and mounted? If it is meant to be gone or empty, take it out of the plan.';
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  'source-missing': LOST_SOURCE,
  'source-emptied': LOST_SOURCE,
  'repository-missing':
    'Connect the disk or network drive that it is on, then run it again. Until it is back, nothing is written in its place.',
  'wrong-password': 'If its password was changed elsewhere, enter the new one at the destination.',
  'no-space': 'Free some space there. At a destination, keeping fewer versions and cleaning up helps too.',
};

/** Hints of the engine speak of flags and commands, a plan has none; and who lost a lock by a long sleep may simply begin again. */
function forPeople(e: EngineError): EngineError {
  if (e.code === 'lock-lost') {
    return new EngineError(e.code, e.message, { ...e.toWire(), transient: true }, { cause: e });
  }
  const hint = HINTS[e.code];
  if (hint === undefined) return e;
  const { transient, context } = e;
  return new EngineError(e.code, e.message, { transient, context, hint }, { cause: e.cause });
}
