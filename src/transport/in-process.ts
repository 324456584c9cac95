/** The contract without a wire: for the command line that holds the data folder itself, and for tests. */
import {
  type AnyRouter,
  createProcedureClient,
  getRouter,
  isLazy,
  isProcedure,
  ORPCError,
} from '@orpc/server';
import { type Client, clientOf } from './client.ts';
import { type OnFault, wrapErrors } from './errors.ts';

/** A client that calls `router` directly. Inputs and outputs are validated as on a wire. */
export function serveInProcess(router: AnyRouter, options: { readonly onFault: OnFault }): Client {
  const interceptors = [wrapErrors(options.onFault)];
  return clientOf({
    call: async (path, input, { signal }) => {
      const procedure = path.every(isOwn) ? getRouter(router, path) : undefined;
      if (!procedure || isLazy(procedure) || !isProcedure(procedure)) throw new ORPCError('NOT_FOUND');
      const call = createProcedureClient(procedure, { context: {}, path, interceptors });
      return call(input, { ...(signal && { signal }) });
    },
  });
}

/** Names that every object has are no calls. */
const isOwn = (name: string) => !(name in Object.prototype);
