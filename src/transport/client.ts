/**
 * The contract as seen by a caller, whatever carries it.
 *
 * client     typed calls; every failure is an EngineError; an aborted signal ends the call at once on this side and aborts
 *            the handler's signal on the other
 * transport  what carries a call: in process, a pipe (MessagePort, WebSocket), HTTP
 * pipe       carries texts both ways, in order, until one side closes
 */
import { type ClientLink, createORPCClient } from '@orpc/client';
import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '../api/contract.ts';
import { asCancelled, fromRemote } from './errors.ts';
import { guarded, isAsyncIterator } from './iterator.ts';

export type Client = ContractRouterClient<Contract>;

type Link = ClientLink<Record<never, never>>;
type Call = Parameters<Link['call']>;

/** A client over one of oRPC's links. */
export function clientOf(link: Link): Client {
  return createORPCClient<Client>({ call: (...call) => carry(link, call) });
}

/**
 * Every call has a signal of its own, which aborts with the caller's and when a stream is no longer listened to: in
 * process nothing else would tell the handler.
 */
async function carry(link: Link, [path, input, options]: Call): Promise<unknown> {
  const own = new AbortController();
  const onAbort = () => own.abort(asCancelled(options.signal?.reason));
  const translate = (e: unknown) => fromRemote(e, own.signal);
  const release = () => options.signal?.removeEventListener('abort', onAbort);
  if (options.signal?.aborted) throw asCancelled(options.signal.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const output = await untilAborted(link.call(path, input, { ...options, signal: own.signal }), own.signal);
    if (!isAsyncIterator(output)) {
      release();
      return output;
    }
    const onEnd = () => {
      release();
      own.abort(asCancelled(undefined));
    };
    return guarded(output, { signal: own.signal, translate, onEnd });
  } catch (e) {
    release();
    throw translate(e);
  }
}

/** Rejects with the signal's reason as soon as it aborts; what the work says afterwards is not heard. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
