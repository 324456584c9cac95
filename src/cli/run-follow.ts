/**
 * Starts runs and follows them to their end, wherever the host is. The ears are open before the run is started, and after a
 * lost connection its state is asked for anew, so that no end is missed.
 */
import { assertNever, EngineError, isEngineError } from '../api/errors.ts';
import type { HostEvent } from '../api/model/event.ts';
import type { Run } from '../api/model/run.ts';
import type { Client } from '../transport/client.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import type { Reached } from './host-client.ts';
import { flag } from './options.ts';
import { SHORT_ID } from './reference.ts';
import { isEnded, outcomeLine, runTitle, statusLine } from './run-text.ts';
import { printable } from './text-width.ts';
import { plural } from './units.ts';

export const waitOptions = { noWait: flag('--no-wait', "don't wait for the end; needs a running host") };

const SHOWN_PROBLEMS = 20;
const PATIENCE = 5;
const RETRY_MS = 1000;

/**
 * Starts with `start` what is to be done and follows it, or with `noWait` only says what was started. Returns 0, 1
 * or the code of the first error, 3 for warnings, 130 where it was stopped.
 */
export async function carryOut(
  context: CommandContext,
  reached: Reached,
  flags: { readonly noWait: boolean },
  start: () => Promise<readonly Run[]>,
): Promise<ExitCode> {
  if (!flags.noWait) return exitCodeOfRuns(await followed(context, reached.client, start));
  if (reached.own) {
    throw new EngineError('usage', 'No host is running that could go on with it.', {
      hint: 'Leave out --no-wait, or start one with `holdfast serve`.',
    });
  }
  const runs = await start();
  if (context.globals.json) await context.json.write(runs);
  else
    for (const run of runs)
      context.print.say(`Started ${runTitle(run)} as run ${run.id.slice(0, SHORT_ID)}.`);
  return EXIT.ok;
}

/** What a caller of several runs wants to know first. */
export function exitCodeOfRuns(runs: readonly Run[]): ExitCode {
  const failed = runs.find((run) => run.state === 'failed');
  if (failed !== undefined) {
    return failed.error === null ? EXIT.fatal : exitCodeOf(EngineError.fromWire(failed.error));
  }
  const states = runs.map((run) => run.state);
  if (states.includes('cancelled') || states.includes('interrupted')) return EXIT.interrupted;
  return states.includes('warnings') ? EXIT.incomplete : EXIT.ok;
}

async function followed(
  context: CommandContext,
  client: Client,
  start: () => Promise<readonly Run[]>,
): Promise<readonly Run[]> {
  const watched = new Map<string, Run>();
  const { json, globals, clock } = context;
  const lines = () =>
    [...watched.values()].filter((run) => !isEnded(run)).map((r) => statusLine(r, clock.now()));
  const show = globals.json ? undefined : context.startProgress({ lines });
  const ears = new AbortController();
  const stopAsking = cancelOnStop(context, client, watched, ears);
  try {
    await listen(context, client, ears.signal, watched, start);
  } catch (e) {
    throw ears.signal.aborted ? ears.signal.reason : e;
  } finally {
    stopAsking();
    ears.abort();
    show?.stop();
  }
  if (globals.json) for (const run of watched.values()) await json.write({ kind: 'run', run });
  else for (const run of watched.values()) await printOutcome(context, client, run);
  return [...watched.values()];
}

/** A person who stops the command stops the runs, and sees them end. For anybody else they go on without us. */
function cancelOnStop(
  context: CommandContext,
  client: Client,
  watched: ReadonlyMap<string, Run>,
  ears: AbortController,
): () => void {
  const { signal } = context;
  const stop = () => {
    if (!isEngineError(signal.reason) || signal.reason.context.reason !== 'person' || watched.size === 0) {
      return ears.abort(signal.reason);
    }
    for (const run of watched.values()) {
      if (!isEnded(run)) client.runs.cancel({ id: run.id }).catch((e: unknown) => ears.abort(e));
    }
  };
  signal.addEventListener('abort', stop);
  return () => signal.removeEventListener('abort', stop);
}

async function listen(
  context: CommandContext,
  client: Client,
  signal: AbortSignal,
  watched: Map<string, Run>,
  start: () => Promise<readonly Run[]>,
): Promise<void> {
  const allEnded = () => [...watched.values()].every(isEnded);
  const begin = async () => {
    const runs =
      watched.size === 0
        ? await start()
        : await Promise.all([...watched.keys()].map((id) => client.runs.get({ id }, { signal })));
    for (const run of runs) watched.set(run.id, run);
  };
  for (let failures = 0; ; ) {
    try {
      let begun = false;
      for await (const event of await client.system.events(undefined, { signal })) {
        // The first event says that we are heard of; what happens from now on reaches us.
        if (!begun) await begin();
        begun = true;
        await hear(context, watched, event);
        if (allEnded()) return;
        failures = 0;
      }
      throw new EngineError('unreachable', 'The host went away.', { transient: true });
    } catch (e) {
      if (signal.aborted || watched.size === 0 || !isEngineError(e) || !e.transient || ++failures > PATIENCE)
        throw e;
      await context.clock.sleep(RETRY_MS, signal);
    }
  }
}

async function hear(context: CommandContext, watched: Map<string, Run>, event: HostEvent): Promise<void> {
  switch (event.kind) {
    case 'run':
      if (!watched.has(event.run.id)) return;
      watched.set(event.run.id, event.run);
      break;
    case 'progress': {
      const run = watched.get(event.runId);
      if (run === undefined) return;
      watched.set(run.id, { ...run, progress: event.progress });
      break;
    }
    case 'log':
      if (!watched.has(event.runId)) return;
      if (!context.globals.json) context.print.more(printable(event.line.text));
      break;
    case 'status':
    case 'plan':
    case 'plan-removed':
    case 'destination':
    case 'destination-removed':
    case 'alert':
    case 'settings':
    case 'channels':
    case 'catalog':
      return;
    default:
      return assertNever(event);
  }
  const isEnd = event.kind === 'run' && isEnded(event.run);
  if (context.globals.json && !context.globals.quiet && !isEnd) await context.json.write(event);
}

/** How a run ended, its error with advice, its problems. */
export async function printOutcome(context: CommandContext, client: Client, run: Run): Promise<void> {
  const { print } = context;
  if (run.state === 'succeeded') print.say(outcomeLine(run));
  else print.problem(outcomeLine(run));
  if (run.error?.hint !== undefined) print.problem(printable(run.error.hint));
  if (run.report?.kind === 'check')
    for (const finding of run.report.findings) print.problem(printable(finding));
  if (run.problemCount === 0) return;
  const problems = await client.runs.problems({ id: run.id, limit: SHOWN_PROBLEMS });
  for (const { path, error } of problems) print.problem(`  ${printable(path)}: ${printable(error.message)}`);
  const more = run.problemCount - problems.length;
  if (more > 0)
    print.problem(
      `  and ${plural(more, 'problem')} more; see \`holdfast runs show ${run.id.slice(0, SHORT_ID)}\`.`,
    );
}
