/** What plain HTTP makes of servers, good and bad ones: all of them real sockets of this process. */
import { once } from 'node:events';
import fs from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpClient, type HttpClient, type HttpOptions } from '../../../src/backend/http/client.ts';
import { CERTIFICATE, KEY } from '../../helpers/certificate.ts';
import { useTemp } from '../../helpers/scope.ts';
import { EXPIRED_CERTIFICATE, OTHER_CERTIFICATE } from '../../servers/certificates.ts';

const temp = useTemp();
const PORT = { port: 0, host: '127.0.0.1' };

async function client(o: Partial<HttpOptions> = {}): Promise<HttpClient> {
  const made = await createHttpClient({ connections: 2, ...o });
  onTestFinished(() => made.close());
  return made;
}

/** Listens until the test is over; its address. */
async function listening(server: net.Server | http.Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(PORT);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

const served = async (serve: Serve) => `http://127.0.0.1:${await listening(http.createServer(serve))}/`;

/** Hears one request's head on each connection after the other, and does `answer` with the number of requests on it so far. */
async function raw(
  answer: (socket: Socket, nth: number) => void,
): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    let nth = 0;
    socket.on('data', (bytes) => {
      if (/^(GET|POST|PUT|HEAD|DELETE) /.test(bytes.toString('latin1'))) answer(socket, ++nth);
    });
  });
  return { url: `http://127.0.0.1:${await listening(server)}/`, sockets };
}

/** Resolves when the connection of a body is gone. */
async function heardToTheEnd(request: IncomingMessage, hear: (bytes: number) => void): Promise<void> {
  request.on('data', (bytes: Buffer) => hear(bytes.length)).on('error', () => {});
  await new Promise<void>((resolve) => void request.socket.on('close', resolve));
}

const text = (body: Buffer): string => body.toString();
const GET = (url: string) => ({ method: 'GET', url });

describe('an exchange', () => {
  it('carries a body in pieces, headers and the name of the program', async () => {
    const url = await served(async (request, response) => {
      const heard: Buffer[] = [];
      for await (const bytes of request as AsyncIterable<Buffer>) heard.push(bytes);
      response.writeHead(201, {
        'x-heard': request.headers['x-say'],
        'x-who': request.headers['user-agent'],
      });
      response.end(`${request.headers['content-length']} ${Buffer.concat(heard)}`);
    });
    const { request } = await client({ tls: { userAgent: 'holdfast/test' } });
    const body = [Buffer.from('one'), Buffer.alloc(0), Buffer.from(' two')];
    const answer = await request({ method: 'POST', url, body, headers: { 'x-say': 'hello' } });
    expect(answer.status).toBe(201);
    expect(text(answer.body)).toBe('7 one two');
    expect(answer.headers).toMatchObject({ 'x-heard': 'hello', 'x-who': 'holdfast/test' });
  });

  it('gives memory that is nobody else’s', async () => {
    const { request } = await client();
    const { body } = await request(GET(await served((_, response) => response.end('hello'))));
    expect(body.buffer.byteLength).toBe(5);
  });

  it('says of an answer longer than wanted that it is, told or not', async () => {
    const { request } = await client();
    const told = await served((_, response) => response.end(Buffer.alloc(1001)));
    const untold = await served((_, response) => {
      response.write(Buffer.alloc(600));
      response.end(Buffer.alloc(401));
    });
    for (const url of [told, untold]) {
      await expect(request({ ...GET(url), mostBytes: 1000 })).rejects.toMatchObject({ code: 'io' });
      expect((await request({ ...GET(url), mostBytes: 1001 })).body).toHaveLength(1001);
    }
  });

  it('follows no redirection', async () => {
    const url = await served((_, response) => response.writeHead(307, { location: '/other' }).end());
    const { request } = await client();
    expect(await request(GET(url))).toMatchObject({ status: 307, headers: { location: '/other' } });
  });

  it('hears a server that answers before it has heard all, and stops', async () => {
    let heard = 0;
    let ended: Promise<void> = Promise.resolve();
    const url = await served((request, response) => {
      ended = heardToTheEnd(request, (bytes) => {
        heard += bytes;
      });
      response.writeHead(413).end('too big');
    });
    const { request } = await client();
    const body = Array.from({ length: 64 }, () => Buffer.alloc(1 << 20));
    const answer = await request({ method: 'POST', url, body });
    expect(answer.status).toBe(413);
    expect(text(answer.body)).toBe('too big');
    await ended;
    expect(heard).toBeLessThan(64 << 20);
  });

  it('keeps a connection, and to as many as it may have', async () => {
    const ports = new Set<number | undefined>();
    const url = await served((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('x');
    });
    const { request } = await client({ connections: 3 });
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 20 }, () => request(GET(url))));
    }
    expect(ports.size).toBe(3);
  });

  it('goes over a socket of this machine', async () => {
    const socketPath = join(temp.dir('socket'), 's');
    const server = http.createServer((request, response) => response.end(request.url));
    server.listen(socketPath);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { request } = await client({ socketPath });
    expect(text((await request(GET('http://localhost/some/path'))).body)).toBe('/some/path');
  });
});

