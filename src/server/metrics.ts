/** What Prometheus reads: one set of values per plan and destination, and the space of each destination. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Instant } from '../api/model/common.ts';
import type { RunState } from '../api/model/run.ts';

/** The newest backup of a plan to a destination. null: not known, so nothing is said. */
export interface BackupMetrics {
  readonly planId: string;
  readonly plan: string;
  readonly destinationId: string;
  readonly destination: string;
  readonly state: RunState | 'never';
  /** The newest that ended well or with warnings. */
  readonly lastSuccessAt: Instant | null;
  readonly durationSeconds: number | null;
  readonly bytesProcessed: number | null;
  readonly bytesAdded: number | null;
  /** Since the diary began. */
  readonly failures: number;
}

export interface DestinationMetrics {
  readonly id: string;
  readonly name: string;
  readonly freeBytes: number | null;
  readonly totalBytes: number | null;
}

export interface MetricsInput {
  readonly now: Instant;
  readonly version: string;
  readonly backups: readonly BackupMetrics[];
  readonly destinations: readonly DestinationMetrics[];
}

const STATES = [
  'never',
  'queued',
  'running',
  'succeeded',
  'warnings',
  'failed',
  'cancelled',
  'interrupted',
] as const satisfies readonly BackupMetrics['state'][];

const BACKUP_LABELS = ['plan_id', 'plan', 'destination_id', 'destination'] as const;
const DESTINATION_LABELS = ['destination_id', 'destination'] as const;

/** In Prometheus's text format 0.0.4, which `METRICS_TYPE` names. */
export function metricsText(input: MetricsInput): Promise<string> {
  const registry = new Registry();
  gauge(
    registry,
    'holdfast_info',
    'The version of Holdfast.',
    ['version'],
    [[{ version: input.version }, 1]],
  );
  for (const [name, help, read] of BACKUP_VALUES) {
    const values = input.backups.map((one) => [backupLabels(one), read(one, input.now)] as const);
    gauge(registry, `holdfast_backup_${name}`, help, BACKUP_LABELS, values);
  }
  const failures = new Counter({
    name: 'holdfast_backup_failures_total',
    help: 'Failed backups since the diary began.',
    labelNames: BACKUP_LABELS,
    registers: [registry],
  });
  for (const one of input.backups) failures.inc(backupLabels(one), one.failures);
  const states = input.backups.flatMap((one) =>
    STATES.map((state) => [{ ...backupLabels(one), state }, state === one.state ? 1 : 0] as const),
  );
  const help = 'The state of the newest run: 1 for the one it is in.';
  gauge(registry, 'holdfast_backup_state', help, [...BACKUP_LABELS, 'state'], states);
  for (const [name, said, read] of DESTINATION_VALUES) {
    const values = input.destinations.map((one) => [destinationLabels(one), read(one)] as const);
    gauge(registry, `holdfast_destination_${name}`, said, DESTINATION_LABELS, values);
  }
  return registry.metrics();
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

const BACKUP_VALUES: readonly (readonly [
  string,
  string,
  (one: BackupMetrics, now: Instant) => number | null,
])[] = [
  [
    'last_success_timestamp_seconds',
    'When the newest backup that ended well or with warnings ended.',
    (one) => (one.lastSuccessAt === null ? null : one.lastSuccessAt / 1000),
  ],
  [
    'age_seconds',
    'How long ago that was.',
    (one, now) => (one.lastSuccessAt === null ? null : Math.max(0, now - one.lastSuccessAt) / 1000),
  ],
  ['duration_seconds', 'How long it took.', (one) => one.durationSeconds],
  ['processed_bytes', 'How much it looked at.', (one) => one.bytesProcessed],
  ['added_bytes', 'How much of that was new.', (one) => one.bytesAdded],
];

const DESTINATION_VALUES: readonly (readonly [string, string, (one: DestinationMetrics) => number | null])[] =
  [
    ['free_bytes', 'Free space at the destination.', (one) => one.freeBytes],
    ['size_bytes', 'All space at the destination.', (one) => one.totalBytes],
  ];

const backupLabels = (one: BackupMetrics) => ({
  plan_id: one.planId,
  plan: one.plan,
  destination_id: one.destinationId,
  destination: one.destination,
});

const destinationLabels = (one: DestinationMetrics) => ({
  destination_id: one.id,
  destination: one.name,
});

type Values = readonly (readonly [Readonly<Record<string, string>>, number | null])[];

function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  values: Values,
): void {
  const made = new Gauge({ name, help, labelNames, registers: [registry] });
  for (const [labels, value] of values) if (value !== null) made.set(labels, value);
}
