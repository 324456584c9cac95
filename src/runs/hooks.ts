/** Commands before a backup, after it, and when it has failed. */
import { asEngineError } from '../api/errors.ts';
import type { Hook, Plan } from '../api/model/plan.ts';
import type { RunState } from '../api/model/run.ts';
import type { RunDiary } from './diary.ts';
import type { RunPorts } from './ports.ts';
import { type Environment, startProcess, withoutSecrets } from './process.ts';

export interface HookFacts {
  readonly plan: Plan;
  /** Known only when the work is done. */
  readonly result?: RunState;
  readonly snapshotId?: string | null;
  readonly error?: string;
}

export interface HookContext {
  readonly ports: Pick<RunPorts, 'clock' | 'env'>;
  readonly diary: RunDiary;
  readonly signal: AbortSignal;
}

export function hookEnvironment(env: Environment, runId: string, facts: HookFacts): Environment {
  return {
    ...withoutSecrets(env),
    HOLDFAST_PLAN: facts.plan.name,
    HOLDFAST_RUN_ID: runId,
    ...(facts.result === undefined ? {} : { HOLDFAST_RESULT: facts.result }),
    ...(facts.snapshotId ? { HOLDFAST_SNAPSHOT_ID: facts.snapshotId } : {}),
    ...(facts.error === undefined ? {} : { HOLDFAST_ERROR: facts.error }),
  };
}

/** Errors: that of a required hook that fails, 'timeout', the signal's reason. */
export async function runBefore(context: HookContext, facts: HookFacts): Promise<void> {
  for (const hook of facts.plan.hooks.before) {
    context.diary.phase('command-before', 'Running a command before the backup');
    try {
      await runHook(context, 'before', hook, facts);
    } catch (e) {
      context.signal.throwIfAborted();
      if (hook.required) throw e;
      context.diary.problem(programOf(hook), asEngineError(e));
    }
  }
}

/** What fails here is a problem of the run; the others are run all the same. Errors: none. */
export async function runAfterwards(
  context: HookContext,
  when: 'after' | 'onFailure',
  facts: HookFacts,
): Promise<void> {
  for (const hook of facts.plan.hooks[when]) {
    context.diary.phase('command-after', 'Running a command after the backup');
    try {
      await runHook(context, when, hook, facts);
    } catch (e) {
      context.diary.problem(programOf(hook), asEngineError(e));
    }
  }
}

async function runHook(
  { ports, diary, signal }: HookContext,
  when: string,
  { command, timeoutSeconds }: Hook,
  facts: HookFacts,
): Promise<void> {
  // Arguments may hold passwords, so only the program is named.
  const name = `The command “${command[0]}” (${when === 'onFailure' ? 'on failure' : when})`;
  diary.info(`${name} starts.`);
  try {
    const started = startProcess(command, true, {
      clock: ports.clock,
      env: hookEnvironment(ports.env, diary.run.id, facts),
      signal,
      timeoutMs: timeoutSeconds * 1000,
    });
    try {
      await started.ended;
    } finally {
      const output = started.output();
      if (output !== '') diary.info(output);
    }
    diary.info(`${name} has ended well.`);
  } catch (e) {
    diary.log('error', asEngineError(e).message);
    throw e;
  }
}

function programOf({ command }: Hook): string {
  return command[0] ?? '';
}
