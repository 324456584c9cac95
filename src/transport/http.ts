/** The contract over HTTP: a call is a POST below `/rpc`, a stream of events its answer as text/event-stream. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RPCLink } from '@orpc/client/fetch';
import type { AnyRouter } from '@orpc/server';
import { RPCHandler } from '@orpc/server/node';
import { type Client, clientOf } from './client.ts';
import { type OnFault, wrapErrors } from './errors.ts';

export const RPC_PATH = '/rpc';

/** Sent with every call: another site can't add it without asking first, which the server never allows. */
export const CLIENT_HEADER = 'x-holdfast-client';

/**
 * Answers requests below `/rpc`; false: there is no such call. Limits on bodies, and who may call, are the caller's
 * concern. The handler's signal aborts when the connection ends early.
 */
export function httpHandler(
  router: AnyRouter,
  options: { readonly onFault: OnFault },
): (req: IncomingMessage, res: ServerResponse) => Promise<boolean> {
  const handler = new RPCHandler(router, { clientInterceptors: [wrapErrors(options.onFault)] });
  return async (req, res) => {
    const { matched } = await handler.handle(req, res, { prefix: RPC_PATH, context: {} });
    return matched;
  };
}

export interface HttpClientOptions {
  /** Such as `http://127.0.0.1:8484`. */
  readonly origin: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client over HTTP, by the platform's `fetch`. */
export function httpClient(options: HttpClientOptions): Client {
  return clientOf(
    new RPCLink({
      url: new URL(RPC_PATH, options.origin).href,
      headers: { [CLIENT_HEADER]: '1', ...options.headers },
    }),
  );
}
