/** The alerts that hold, kept in the store so that a restart tells nobody anything twice. */
import { randomUUID } from 'node:crypto';
import type { Alert, AlertKind } from '../api/model/alert.ts';
import type { AlertStore } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import type { Wording } from './messages.ts';

export interface LedgerPorts {
  readonly alerts: AlertStore;
  readonly clock: Clock;
  readonly onChange: (alert: Alert) => void;
}

export interface Beginning {
  readonly kind: AlertKind;
  readonly subject: string;
  readonly wording: Wording;
  readonly runId: string | null;
}

export interface Ledger {
  find(kind: AlertKind, subject: string): Alert | undefined;
  /**
   * The new alert; undefined where it holds already. A later run with the same trouble then takes its place in the text, so that
   * what is read is the newest cause.
   */
  begin(b: Beginning): Alert | undefined;
  /** Something that happened and is over at once. */
  once(b: Beginning): Alert;
  /** The alert as it ended. */
  end(alert: Alert): Alert;
}

export function createLedger(ports: LedgerPorts): Ledger {
  const put = (alert: Alert): Alert => {
    ports.alerts.put(alert);
    ports.onChange(alert);
    return alert;
  };
  const made = ({ kind, subject, wording, runId }: Beginning, over: boolean): Alert => {
    const { title, text } = wording;
    const now = ports.clock.now();
    return put({
      id: randomUUID(),
      kind,
      subject,
      title,
      text,
      startedAt: now,
      endedAt: over ? now : null,
      runId,
    });
  };
  const find: Ledger['find'] = (kind, subject) =>
    ports.alerts.open().find((alert) => alert.kind === kind && alert.subject === subject);
  return {
    find,
    begin(b) {
      const held = find(b.kind, b.subject);
      if (!held) return made(b, false);
      if (b.runId !== null && b.runId !== held.runId) put({ ...held, ...b.wording, runId: b.runId });
      return undefined;
    },
    once: (b) => made(b, true),
    end: (alert) => put({ ...alert, endedAt: ports.clock.now() }),
  };
}
