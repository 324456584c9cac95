/**
 * The contract over a pipe. oRPC's WebSocket adapters do the work on either end; here the pipe is dressed as the socket
 * that they expect, what comes in is looked at before they see it, and how much may be under way is limited.
 */
import { RPCLink } from '@orpc/client/websocket';
import type { AnyRouter } from '@orpc/server';
import { RPCHandler } from '@orpc/server/ws';
import { z } from 'zod';
import type { Clock } from '../util/clock.ts';
import { type Client, clientOf } from './client.ts';
import { type OnFault, wrapErrors } from './errors.ts';

export interface PipeListener {
  onOpen?(): void;
  onText(text: string): void;
  /** Once; also when it was closed before somebody listened. */
  onClose(): void;
}

export interface Pipe {
  readonly state: 'opening' | 'open' | 'closed';
  /** Resolves when the other side, or the system, has taken it: whoever waits is slowed to the reader's pace. */
  send(text: string): Promise<void>;
  listen(listener: PipeListener): void;
  close(reason?: string): void;
}

export interface PipeLimits {
  readonly clock: Clock;
  /** Calls and streams under way at once. */
  readonly underWay: number;
  /** Texts a second in the long run, and at once. */
  readonly perSecond: number;
  readonly burst: number;
}

export interface PipeServerOptions {
  readonly onFault: OnFault;
  /** Whoever goes beyond is cut off. None: the other side is a part of ourselves. */
  readonly limits?: PipeLimits;
}

/** What a client of ours sends: a call by POST without headers, or the abort of one. Nothing streams to the host. */
const Frame = z.union([
  z.strictObject({ i: z.string().max(40), t: z.literal(4), p: z.undefined().optional() }),
  z.strictObject({
    i: z.string().max(40),
    t: z.literal(1).optional(),
    p: z.strictObject({ u: z.string().startsWith('/').max(500), b: z.unknown() }),
  }),
]);

/** What a host sends. */
const Answer = z.object({ i: z.string(), p: z.unknown() });

function fits(schema: z.ZodType, text: string): boolean {
  try {
    return schema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

type Listeners = Partial<Record<string, (event: { readonly data?: string }) => unknown>>;

/** Returns what serves one pipe after the other. When a pipe closes, the signals of its calls abort. */
export function pipeServer(router: AnyRouter, options: PipeServerOptions): (pipe: Pipe) => void {
  const handler = new RPCHandler(router, { clientInterceptors: [wrapErrors(options.onFault)] });
  return (pipe) => {
    const listeners: Listeners = {};
    const socket = {
      addEventListener: (name: string, listener: NonNullable<Listeners[string]>) => {
        listeners[name] = listener;
      },
      send: (text: string) => pipe.send(text),
    };
    // The adapter uses nothing else of a socket, and waits for what `send` returns.
    void handler.upgrade(socket as unknown as Parameters<typeof handler.upgrade>[0], { context: {} });
    pipe.listen(new Gate(pipe, options, listeners));
  };
}

/** Lets in what fits, and cuts off who sends anything else or too much. */
class Gate implements PipeListener {
  readonly #pipe: Pipe;
  readonly #options: PipeServerOptions;
  readonly #listeners: Listeners;
  #underWay = 0;
  #allowance: number;
  #at: number;

  constructor(pipe: Pipe, options: PipeServerOptions, listeners: Listeners) {
    this.#pipe = pipe;
    this.#options = options;
    this.#listeners = listeners;
    this.#allowance = options.limits?.burst ?? 0;
    this.#at = options.limits?.clock.now() ?? 0;
  }

  onText(text: string): void {
    if (this.#pipe.state !== 'open') return;
    if (this.#tooMuch()) return this.#pipe.close('too many calls at once');
    if (!fits(Frame, text)) return this.#pipe.close('not a call');
    this.#underWay++;
    void Promise.resolve(this.#listeners.message?.({ data: text })).finally(() => this.#underWay--);
  }

  onClose(): void {
    this.#listeners.close?.({});
  }

  #tooMuch(): boolean {
    const { limits } = this.#options;
    if (!limits) return false;
    const now = limits.clock.now();
    const earned = (Math.max(0, now - this.#at) / 1000) * limits.perSecond;
    this.#allowance = Math.min(limits.burst, this.#allowance + earned) - 1;
    this.#at = now;
    return this.#allowance < 0 || this.#underWay >= limits.underWay;
  }
}

/**
 * Of a closed pipe `send` takes care: the adapter throws where nobody catches it when a call is given up after the end, as when
 * a stream of events is left and the connection closed at once.
 */
const READY_STATE = { opening: 0, open: 1, closed: 1 } as const;
const ABORT = z.object({ t: z.literal(4) });

/** A client over a pipe. Calls made while it opens wait; calls after it has closed fail with 'unreachable'. */
export function pipeClient(pipe: Pipe): Client {
  const target = new EventTarget();
  const socket = {
    get readyState() {
      return READY_STATE[pipe.state];
    },
    send: async (text: string) => {
      if (pipe.state !== 'closed') await pipe.send(text);
      else if (!fits(ABORT, text)) throw new Error('The connection has ended.');
    },
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
  };
  const link = new RPCLink({ websocket: socket as unknown as WebSocketLike });
  pipe.listen({
    onOpen: () => target.dispatchEvent(new Event('open')),
    onText: (text) => {
      if (fits(Answer, text)) target.dispatchEvent(new MessageEvent('message', { data: text }));
      else pipe.close('not an answer');
    },
    onClose: () => target.dispatchEvent(new Event('close')),
  });
  return clientOf(link);
}

type WebSocketLike = ConstructorParameters<typeof RPCLink>[0]['websocket'];
