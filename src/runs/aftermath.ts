/** What a run tells about its destinations. */
import { type EngineError, type ErrorCode, needsSignIn } from '../api/errors.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Run, Task } from '../api/model/run.ts';
import type { RunPorts } from './ports.ts';
import type { Seen as SeenThere } from './session.ts';
import type { Outcome } from './work.ts';

/** Of an error that came after the repository had been opened: it is about the storage all the same. */
const OF_STORAGE: readonly ErrorCode[] = [
  'unreachable',
  'auth-expired',
  'host-unverified',
  'no-space',
  'read-only',
];

/** A disk that does not tell by then won't. */
const SPACE_MS = 5000;

type Seen = ReadonlyMap<string, Readonly<SeenThere>>;

export function destinationIdsOf(task: Task): readonly string[] {
  switch (task.kind) {
    case 'restore':
      return [task.request.destinationId];
    case 'copy':
      return [task.destinationId, task.toDestinationId];
    default:
      return [task.destinationId];
  }
}

/** Writes down space, use, reachability and the last check. Errors: those of the store. */
export async function updateDestinations(
  ports: RunPorts,
  run: Run,
  outcome: Outcome,
  seen: Seen,
  signal: AbortSignal,
): Promise<void> {
  for (const id of destinationIdsOf(run.task)) {
    const before = ports.store.destinations.get(id);
    if (!before) continue;
    // A cancel shall not wait for a disk that does not answer.
    const asked = seen.has(id) && !isStopped(outcome);
    const learnt = seen.get(id);
    const told = learnt?.space ? { ...learnt.space, at: ports.clock.now() } : null;
    const space = told ?? (asked ? await spaceInTime(ports, before, signal) : null);
    // Read again: somebody may have edited it while the space was asked for.
    const destination = ports.store.destinations.get(id);
    if (!destination) continue;
    const changed: Destination = {
      ...destination,
      ...(space ? { space } : {}),
      ...(learnt?.facts ? { facts: learnt.facts } : {}),
      ...(seen.has(id) ? { lastSeenAt: ports.clock.now() } : {}),
      usedBytes: usedBytesOf(destination, outcome, learnt?.usedBytes ?? null),
      problem: problemOf(destination, run.task, outcome, seen),
      lastCheck: lastCheckOf(destination, ports.clock.now(), run, outcome),
    };
    ports.store.destinations.put(changed);
    ports.emit({ kind: 'destination', destination: changed });
  }
}

async function spaceInTime({ spaceOf, clock }: RunPorts, d: Destination, signal: AbortSignal) {
  const over = new AbortController();
  const patience = clock.sleep(SPACE_MS, AbortSignal.any([signal, over.signal]));
  try {
    return await Promise.race([spaceOf(d), patience.then(() => null)]);
  } catch {
    return null;
  } finally {
    over.abort();
  }
}

/** Counted, or reckoned from what was known and what the backup added. */
function usedBytesOf(d: Destination, { report }: Outcome, counted: number | null): number | null {
  if (counted !== null) return counted;
  if (d.usedBytes === null || report?.kind !== 'backup') return d.usedBytes;
  return d.usedBytes + report.bytesStored;
}

function isStopped({ state }: Outcome): boolean {
  return state === 'cancelled' || state === 'interrupted';
}

function problemOf(d: Destination, task: Task, outcome: Outcome, seen: Seen): Destination['problem'] {
  const { error } = outcome;
  if (seen.has(d.id)) return isOfStorage(task, error) ? (error?.toWire() ?? null) : null;
  // Of a copy, the first destination's failure says nothing about the second, which was never tried.
  const tried = destinationIdsOf(task).find((id) => !seen.has(id)) === d.id;
  const silent =
    isStopped(outcome) ||
    error === null ||
    !tried ||
    error.code === 'not-found' ||
    error.context.program !== undefined;
  return silent ? d.problem : error.toWire();
}

function isOfStorage(task: Task, error: EngineError | null): boolean {
  if (error === null || !OF_STORAGE.includes(error.code)) return false;
  // The space and the permissions that a restore lacks are those of its target.
  return task.kind !== 'restore' || needsSignIn(error);
}

function lastCheckOf(
  d: Destination,
  at: number,
  run: Run,
  { report, error }: Outcome,
): Destination['lastCheck'] {
  if (report?.kind !== 'check') return d.lastCheck;
  return { at, runId: run.id, ok: error === null, percentRead: report.percentRead };
}
