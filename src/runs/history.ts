/** Past backups as runs, rebuilt from the snapshots of a repository: for a diary that was lost. */
import { createHash } from 'node:crypto';
import type { Destination } from '../api/model/destination.ts';
import type { Run } from '../api/model/run.ts';
import { toEpochNs } from '../format/time.ts';
import type { SnapshotSummary, StoredSnapshot, Timestamp } from '../format/types.ts';
import { planOfSnapshot } from './tags.ts';

export interface HistoryOptions {
  readonly destination: Pick<Destination, 'id' | 'name' | 'repositoryId'>;
  /** Only of this computer. */
  readonly hostname: string;
  /** undefined for a plan that is not known (any more). */
  planName(planId: string): string | undefined;
}

/**
 * One run for each snapshot that a plan of this computer made, oldest first. Their ids follow from repository and
 * snapshot, so that doing it twice adds nothing. Snapshots of one run (files, commands) become runs of their own.
 */
export function historyFromSnapshots(snapshots: readonly StoredSnapshot[], o: HistoryOptions): Run[] {
  return snapshots
    .filter((s) => s.hostname === o.hostname)
    .flatMap((snapshot) => {
      const planId = planOfSnapshot(snapshot);
      return planId === null ? [] : [runOf(snapshot, planId, o)];
    })
    .sort((a, b) => a.queuedAt - b.queuedAt);
}

function runOf(s: StoredSnapshot, planId: string, { destination, planName }: HistoryOptions): Run {
  const startedAt = instantOf(s.summary?.backup_start ?? s.time);
  const endedAt = Math.max(startedAt, instantOf(s.summary?.backup_end ?? s.time));
  return {
    id: uuidOf(`${destination.repositoryId} ${s.id}`),
    task: { kind: 'backup', planId, destinationId: destination.id },
    trigger: 'schedule',
    state: 'succeeded',
    planId,
    planName: planName(planId) ?? null,
    destinationId: destination.id,
    destinationName: destination.name,
    queuedAt: startedAt,
    startedAt,
    endedAt,
    attempt: 1,
    previousId: null,
    waitingFor: null,
    waitingCode: null,
    progress: null,
    report: { kind: 'backup', snapshotId: s.id, ...numbersOf(s.summary) },
    error: null,
    problemCount: 0,
  };
}

function numbersOf(s: Partial<SnapshotSummary> = {}) {
  const count = (value: number | bigint | undefined) =>
    Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Number(value ?? 0)));
  return {
    filesNew: count(s.files_new),
    filesChanged: count(s.files_changed),
    filesUnmodified: count(s.files_unmodified),
    bytesProcessed: count(s.total_bytes_processed),
    bytesAdded: count(s.data_added),
    bytesStored: count(s.data_added_packed),
  };
}

function instantOf(t: Timestamp): number {
  return Math.max(0, Number(toEpochNs(t) / 1_000_000n));
}

/** A UUID (version 8: of our own making) from the hash of a text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...parts, variant + hex.slice(18, 20), hex.slice(20, 32)].join('-');
}
