/** Which alerts are said where. */
import type { Alert } from '../../src/api/model/alert.ts';

/** Those that hold and that no reason of the verdict says already: it knows of plans and destinations, not of every run. */
export function beyondVerdict(alerts: readonly Alert[]): readonly Alert[] {
  return alerts.filter(
    ({ kind, subject, endedAt }) =>
      endedAt === null && (kind === 'run-failed' || kind === 'run-warnings') && !subject.startsWith('plan:'),
  );
}
