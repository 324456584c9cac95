/**
 * The caller's end of a pipe, dressed as the socket that oRPC's WebSocket link expects. Browser-safe: whatever this imports
 * runs without Node.
 */
import { RPCLink } from '@orpc/client/websocket';
import { z } from 'zod';
import { type Client, clientOf } from './client.ts';
import { fits, type Pipe } from './pipe.ts';

/** What a host sends. */
const Answer = z.object({ i: z.string(), p: z.unknown() });

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
