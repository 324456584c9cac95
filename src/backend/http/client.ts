/**
 * Plain HTTP for storages: one request, one answer read whole, with pacing, own certificates, and errors a person can act on.
 *
 * commit   the moment when the last piece of the body is handed to the connection. Up to then an abort tears the request down,
 *          the server never has it whole, and nothing was stored; after it the server may act whatever we do, so its answer is
 *          waited for, and the abort counts only then. Requests that change nothing (GET, HEAD) never come to it.
 * stale    a kept connection that the server closed while it lay idle: found out only when it is used again
 */
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
  readonly body?: readonly Uint8Array[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly pace?: Pace | undefined;
  /** A longer answer is an error ('io'); 256 MiB unless told. */
  readonly mostBytes?: number;
  /** Sending it twice does no harm, so it is sent anew after a stale connection; true unless told for all but POST. */
  readonly repeatable?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; what came several times is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Nobody else's memory: it may be handed to a thread. */
  readonly body: Buffer;
}

export interface HttpClient {
  /**
   * Any status is an answer; redirections are not followed. Errors: 'unreachable' and 'timeout' (transient), 'cancelled',
   * 'permission' for a certificate that is not trusted, 'auth-expired' where ours is not accepted, 'io' for too long an answer.
   */
  request(r: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpOptions {
  readonly tls?: TlsSetting | undefined;
  /** Connections at once to one server. */
  readonly connections: number;
  /** Its HTTPS_PROXY, HTTP_PROXY and NO_PROXY are kept to, in either case of letters. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** A socket of this machine; the host in the addresses is then a mere name. */
  readonly socketPath?: string | undefined;
}

const STUCK_MS = 5 * 60_000;
const MOST_BYTES = 256 << 20;
/** Bytes handed to a connection at once, where no pace asks for less: an abort is heard between them. */
const PIECE_BYTES = 256 << 10;

interface Wire {
  readonly agents: Readonly<Record<string, http.Agent>>;
  readonly o: HttpOptions;
}

/** Errors: 'usage' for a certificate file that can't be read. */
export async function createHttpClient(o: HttpOptions): Promise<HttpClient> {
  const proxies = proxiesOf(o.env ?? {});
  const common = { keepAlive: true, maxSockets: o.connections, scheduling: 'lifo', ...proxies } as const;
  const wire: Wire = {
    agents: {
      'http:': new http.Agent(common),
      'https:': new https.Agent({ ...common, ...(await tlsOptions(o.tls)) }),
    },
    o,
  };
  return {
    request: (r) => requestOver(wire, r),
    close() {
      for (const agent of Object.values(wire.agents)) agent.destroy();
    },
  };
}

const PROXY_NAMES = [
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'no_proxy',
] as const;

function proxiesOf(env: Readonly<Record<string, string | undefined>>) {
  const set = PROXY_NAMES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return set.length === 0 ? {} : { proxyEnv: Object.fromEntries(set) };
}

/** For agents of all kinds, the SDKs' included. Errors: 'usage' for a file that can't be read. */
export async function tlsOptions(
  t: TlsSetting | undefined,
): Promise<tls.SecureContextOptions & { rejectUnauthorized?: boolean }> {
  const files = await Promise.all((t?.caFiles ?? []).map(readPem));
  const ca = files.length === 0 ? {} : { ca: [...tls.getCACertificates('default'), ...files] };
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

/** Every connection of the pool may be stale, one after the other. */
async function requestOver(wire: Wire, r: HttpRequest): Promise<HttpAnswer> {
  for (let left = wire.o.connections; ; left--) {
    throwIfAborted(r.signal);
    const exchange = new Exchange(wire, r);
    try {
      return await exchange.carryOut();
    } catch (e) {
      const again = left > 0 && exchange.wasStale && (r.repeatable ?? r.method !== 'POST');
      if (!again || r.signal?.aborted) throw exchange.translate(e);
    }
  }
}

/** One request on its way, and its answer. */
class Exchange {
  readonly #r: HttpRequest;
  readonly #url: URL;
  readonly #request: ClientRequest;
  #committed = false;
  #answered = false;
  /** Why we gave it up ourselves: of an answer on its way Node only tells that it broke off. */
  #given: EngineError | undefined;
  #broken = false;

  constructor({ agents, o }: Wire, r: HttpRequest) {
    this.#r = r;
    this.#url = new URL(r.url);
    const agent = agents[this.#url.protocol];
    const options = { method: r.method, headers: headersOf(r, o), ...(agent ? { agent } : {}) };
    const socket = o.socketPath === undefined ? {} : { socketPath: o.socketPath };
    const { request } = this.#url.protocol === 'https:' ? https : http;
    this.#request = request(this.#url, { ...options, ...socket });
    const idle = o.tls?.stuckRequestMs ?? STUCK_MS;
    this.#request.setTimeout(idle, () => this.#giveUp(silence(this.#url, idle)));
  }

  get wasStale(): boolean {
    return this.#broken && !this.#answered && this.#request.reusedSocket;
  }

  async carryOut(): Promise<HttpAnswer> {
    const { signal } = this.#r;
    const onAbort = () => {
      if (!this.#committed && signal) this.#giveUp(cancellation(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const answering = this.#answer();
      // A server may answer before it has heard all: that it is full, or knows nobody of that name.
      const answer = await Promise.race([this.#send().then(() => answering), answering]);
      const body = await readBody(answer, this.#r, this.#committed ? undefined : signal);
      return { status: answer.statusCode ?? 0, headers: flat(answer), body };
    } finally {
      signal?.removeEventListener('abort', onAbort);
      // Ends what is still being sent; a request that is through has given its connection back.
      if (!this.#request.writableFinished || !this.#answered) this.#request.destroy();
    }
  }

  translate(e: unknown): EngineError {
    const { signal } = this.#r;
    if (this.#given) return this.#given;
    if (signal?.aborted && !this.#committed && !(e instanceof EngineError)) return cancellation(signal);
    return translateNetworkError(e, this.#url.host);
  }

  #giveUp(why: EngineError): void {
    this.#given ??= why;
    this.#request.destroy(why);
  }

  async #answer(): Promise<IncomingMessage> {
    const answering = new Promise<IncomingMessage>((resolve, reject) => {
      this.#request.once('response', (answer) => {
        this.#answered = true;
        resolve(answer);
      });
      this.#request.on('error', (e) => {
        this.#broken = !(e instanceof EngineError);
        reject(e);
      });
    });
    // Its rejection is heard in the race, maybe only after the body was sent.
    answering.catch(() => {});
    return answering;
  }

  async #send(): Promise<void> {
    const { body, method, pace, signal } = this.#r;
    let held: Uint8Array | undefined;
    for (const bytes of pieces(body ?? [], pace?.piece ?? PIECE_BYTES)) {
      if (held && !this.#request.write(held)) await drained(this.#request);
      await pace?.up(bytes.length, signal);
      throwIfAborted(signal);
      if (this.#request.destroyed) return;
      held = bytes;
    }
    this.#committed = method !== 'GET' && method !== 'HEAD';
    if (held) this.#request.end(held);
    else this.#request.end();
  }
}

function headersOf(r: HttpRequest, o: HttpOptions): Record<string, string> {
  const headers: Record<string, string> = { ...r.headers };
  if (o.tls?.userAgent !== undefined) headers['user-agent'] = o.tls.userAgent;
  if (r.body) headers['content-length'] = String(totalLength(r.body));
  return headers;
}

/** Resolves too when the connection is gone: the request tells why. */
async function drained(request: ClientRequest): Promise<void> {
  if (request.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      request.off('drain', done).off('close', done);
      resolve();
    };
    request.on('drain', done).on('close', done);
  });
}

/** The same bytes in pieces of at most `most`. */
export function* pieces(data: readonly Uint8Array[], most = Number.POSITIVE_INFINITY): Generator<Uint8Array> {
  for (const bytes of data) {
    for (let at = 0; at < bytes.length; at += most)
      yield bytes.subarray(at, Math.min(bytes.length, at + most));
  }
}

async function readBody(
  answer: IncomingMessage,
  r: HttpRequest,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const most = r.mostBytes ?? MOST_BYTES;
  const told = r.method === 'HEAD' ? 0 : lengthTold(answer);
  if (told !== undefined && told > most) throw tooLong(most);
  const read: Buffer[] = [];
  let length = 0;
  for await (const bytes of answer as AsyncIterable<Buffer>) {
    length += bytes.length;
    if (length > most) throw tooLong(most);
    read.push(bytes);
    for (const piece of pieces([bytes], r.pace?.piece)) await r.pace?.down(piece.length, signal);
  }
  if (told !== undefined && told !== length) throw cutOff();
  return joined(read, length);
}

function lengthTold(answer: IncomingMessage): number | undefined {
  const told = answer.headers['content-length'];
  return told === undefined ? undefined : Number(told);
}

/** In memory of its own: not in that of the connection, nor in Node's shared pool. */
function joined(read: readonly Buffer[], length: number): Buffer {
  const all = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const bytes of read) at += bytes.copy(all, at);
  return all;
}

function tooLong(most: number): EngineError {
  return new EngineError('io', `The server sent more than ${most} bytes.`);
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

const OFFLINE = 'Is the computer online, and is the address right?';
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;
const OURS_REFUSED = /ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED)$/;
/** A server that speaks something else: TLS where plain HTTP was asked for, or the other way round. */
const OTHER_SPEECH = /^(HPE_|EPROTO$|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$)/;
const NO_NAME = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME'];
const BROKEN_OFF = ['ECONNRESET', 'EPIPE', 'ECONNABORTED'];

/** A failure to reach a server, in the words of Holdfast; for the SDKs' errors too. */
export function translateNetworkError(e: unknown, host: string): EngineError {
  if (e instanceof EngineError) return e;
  const code = e instanceof Error && 'code' in e ? String(e.code) : '';
  const refused = refusal(e, code, host);
  if (refused) return refused;
  const details = { transient: true, hint: OFFLINE, context: { reason: code } };
  const message = BROKEN_OFF.includes(code)
    ? `The connection to ${host} broke off.`
    : `${host} can't be reached: ${reasonOf(e, code)}.`;
  return new EngineError('unreachable', message, details, { cause: e });
}

function reasonOf(e: unknown, code: string): string {
  if (NO_NAME.includes(code)) return 'its name is not known';
  return code === 'ECONNREFUSED' ? 'it refuses the connection' : messageOf(e);
}

/** What trying again would not mend. */
function refusal(e: unknown, code: string, host: string): EngineError | undefined {
  const context = { reason: code };
  if (CERTIFICATE.test(code)) {
    const message = `The certificate of ${host} is not trusted: ${messageOf(e)}.`;
    return new EngineError('permission', message, { hint: certificateHint(code), context }, { cause: e });
  }
  if (OURS_REFUSED.test(code)) {
    const message = `${host} does not accept our certificate, or wants to see one.`;
    const hint =
      'Give a file with certificate and key with --tls-client-cert (or in the destination’s settings).';
    return new EngineError('auth-expired', message, { hint, context }, { cause: e });
  }
  if (!OTHER_SPEECH.test(code)) return undefined;
  const hint = 'Is it http instead of https, or the other way round, and is the port right?';
  return new EngineError(
    'unreachable',
    `${host} does not speak HTTP as asked.`,
    { hint, context },
    { cause: e },
  );
}

function certificateHint(code: string): string {
  if (code === 'CERT_HAS_EXPIRED')
    return 'It has to be renewed on the server, unless this computer’s clock is wrong.';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'It was made for another name: use that one in the address, or have it made anew.';
  }
  return 'If it is your own server, give its certificate with --cacert (or in the settings of the destination).';
}