describe('an abort', () => {
  const cancelled = { code: 'cancelled', context: { reason: 'enough' } };

  it('begins nothing', async () => {
    let heard = 0;
    const url = await served((_, response) => response.end(String(++heard)));
    const { request } = await client();
    const signal = AbortSignal.abort('enough');
    await expect(request({ ...GET(url), signal })).rejects.toMatchObject(cancelled);
    expect(heard).toBe(0);
  });

  it('before the last piece has left: the server never has it whole', async () => {
    const abort = new AbortController();
    let heard = 0;
    let ended: Promise<void> = Promise.resolve();
    const url = await served((request) => {
      ended = heardToTheEnd(request, (bytes) => {
        heard += bytes;
        abort.abort('enough');
      });
    });
    const { request } = await client();
    const body = [Buffer.alloc(64 << 20)];
    const sending = request({ method: 'POST', url, body, signal: abort.signal });
    await expect(sending).rejects.toMatchObject(cancelled);
    await ended;
    expect(heard).toBeGreaterThan(0);
    expect(heard).toBeLessThan(64 << 20);
  });

  it.each(['POST', 'DELETE'])('after it: the answer to a %s counts', async (method) => {
    const abort = new AbortController();
    const url = await served((request, response) => {
      request.resume().on('end', () => {
        abort.abort('enough');
        setImmediate(() => response.end('stored'));
      });
    });
    const { request } = await client();
    const body = method === 'POST' ? { body: [Buffer.alloc(1 << 20)] } : {};
    const answer = await request({ method, url, ...body, signal: abort.signal });
    expect(text(answer.body)).toBe('stored');
  });

  it('ends a question at once, before the answer and in its midst', async () => {
    const { request } = await client();
    for (const begun of [false, true]) {
      const abort = new AbortController();
      const url = await served((_, response) => {
        if (begun) response.write('some');
        setImmediate(() => abort.abort('enough'));
      });
      await expect(request({ ...GET(url), signal: abort.signal })).rejects.toMatchObject(cancelled);
    }
  });

  it('ends a wait for the pace', async () => {
    const abort = new AbortController();
    const url = await served((_, response) => response.end('x'));
    const { request } = await client();
    const never = (_: number, signal?: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        setImmediate(() => abort.abort('enough'));
      });
    const pace = { up: never, down: never, piece: 1000 };
    const body = [Buffer.alloc(5000)];
    const sending = request({ method: 'POST', url, body, pace, signal: abort.signal });
    await expect(sending).rejects.toMatchObject(cancelled);
    await expect(request({ ...GET(url), pace, signal: abort.signal })).rejects.toMatchObject(cancelled);
  });
});

