/** What alerts need from others. */
import type { Alert, Channel } from '../api/model/alert.ts';
import type { Fix } from '../api/model/status.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { AlertStore, Collection } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

export interface DesktopNote {
  readonly title: string;
  readonly text: string;
  /** null: a test. */
  readonly alert: Alert | null;
  /** What its button does. */
  readonly fix: Fix | null;
}

export interface AlertPorts {
  readonly alerts: AlertStore;
  readonly channels: Collection<Channel>;
  /** `channel:<id>`: the SMTP password or access token. */
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly hostname: string;
  /** Absent where there is no desktop. */
  readonly desktop?: ((note: DesktopNote) => void) | undefined;
  /** An alert began, ended or got a new text. */
  readonly onChange: (alert: Alert) => void;
  /** What an administrator should find in the log; without secrets. */
  readonly log: (sentence: string) => void;
}
