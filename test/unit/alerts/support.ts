/** Alerts on a real diary in memory, with a clock that stands until it is moved. */
import { randomUUID } from 'node:crypto';
import { type Alerts, createAlerts } from '../../../src/alerts/alerts.ts';
import type { AlertFacts, DestinationFacts, PlanFacts } from '../../../src/alerts/facts.ts';
import type { DesktopNote } from '../../../src/alerts/ports.ts';
import { ALERT_KINDS, type Alert, Channel, type Target } from '../../../src/api/model/alert.ts';
import { memorySecrets } from '../../../src/secrets/memory.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

export const START = Date.parse('2026-03-02T08:00:00Z');
export const DAY = 86_400_000;
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

export interface Desk {
  readonly alerts: Alerts;
  readonly clock: VirtualClock;
  readonly store: ReturnType<typeof openStore>;
  readonly secrets: ReturnType<typeof memorySecrets>;
  /** What the desktop showed. */
  readonly notes: DesktopNote[];
  /** What `onChange` heard. */
  readonly changes: Alert[];
  readonly log: string[];
  /** How each try went, as it was written down. */
  readonly results: string[];
  addChannel(target: Target, said?: Partial<Channel>, secret?: string): Promise<Channel>;
  channel(id: string): Channel;
  /** Titles of what the desktop showed, once all queues are empty. */
  titles(): Promise<readonly string[]>;
  /** The process ends, and another one begins with the same diary. */
  restart(): Promise<Desk>;
}

export interface DeskOptions {
  readonly store?: ReturnType<typeof openStore>;
  readonly secrets?: ReturnType<typeof memorySecrets>;
  readonly clock?: VirtualClock;
  readonly hostname?: string;
  /** A desktop channel for all kinds, unless false. */
  readonly desktop?: boolean;
}

export function openDesk(o: DeskOptions = {}): Desk {
  const clock = o.clock ?? new VirtualClock(START);
  const store = o.store ?? openStore(':memory:', { clock, onProblem: () => undefined });
  const secrets = o.secrets ?? memorySecrets();
  const notes: DesktopNote[] = [];
  const changes: Alert[] = [];
  const log: string[] = [];
  const results: string[] = [];
  const put = (channel: Channel) => {
    results.push(channel.lastResult?.message ?? '');
    store.channels.put(channel);
  };
  if (o.desktop !== false && !store.channels.list().some(({ target }) => target.kind === 'desktop')) {
    store.channels.put(channelOf({ kind: 'desktop' }));
  }
  const alerts = createAlerts({
    alerts: store.alerts,
    channels: { ...store.channels, get: (id) => store.channels.get(id), put },
    secrets,
    clock,
    hostname: o.hostname ?? 'laptop',
    ...(o.desktop === false ? {} : { desktop: (note) => notes.push(note) }),
    onChange: (alert) => changes.push(alert),
    log: (sentence) => log.push(sentence),
  });
  const desk: Desk = {
    alerts,
    clock,
    store,
    secrets,
    notes,
    changes,
    log,
    results,
    async addChannel(target, said = {}, secret) {
      const channel = channelOf(target, { ...said, hasSecret: secret !== undefined });
      if (secret !== undefined) await secrets.set(`channel:${channel.id}`, secret);
      store.channels.put(channel);
      return channel;
    },
    channel: (id) => store.channels.get(id) ?? channelOf({ kind: 'desktop' }, { name: 'is gone' }),
    async titles() {
      await alerts.settled();
      return notes.map((note) => note.title);
    },
    async restart() {
      await alerts.close();
      return openDesk({ ...o, store, secrets, clock });
    },
  };
  return desk;
}

export function channelOf(target: Target, said: Partial<Channel> = {}): Channel {
  const common = {
    id: randomUUID(),
    name: target.kind,
    on: [...ALERT_KINDS],
    hasSecret: false,
    lastResult: null,
  };
  return Channel.parse({ ...common, target, ...said });
}

export const planFacts = (said: Partial<PlanFacts> = {}): PlanFacts => ({
  id: randomUUID(),
  name: 'Documents',
  enabled: true,
  createdAt: START,
  lastSuccessAt: null,
  ...said,
});

export const destinationFacts = (said: Partial<DestinationFacts> = {}): DestinationFacts => ({
  id: randomUUID(),
  name: 'USB disk',
  space: null,
  warnBelowBytes: 5 * 1024 ** 3,
  problem: null,
  problemSince: null,
  ...said,
});

export const factsOf = (clock: VirtualClock, said: Partial<AlertFacts> = {}): AlertFacts => ({
  now: clock.now(),
  plans: [],
  destinations: [],
  alertAfterDays: 3,
  ...said,
});
