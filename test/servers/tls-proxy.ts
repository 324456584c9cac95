/**
 * A proxy (CONNECT) behind which services of tests have the names of the real ones: programs that can't be told other addresses
 * reach them by HTTPS_PROXY, if they trust `SERVICES_CERTIFICATE`. It lets nobody out to anywhere else.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import tls from 'node:tls';
import { KEY } from '../helpers/certificate.ts';

/** For the hosts of Dropbox and Google, signed by itself, valid from 2020 to 2119, with the public key of test/helpers/certificate.ts. */
export const SERVICES_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBsDCCAVagAwIBAgIBATAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFzZXJ2aWNl
cyBvZiB0ZXN0czAgFw0yMDAxMDEwMDAwMDBaGA8yMTE5MTIzMTAwMDAwMFowHDEa
MBgGA1UEAwwRc2VydmljZXMgb2YgdGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAAR6kH4HBeXQkMDyZacow69lQTjZpt9QX0yMYwi6PCLij63Am/X65vKWu8S4
lL5xvI2mvDMAzF3Vcz6+QuUih2Yuo4GGMIGDMA8GA1UdEwEB/wQFMAMBAf8wUQYD
VR0RBEowSIIQKi5kcm9wYm94YXBpLmNvbYINKi5kcm9wYm94LmNvbYIQKi5nb29n
bGVhcGlzLmNvbYITYWNjb3VudHMuZ29vZ2xlLmNvbTAdBgNVHQ4EFgQU86S6z5Aa
7+qaL6M2FyTbBezzINAwCgYIKoZIzj0EAwIDSAAwRQIgC6xUu+FjxWjyuG0VsRea
kZjmnhU2c0lNDtjJiRuhs0kCIQCcmgq3TVGVHOj1qS7uyVaruibVlC3dKDX2RZiO
ojEKLA==
-----END CERTIFICATE-----
`;

/** Serves a connection, decrypted, that was meant for a host: 'connection' of an HTTP server, in truth. */
export type Adopt = (socket: Socket) => void;

export class TlsProxy implements AsyncDisposable {
  /** Hosts that were asked for, whether there or not. */
  readonly asked = new Set<string>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(hosts: Readonly<Record<string, Adopt>>) {
    this.#server = createServer((_, response) => response.writeHead(405).end());
    this.#server.on('connect', (request, socket: Socket, head: Buffer) => {
      const host = (request.url ?? '').replace(/:443$/, '');
      this.asked.add(host);
      this.#keep(socket);
      const adopt = Object.hasOwn(hosts, host) ? hosts[host] : undefined;
      if (adopt === undefined) socket.end('HTTP/1.1 502 Not a service of tests\r\n\r\n');
      else this.#meet(socket, head, adopt);
    });
  }

  static async start(hosts: Readonly<Record<string, Adopt>>): Promise<TlsProxy> {
    const proxy = new TlsProxy(hosts);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** For HTTPS_PROXY. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }

  #meet(socket: Socket, head: Buffer, adopt: Adopt): void {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    const secure = new tls.TLSSocket(socket, { isServer: true, key: KEY, cert: SERVICES_CERTIFICATE });
    secure.on('error', () => undefined);
    adopt(secure);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
