/** What the shell knows of the host: its status, plans and the progress of runs, as tray, taskbar and questions need them. */
import type { HostEvent } from '../src/api/model/event.ts';
import type { Progress } from '../src/api/model/run.ts';
import type { Settings } from '../src/api/model/settings.ts';
import type { Status } from '../src/api/model/status.ts';
import type { Client } from '../src/transport/client.ts';
import type { Log } from './electron.ts';

export interface PlanName {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
}

export interface Known {
  /** undefined: the host has not answered yet, or is gone. */
  readonly status: Status | undefined;
  readonly plans: readonly PlanName[];
  /** By run. */
  readonly progress: ReadonlyMap<string, Progress>;
  readonly language: Settings['language'];
}

const NOTHING: Known = { status: undefined, plans: [], progress: new Map(), language: 'system' };

export class Watch {
  readonly #onChange: (known: Known) => void;
  readonly #log: Log;
  #known: Known = NOTHING;
  #current: AbortController | undefined;

  constructor(o: { readonly onChange: (known: Known) => void; readonly log: Log }) {
    this.#onChange = o.onChange;
    this.#log = o.log;
  }

  get known(): Known {
    return this.#known;
  }

  /** Follows this host from now on, until it or `lost` comes. */
  follow(client: Client): void {
    this.lost();
    const current = new AbortController();
    this.#current = current;
    this.#listen(client, current.signal).catch((e: unknown) => {
      if (!current.signal.aborted) this.#log('warning', `The host's events can't be heard: ${String(e)}`);
    });
  }

  /** The host is gone. What it was called in and which plans there are is remembered. */
  lost(): void {
    this.#current?.abort();
    this.#change({ status: undefined, progress: new Map() });
  }

  #change(part: Partial<Known>): void {
    this.#known = { ...this.#known, ...part };
    this.#onChange(this.#known);
  }

  async #listen(client: Client, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // First the stream, then the lists: nothing that happens in between is missed.
      const events = await client.system.events(undefined, { signal });
      const [plans, { language }] = await Promise.all([
        client.plans.list(undefined, { signal }),
        client.settings.get(undefined, { signal }),
      ]);
      this.#change({ plans: plans.map(({ plan }) => nameOf(plan)), language });
      for await (const event of events) {
        if (signal.aborted) return;
        this.#heard(event);
      }
    }
  }

  #heard(event: HostEvent): void {
    const { plans, progress } = this.#known;
    switch (event.kind) {
      case 'status': {
        const alive = [...progress].filter(([id]) => event.status.running.includes(id));
        return this.#change({ status: event.status, progress: new Map(alive) });
      }
      case 'progress':
        return this.#change({ progress: new Map(progress).set(event.runId, event.progress) });
      case 'plan':
        return this.#change({ plans: withPlan(plans, nameOf(event.plan)) });
      case 'plan-removed':
        return this.#change({ plans: plans.filter(({ id }) => id !== event.planId) });
      case 'settings':
        return this.#change({ language: event.settings.language });
      default:
    }
  }
}

function nameOf({ id, name, enabled }: PlanName): PlanName {
  return { id, name, enabled };
}

function withPlan(plans: readonly PlanName[], plan: PlanName): readonly PlanName[] {
  if (!plans.some(({ id }) => id === plan.id)) return [...plans, plan];
  return plans.map((one) => (one.id === plan.id ? plan : one));
}

/** Of all runs together, 0 to 1; undefined while nothing runs, null while the whole is not known. */
export function fractionOf({ status, progress }: Known): number | null | undefined {
  if (!status || status.running.length === 0) return undefined;
  const all = status.running.map((id) => progress.get(id));
  let done = 0;
  let total = 0;
  for (const one of all) {
    if (!one || one.bytesTotal === null) return null;
    done += Math.min(one.bytesDone, one.bytesTotal);
    total += one.bytesTotal;
  }
  return total === 0 ? null : done / total;
}
