/** Who hears what: picks channels, queues messages for them, and writes down how the last one went. */
import { asEngineError, EngineError } from '../api/errors.ts';
import type { Alert, AlertKind, Channel } from '../api/model/alert.ts';
import type { Run } from '../api/model/run.ts';
import { sendThrough } from './channels.ts';
import { fixOf, testMessage, type Wording } from './messages.ts';
import type { Message, Note, Ping } from './note.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { AlertPorts } from './ports.ts';
import { quoted } from './text.ts';

export interface News {
  readonly event: 'alert' | 'recovery';
  readonly alert: Alert;
  readonly wording: Wording;
}

export interface TestResult {
  readonly ok: boolean;
  /** A sentence to act on. */
  readonly message: string;
}

export interface Teller {
  /** Whether any channel hears of the kind. */
  wants(kind: AlertKind): boolean;
  /** Each channel gets the first of these that it hears of, since all of them say the same in other words. */
  tell(news: readonly News[]): void;
  /** Tells monitors of a backup; of other runs, nobody. */
  ping(run: Run, phase: Ping['phase'], text: string): void;
  /** Queues each alert that holds for each channel that was not told anything since, or could not be told the last time. */
  tellMissed(): void;
  test(channelId: string, signal?: AbortSignal): Promise<TestResult>;
  settled(): Promise<void>;
  close(): Promise<void>;
}

export function createTeller(ports: AlertPorts): Teller {
  const outbox: Outbox<Message> = createOutbox({
    clock: ports.clock,
    deliver: (channelId, message, signal) => deliver(ports, channelId, message, signal),
    worthRetrying: (message) => message.kind !== 'ping' || message.ping.phase !== 'start',
    onLost: (channelId, message, error) => logLost(ports, channelId, message, error),
  });
  const hearers = (kind: AlertKind) => ports.channels.list().filter((channel) => hears(ports, channel, kind));
  const queue = (channel: Channel, news: News) =>
    outbox.add(channel.id, { kind: 'note', note: noteOf(news.event, news.alert, news.wording) });
  return {
    wants: (kind) => hearers(kind).length > 0,
    tell(news) {
      if (news.length === 0) return;
      for (const channel of ports.channels.list()) {
        const first = news.find(({ alert }) => hears(ports, channel, alert.kind));
        if (first) queue(channel, first);
      }
    },
    ping(run, phase, text) {
      for (const channel of ports.channels.list()) {
        if (watches(channel, run)) outbox.add(channel.id, { kind: 'ping', ping: { phase, text } });
      }
    },
    tellMissed() {
      for (const alert of ports.alerts.open()) {
        for (const channel of hearers(alert.kind)) {
          if (mayHaveMissed(channel, alert)) queue(channel, { event: 'alert', alert, wording: alert });
        }
      }
    },
    test: (channelId, signal) => test(ports, channelId, signal ?? new AbortController().signal),
    settled: outbox.settled,
    close: outbox.close,
  };
}

function hears(ports: AlertPorts, channel: Channel, kind: AlertKind): boolean {
  const { target } = channel;
  if (!channel.enabled || target.kind === 'monitor') return false;
  return channel.on.includes(kind) && (target.kind !== 'desktop' || ports.desktop !== undefined);
}

function watches({ enabled, target }: Channel, run: Run): boolean {
  if (!enabled || target.kind !== 'monitor' || run.task.kind !== 'backup') return false;
  return target.planId === null || target.planId === run.task.planId;
}

/** Queues are worked off in order, so that a success since then proves that the alert got through. */
function mayHaveMissed({ lastResult }: Channel, alert: Alert): boolean {
  return lastResult === null || !lastResult.ok || lastResult.at < alert.startedAt;
}

function noteOf(event: Note['event'], alert: Alert, { title, text }: Wording): Note {
  return { id: alert.id, event, title, text, alert, fix: fixOf(alert) };
}

async function deliver(
  ports: AlertPorts,
  channelId: string,
  message: Message,
  signal: AbortSignal,
): Promise<void> {
  const channel = ports.channels.get(channelId);
  if (!channel?.enabled) return; // Removed or switched off meanwhile.
  const result = await attempt(ports, channel, message, signal);
  if (result instanceof EngineError) throw result;
}

/** Sends it and writes down how it went. Answers what to tell: a sentence, or an error. */
async function attempt(
  ports: AlertPorts,
  channel: Channel,
  message: Message,
  signal: AbortSignal,
): Promise<string | EngineError> {
  const result = await sendThrough(ports, channel, message, signal).catch(asEngineError);
  const ok = typeof result === 'string';
  if (!signal.aborted) record(ports, channel.id, ok, ok ? result : result.message);
  return result;
}

/** Reads the channel anew: it may have been changed while the message was under way. */
function record(ports: AlertPorts, channelId: string, ok: boolean, message: string): void {
  const channel = ports.channels.get(channelId);
  if (channel) ports.channels.put({ ...channel, lastResult: { at: ports.clock.now(), ok, message } });
}

async function test(ports: AlertPorts, channelId: string, signal: AbortSignal): Promise<TestResult> {
  const channel = ports.channels.get(channelId);
  if (!channel) throw new EngineError('not-found', 'This channel is gone.');
  const { title, text } = testMessage(ports.hostname);
  const note: Note = { id: crypto.randomUUID(), event: 'test', title, text, alert: null, fix: null };
  const result = await attempt(ports, channel, { kind: 'note', note }, signal);
  if (typeof result === 'string') return { ok: true, message: result };
  if (signal.aborted) throw result;
  return { ok: false, message: result.message };
}

function logLost(ports: AlertPorts, channelId: string, message: Message, error: EngineError | null): void {
  const name = quoted(ports.channels.get(channelId)?.name ?? 'a channel that is gone');
  const what = message.kind === 'note' ? quoted(message.note.title) : `of a backup (${message.ping.phase})`;
  ports.log(
    `The channel ${name} was not told ${what}: ${error?.message ?? 'too many messages wait for it.'}`,
  );
}
