/**
 * The host's end of a pipe. oRPC's WebSocket adapter does the work; here the pipe is dressed as the socket that it expects,
 * what comes in is looked at before it sees it, and how much may be under way is limited.
 */
import type { AnyRouter } from '@orpc/server';
import { RPCHandler } from '@orpc/server/ws';
import { z } from 'zod';
import type { Clock } from '../util/clock.ts';
import { type OnFault, wrapErrors } from './errors.ts';
import { fits, type Pipe, type PipeListener } from './pipe.ts';

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
