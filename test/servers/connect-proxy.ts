/**
 * A proxy for programs that talk to one address alone: whatever they ask it to connect to, it answers itself, with TLS, and hands the
 * connection to a server of the test. Nothing leaves this machine.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import tls from 'node:tls';

export interface ConnectProxyOptions {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  readonly adopt: (socket: Socket) => void;
}

export class ConnectProxy implements AsyncDisposable {
  /** Hosts that were asked for. */
  readonly hosts = new Set<string>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ key, certificate, adopt }: ConnectProxyOptions) {
    const secureContext = tls.createSecureContext({ key, cert: certificate });
    this.#server = createServer((_, response) => response.writeHead(405).end());
    this.#server.on('connect', (request, socket: Socket) => {
      this.hosts.add(String(request.url));
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy()).once('close', () => this.#sockets.delete(socket));
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const inner = new tls.TLSSocket(socket, { isServer: true, secureContext });
      inner.on('error', () => inner.destroy());
      adopt(inner);
    });
  }

  static async start(o: ConnectProxyOptions): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(o);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
