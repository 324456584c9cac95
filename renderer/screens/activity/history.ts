/** Backups of the past as points over time. */
import type { Run } from '../../../src/api/model/run.ts';
import { secondsOf } from '../../components/run-facts.ts';
import type { Series } from '../../components/scale.ts';

export const MEASURES = ['size', 'added', 'took'] as const;
export type Measure = (typeof MEASURES)[number];

/** A backup that has ended and left a report. */
export interface Past {
  readonly id: string;
  readonly at: number;
  readonly destinationId: string;
  readonly destination: string;
  /** Bytes, bytes, seconds. */
  readonly values: Readonly<Record<Measure, number>>;
}

/** Oldest first; `shown` says how a destination's name reads. Runs of other kinds, and those that failed, have nothing to show. */
export function pastOf(runs: readonly Run[], shown: (name: string) => string): readonly Past[] {
  return runs
    .flatMap((run): readonly Past[] => {
      const took = secondsOf(run);
      const { report } = run;
      if (report?.kind !== 'backup' || took === null || run.startedAt === null) return [];
      const values = { size: report.bytesProcessed, added: report.bytesStored, took };
      const destination = shown(run.destinationName ?? '');
      return [{ id: run.id, at: run.startedAt, destinationId: run.destinationId ?? '', destination, values }];
    })
    .sort((a, b) => a.at - b.at);
}

/** A series for each destination, the one with the newest backup first. */
export function seriesOf(past: readonly Past[], measure: Measure): readonly Series[] {
  const byDestination = Map.groupBy(past.toReversed(), ({ destinationId }) => destinationId);
  return [...byDestination.values()].map((all) => ({
    name: all[0]?.destination ?? '',
    points: all.map(({ at, values }) => ({ at, value: values[measure] })).reverse(),
  }));
}
