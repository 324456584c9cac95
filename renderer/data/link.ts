/**
 * The line to the host: opened, listened on, and opened again when it breaks.
 *
 * connection  one opened way to the host; ends with it
 * link        all connections of this page, one after the other
 */
import { EngineError } from '../../src/api/errors.ts';
import type { HostEvent } from '../../src/api/model/event.ts';
import type { HostConnection } from '../../src/transport/browser.ts';
import type { Client } from '../../src/transport/client.ts';

/** 'lost': there was a connection, or none could be made; tries go on. 'signed-out': no try helps before a sign-in. */
export type LinkState = 'connecting' | 'connected' | 'lost' | 'signed-out';

export interface LinkPorts {
  open(signal: AbortSignal): Promise<HostConnection>;
  /** Asked when a connection broke or could not be made. */
  isSignedOut(): Promise<boolean>;
  /** Resolves after so many milliseconds, or earlier when a try may help. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export interface LinkListener {
  /** Events flow. Whatever was asked before may be out of date. */
  onConnected(): void;
  onEvent(event: HostEvent): void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 5000;

export class HostLink {
  readonly #ports: LinkPorts;
  readonly #listeners = new Set<() => void>();
  #connection: HostConnection | undefined;
  #state: LinkState = 'connecting';

  constructor(ports: LinkPorts) {
    this.#ports = ports;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Of the connection that stands. Error: 'unreachable' (transient) where none does. */
  get client(): Client {
    if (this.#connection) return this.#connection.client;
    throw new EngineError('unreachable', 'The connection to Holdfast was lost.', {
      transient: true,
      hint: 'It is tried again by itself. Then try once more.',
    });
  }

  /** Hears of changes of the state. Returns how to stop. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Holds the line until the signal aborts. Never rejects. */
  async hold(listener: LinkListener, signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT;
    while (!signal.aborted) {
      const connected = await this.#listen(listener, signal);
      if (signal.aborted) return;
      this.#set((await this.#ports.isSignedOut().catch(() => false)) ? 'signed-out' : 'lost');
      wait = connected ? FIRST_WAIT : Math.min(LONGEST_WAIT, wait * 2);
      await this.#ports.wait(wait, signal);
    }
  }

  /** One connection, until it ends; false: there was none. Subscribes before anybody asks, so that nothing falls between. */
  async #listen(listener: LinkListener, signal: AbortSignal): Promise<boolean> {
    try {
      const connection = await this.#ports.open(signal);
      try {
        const events = await connection.client.system.events(undefined, { signal });
        this.#connection = connection;
        this.#set('connected');
        listener.onConnected();
        for await (const event of events) listener.onEvent(event);
      } finally {
        this.#connection = undefined;
        connection.close();
      }
      return true;
    } catch {
      // Whatever it was, the next try tells whether it has passed; the state says that there is no connection.
      return this.#state === 'connected';
    }
  }

  #set(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
