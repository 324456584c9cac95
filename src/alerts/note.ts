/** What goes through a channel, and what every channel is given to send it. */
import type { Alert } from '../api/model/alert.ts';
import type { Fix } from '../api/model/status.ts';

export interface Note {
  /** Of the alert; the beginning and the end of one have the same. */
  readonly id: string;
  readonly event: 'alert' | 'recovery' | 'test';
  readonly title: string;
  readonly text: string;
  /** null: a test. */
  readonly alert: Alert | null;
  readonly fix: Fix | null;
}

/** A run's start or end, for a monitor. */
export interface Ping {
  readonly phase: 'start' | 'success' | 'fail' | 'test';
  readonly text: string;
}

/** What waits in a channel's queue. */
export type Message =
  | { readonly kind: 'note'; readonly note: Note }
  | { readonly kind: 'ping'; readonly ping: Ping };

export interface Delivery {
  readonly secret: string | undefined;
  readonly hostname: string;
  readonly signal: AbortSignal;
}
