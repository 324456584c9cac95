/**
 * Plain HTTP for storages: one request, one answer read whole, with pacing, own certificates, and errors a person can act on.
 *
 * commit   the moment when the last byte of the body has left. Up to then an abort tears the request down and nothing was stored;
 *          after it the server may act whatever we do, so its answer is waited for, and the abort counts only then.
 */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { EngineError, messageOf } from '../../api/errors.ts';
import type { Pace } from '../backend.ts';
import { cancellation, throwIfAborted, totalLength } from '../calls.ts';
import type { TlsSetting } from './tls.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with its length; may be sent again. */
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
  readonly pace?: Pace | undefined;
  /** A longer answer is an error ('io'); 256 MiB unless told. */
  readonly mostBytes?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; what came several times is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpClient {
  /** Any status is an answer. Errors: 'unreachable' and 'timeout' (transient), 'cancelled', 'permission' for a certificate that is not trusted. */
  request(r: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpOptions {
  readonly tls?: TlsSetting | undefined;
  /** Connections at once to one server. */
  readonly connections: number;
}

const STUCK_MS = 5 * 60_000;
const MOST_BYTES = 256 << 20;

/** Errors: 'usage' for a certificate file that can't be read. */
export async function createHttpClient(o: HttpOptions): Promise<HttpClient> {
  const common = { keepAlive: true, maxSockets: o.connections, scheduling: 'lifo' } as const;
  const agents = {
    'http:': new http.Agent(common),
    'https:': new https.Agent({ ...common, ...(await tlsOptions(o.tls)) }),
  };
  return {
    request: (r) => requestWith(agents, r, o.tls),
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** For agents of all kinds, the SDKs' included. Errors: 'usage' for a file that can't be read. */
export async function tlsOptions(
  t: TlsSetting | undefined,
): Promise<tls.SecureContextOptions & { rejectUnauthorized?: boolean }> {
  const files = t?.caFiles ?? [];
  const ca =
    files.length === 0 ? {} : { ca: [...tls.rootCertificates, ...(await Promise.all(files.map(readPem)))] };
  const own = t?.clientCertificate === undefined ? undefined : await readPem(t.clientCertificate);
  return {
    ...ca,
    ...(own === undefined ? {} : { cert: own, key: own }),
    ...(t?.insecure ? { rejectUnauthorized: false } : {}),
  };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (e) {
    throw new EngineError(
      'usage',
      `The certificate file ${file} can't be read: ${messageOf(e)}.`,
      {},
      { cause: e },
    );
  }
}

type Agents = Readonly<Record<'http:' | 'https:', http.Agent>>;

async function requestWith(agents: Agents, r: HttpRequest, t: TlsSetting | undefined): Promise<HttpAnswer> {
  throwIfAborted(r.signal);
  const url = new URL(r.url);
  const secure = url.protocol === 'https:';
  const headers: Record<string, string> = { ...r.headers };
  if (t?.userAgent !== undefined) headers['user-agent'] = t.userAgent;
  if (r.body) headers['content-length'] = String(totalLength(r.body));
  const options = { method: r.method, headers, agent: secure ? agents['https:'] : agents['http:'] };
  const request = secure ? https.request(url, options) : http.request(url, options);
  const idle = t?.stuckRequestMs ?? STUCK_MS;
  request.setTimeout(idle, () => request.destroy(silence(url, idle)));
  let committed = false;
  const onAbort = () => {
    if (!committed && r.signal) request.destroy(cancellation(r.signal));
  };
  r.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const answering = answerTo(request);
    // Its rejection is heard below, maybe only after the body was sent.
    answering.catch(() => {});
    await Promise.race([send(request, r), answering]);
    committed = r.body !== undefined && !r.signal?.aborted;
    const answer = await answering;
    const body = await readBody(answer, r);
    return { status: answer.statusCode ?? 0, headers: flat(answer), body };
  } catch (e) {
    request.destroy();
    throw translate(e, url, r.signal);
  } finally {
    r.signal?.removeEventListener('abort', onAbort);
  }
}

async function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
}

async function send(request: ClientRequest, { body, pace, signal }: HttpRequest): Promise<void> {
  for (const bytes of pieces(body ?? [], pace?.piece)) {
    await pace?.up(bytes.length, signal);
    throwIfAborted(signal);
    if (request.destroyed) return;
    if (!request.write(bytes)) await Promise.race([once(request, 'drain'), once(request, 'close')]);
  }
  // With a body, its last byte has left when this resolves.
  await new Promise<void>((resolve) => request.end(resolve));
}

/** The same bytes in pieces of at most `most`. */
export function* pieces(data: readonly Uint8Array[], most = Number.POSITIVE_INFINITY): Generator<Uint8Array> {
  for (const bytes of data) {
    for (let at = 0; at < bytes.length; at += most)
      yield bytes.subarray(at, Math.min(bytes.length, at + most));
  }
}

async function readBody(answer: IncomingMessage, r: HttpRequest): Promise<Buffer> {
  const most = r.mostBytes ?? MOST_BYTES;
  const read: Buffer[] = [];
  let length = 0;
  for await (const bytes of answer as AsyncIterable<Buffer>) {
    length += bytes.length;
    if (length > most) throw new EngineError('io', `The server sent more than ${most} bytes.`);
    read.push(bytes);
    await r.pace?.down(bytes.length, r.signal);
  }
  const told = answer.headers['content-length'];
  if (told !== undefined && r.method !== 'HEAD' && Number(told) !== length) throw cutOff();
  return read.length === 1 && read[0] ? read[0] : Buffer.concat(read, length);
}

function cutOff(): EngineError {
  return new EngineError('unreachable', 'The connection ended before the answer was whole.', {
    transient: true,
  });
}

function flat(answer: IncomingMessage): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) all[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return all;
}

function silence(url: URL, ms: number): EngineError {
  const message = `${url.host} has not answered for ${Math.round(ms / 1000)} seconds.`;
  return new EngineError('timeout', message, { transient: true });
}

const CERTIFICATE = /^(CERT_|ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;
const OFFLINE = 'Is the computer online, and is the address right?';

/** A failure to reach a server, in the words of Holdfast; for the SDKs' errors too. */
export function translateNetworkError(e: unknown, host: string): EngineError {
  if (e instanceof EngineError) return e;
  const code = e instanceof Error && 'code' in e ? String(e.code) : '';
  if (CERTIFICATE.test(code)) {
    const hint =
      'If it is your own server, give its certificate with --cacert (or in the settings of the destination).';
    return new EngineError(
      'permission',
      `The certificate of ${host} is not trusted: ${messageOf(e)}.`,
      { hint, context: { reason: code } },
      { cause: e },
    );
  }
  const why =
    code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? 'its name is not known'
      : code === 'ECONNREFUSED'
        ? 'it refuses the connection'
        : messageOf(e);
  return new EngineError(
    'unreachable',
    `${host} can't be reached: ${why}.`,
    { transient: true, hint: OFFLINE, context: { reason: code } },
    { cause: e },
  );
}

function translate(e: unknown, url: URL, signal: AbortSignal | undefined): EngineError {
  if (signal?.aborted && !(e instanceof EngineError)) return cancellation(signal);
  return translateNetworkError(e, url.host);
}