describe('a connection that breaks', () => {
  const broken = { code: 'unreachable', transient: true };

  it.each([
    ['with its length told', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234'],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n'],
    ['in its head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['before it', ''],
  ])('in the answer, %s, is transient', async (_, words) => {
    for (const reset of [false, true]) {
      const { url } = await raw((socket) => {
        if (reset) socket.write(words, () => socket.resetAndDestroy());
        else socket.end(words);
      });
      const { request } = await client();
      await expect(request(GET(url))).rejects.toMatchObject(broken);
    }
  });

  it('in the body is transient', async () => {
    const { url } = await raw((socket) => socket.resetAndDestroy());
    const { request } = await client();
    const sending = request({ method: 'POST', url, body: [Buffer.alloc(16 << 20)] });
    await expect(sending).rejects.toMatchObject(broken);
  });

  const WELL = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('while it lay idle goes unnoticed by a %s', async (method) => {
    const { url, sockets } = await raw((socket, nth) => {
      if (nth > 1) socket.resetAndDestroy();
      else socket.write(method === 'HEAD' ? WELL.slice(0, -2) : WELL);
    });
    const { request } = await client();
    for (let i = 1; i <= 3; i++) {
      expect((await request({ method, url })).status).toBe(200);
      expect(sockets).toHaveLength(i);
    }
  });

  it('while it lay idle makes a POST transient, unless it may be repeated', async () => {
    const { url } = await raw((socket, nth) => (nth > 1 ? socket.resetAndDestroy() : socket.write(WELL)));
    const { request } = await client();
    const post = { method: 'POST', url, body: [Buffer.from('x')] };
    await request(post);
    await expect(request(post)).rejects.toMatchObject(broken);
    await request(post);
    expect((await request({ ...post, repeatable: true })).status).toBe(200);
  });

  it('anew each time is not tried for ever', async () => {
    const { url, sockets } = await raw((socket) => socket.resetAndDestroy());
    const { request } = await client();
    await expect(request(GET(url))).rejects.toMatchObject(broken);
    expect(sockets).toHaveLength(1);
  });
});

describe('a server that is not there, or no such server', () => {
  it('refuses the connection', async () => {
    const server = http.createServer();
    const port = await listening(server);
    server.close();
    await once(server, 'close');
    const { request } = await client();
    const refused = { code: 'unreachable', transient: true, message: expect.stringContaining('refuses') };
    await expect(request(GET(`http://127.0.0.1:${port}/`))).rejects.toMatchObject(refused);
  });

  it('says nothing for too long', async () => {
    const url = await served(() => {});
    const { request } = await client({ tls: { stuckRequestMs: 30 } });
    await expect(request(GET(url))).rejects.toMatchObject({ code: 'timeout', transient: true });
  });

  it('falls silent in its answer', async () => {
    const url = await served((_, response) => void response.write('some'));
    const { request } = await client({ tls: { stuckRequestMs: 30 } });
    await expect(request(GET(url))).rejects.toMatchObject({ code: 'timeout', transient: true });
  });

  it('speaks something else', async () => {
    const no = { code: 'unreachable', transient: false, hint: expect.stringContaining('https') };
    const mail = net.createServer((socket) => socket.end('220 mail.example ESMTP\r\n'));
    const url = `http://127.0.0.1:${await listening(mail)}/`;
    const { request } = await client();
    await expect(request(GET(url))).rejects.toMatchObject(no);
    await expect(request(GET(url.replace('http', 'https')))).rejects.toMatchObject(no);
  });
});

describe('certificates', () => {
  const pem = (content: string): string => {
    const file = join(temp.dir('pem'), 'file.pem');
    fs.writeFileSync(file, content);
    return file;
  };
  const secure = async (o: https.ServerOptions) =>
    `https://127.0.0.1:${await listening(https.createServer({ key: KEY, ...o }, (_, r) => r.end('safe')))}/`;
  const refused = (reason: string) => ({ code: 'permission', transient: false, context: { reason } });

  it('are believed only by those that are named, unless told otherwise', async () => {
    const url = await secure({ cert: CERTIFICATE });
    const { request } = await client();
    await expect(request(GET(url))).rejects.toMatchObject(refused('DEPTH_ZERO_SELF_SIGNED_CERT'));
    for (const tls of [{ caFiles: [pem(CERTIFICATE)] }, { insecure: true }]) {
      expect(text((await (await client({ tls })).request(GET(url))).body)).toBe('safe');
    }
  });

  it('of another name are refused', async () => {
    const { request } = await client({ tls: { caFiles: [pem(OTHER_CERTIFICATE)] } });
    const answer = request(GET(await secure({ cert: OTHER_CERTIFICATE })));
    await expect(answer).rejects.toMatchObject({
      ...refused('ERR_TLS_CERT_ALTNAME_INVALID'),
      hint: expect.stringContaining('another name'),
    });
  });

  it('that have expired are refused', async () => {
    const { request } = await client({ tls: { caFiles: [pem(EXPIRED_CERTIFICATE)] } });
    const answer = request(GET(await secure({ cert: EXPIRED_CERTIFICATE })));
    await expect(answer).rejects.toMatchObject({
      ...refused('CERT_HAS_EXPIRED'),
      hint: expect.stringContaining('renewed'),
    });
  });

  it('of ours are shown to a server that wants one', async () => {
    const url = await secure({ cert: CERTIFICATE, ca: CERTIFICATE, requestCert: true });
    const caFiles = [pem(CERTIFICATE)];
    const without = await client({ tls: { caFiles } });
    await expect(without.request(GET(url))).rejects.toMatchObject({
      code: 'auth-expired',
      transient: false,
      hint: expect.stringContaining('--tls-client-cert'),
    });
    const shown = await client({ tls: { caFiles, clientCertificate: pem(CERTIFICATE + KEY) } });
    expect(text((await shown.request(GET(url))).body)).toBe('safe');
  });

  it('in files that are not there are a wrong call', async () => {
    const missing = { caFiles: [join(temp.dir(), 'no.pem')] };
    await expect(createHttpClient({ connections: 1, tls: missing })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a proxy', () => {
  /** Notes what it is asked for, and passes it on. */
  async function proxy(): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const server = http.createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      request.pipe(
        http.request(request.url ?? '', { method: request.method ?? '' }, (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(response);
        }),
      );
    });
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      asked.push(`CONNECT ${request.url}`);
      const [host, port] = (request.url ?? '').split(':');
      const through = net.connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      for (const end of [through, socket]) end.on('error', () => through.destroy());
    });
    return { url: `http://127.0.0.1:${await listening(server)}`, asked };
  }

  it('is used where the environment names one', async () => {
    const { url, asked } = await proxy();
    const plain = await served((_, response) => response.end('plain'));
    const tlsServer = https.createServer({ key: KEY, cert: CERTIFICATE }, (_, r) => r.end('safe'));
    const secure = `https://127.0.0.1:${await listening(tlsServer)}/`;
    const env = { HTTP_PROXY: url, https_proxy: url };
    const { request } = await client({ env, tls: { insecure: true } });
    expect(text((await request(GET(plain))).body)).toBe('plain');
    expect(text((await request(GET(secure))).body)).toBe('safe');
    expect(asked).toEqual([`GET ${plain}`, `CONNECT ${new URL(secure).host}`]);
  });

  it('is passed by for hosts that the environment excepts', async () => {
    const { url, asked } = await proxy();
    const plain = await served((_, response) => response.end('plain'));
    const { request } = await client({ env: { HTTP_PROXY: url, NO_PROXY: '127.0.0.1' } });
    expect(text((await request(GET(plain))).body)).toBe('plain');
    expect(asked).toEqual([]);
  });
});
