/** A real HTTP server on this machine that writes down what it is asked, and answers as a test wants. */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CERTIFICATE, KEY } from './certificate.ts';
import { until } from './until.ts';

export interface SunkRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `hang`: takes the request and never answers. `reset`: cuts the connection. */
export type Behaviour = Answer | 'hang' | 'reset';

export interface HttpSink extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SunkRequest[];
  /** What the next requests get; until told, 200. */
  answer: (request: SunkRequest) => Behaviour;
  /** Resolves when so many requests have come in all. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface HttpSinkOptions {
  readonly tls?: boolean;
  /** In the address; 127.0.0.1 unless told. */
  readonly host?: string;
}

export async function startHttpSink(o: HttpSinkOptions = {}): Promise<HttpSink> {
  const requests: SunkRequest[] = [];
  const server = o.tls ? https.createServer({ key: KEY, cert: CERTIFICATE }) : http.createServer();
  const sink: HttpSink = {
    get url() {
      return `${o.tls ? 'https' : 'http'}://${o.host ?? '127.0.0.1'}:${sink.port}`;
    },
    get port() {
      return (server.address() as AddressInfo).port;
    },
    requests,
    answer: () => ({ status: 200, body: 'OK' }),
    received: (count) => until(() => requests.length >= count),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    [Symbol.asyncDispose]: () => (server.listening ? sink.close() : Promise.resolve()),
  };
  server.on('request', async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const { method = '', url: path = '', headers } = request;
    const sunk = { method, path, headers, body: await text(request) };
    requests.push(sunk);
    reply(sink.answer(sunk), request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return sink;
}

function reply(behaviour: Behaviour, request: http.IncomingMessage, response: http.ServerResponse): void {
  if (behaviour === 'hang') return;
  if (behaviour === 'reset') {
    request.socket.destroy();
    return;
  }
  response.writeHead(behaviour.status, behaviour.headers);
  response.end(behaviour.body ?? '');
}

/** An address on this machine at which nobody listens. */
export async function deadPort(): Promise<number> {
  const sink = await startHttpSink();
  const { port } = sink;
  await sink.close();
  return port;
}
