/**
 * Calls to Dropbox over our own HTTP: the SDK's by a `fetch` of ours, and bytes directly, which have to keep to a pace.
 *
 * gate   after 429 too_many_requests no call of this storage leaves before the time that Dropbox asked for
 */
import { Dropbox } from 'dropbox';
import { EngineError } from '../../api/errors.ts';
import type { Clock } from '../../util/clock.ts';
import type { CallOptions } from '../backend.ts';
import { cancellation, pause, throwIfAborted } from '../calls.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/client.ts';
import type { Access } from './access.ts';
import { fromRefusal, pauseAsked, type Refusal, refusalIn, tagOf, unionIn } from './errors.ts';
import type { Addresses } from './setting.ts';

export interface WireParts {
  readonly http: HttpClient;
  readonly access: Access;
  readonly addresses: Addresses;
  readonly clock: Clock;
}

/** A call that carries bytes in a direction. */
export interface BytesCall extends CallOptions {
  readonly method: 'GET' | 'POST';
  /** Below `/2/`. */
  readonly route: string;
  readonly arg: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
}

const RENEWABLE = ['expired_access_token', 'invalid_access_token'];

export class Wire {
  /** Its calls throw what `translate` takes. */
  readonly sdk: Dropbox;
  readonly #parts: WireParts;
  /** Milliseconds since the epoch. */
  #gate = 0;

  constructor(parts: WireParts) {
    this.#parts = parts;
    this.sdk = new Dropbox({
      accessToken: 'see #send',
      // With an empty delimiter the SDK asks one host; which one it really is, the route tells.
      domain: 'dropbox',
      domainDelimiter: '',
      fetch: (url: string, o: RequestInit) => this.#fetch(url, o),
    });
  }

  /**
   * What a call of the SDK that changes nothing gives; an abort ends it at once. `doing`: as in "Dropbox can't <doing>".
   * Errors: translated.
   */
  async read<T>(doing: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    const result = await orAbort(this.write(doing, call), signal);
    throwIfAborted(signal);
    return result;
  }

  /** A call of the SDK that changes something: once begun it is waited for. Errors: translated. */
  async write<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (e) {
      const refusal = refusalIn(e);
      throw refusal ? fromRefusal(refusal, doing, e) : e;
    }
  }

  /**
   * Any status is an answer. An abort ends it at once: what has no name yet may be left behind.
   * Errors: those of HttpClient, and 'auth-expired'.
   */
  async bytes(call: BytesCall): Promise<HttpAnswer> {
    throwIfAborted(call.signal);
    return orAbort(this.#sendBytes(call), call.signal);
  }

  /** Resolves when calls may leave again. */
  async ready(): Promise<void> {
    await this.#passGate(undefined);
  }

  #sendBytes({ method, route, arg, headers, body, signal, pace }: BytesCall): Promise<HttpAnswer> {
    const type = method === 'POST' ? { 'content-type': 'application/octet-stream' } : {};
    return this.#send({
      method,
      url: `${this.#parts.addresses.content}/2/${route}`,
      headers: { ...headers, ...type, 'dropbox-api-arg': inHeader(arg) },
      ...(method === 'POST' ? { body: body ?? [] } : {}),
      signal,
      pace,
      // Twice the same piece of a session is refused, with the offset that is right; a session begun twice is one that ends by itself.
      repeatable: true,
    });
  }

  async #fetch(url: string, o: RequestInit): Promise<Response> {
    const route = new URL(url).pathname;
    const headers = Object.fromEntries(new Headers(o.headers));
    const body = typeof o.body === 'string' ? [Buffer.from(o.body)] : [];
    const answer = await this.#send({
      method: 'POST',
      url: this.#parts.addresses.api + route,
      headers,
      body,
      signal: o.signal ?? undefined,
      // Every call that we make of the SDK may be made twice but the commits, and those tell when they were.
      repeatable: true,
    });
    return new Response(new Uint8Array(answer.body), { status: answer.status, headers: answer.headers });
  }

  async #send(r: HttpRequest): Promise<HttpAnswer> {
    const token = await this.#parts.access.token();
    const answer = await this.#sendWith(token, r);
    if (answer.status !== 401 || !RENEWABLE.includes(tagOf(unionIn(parse(answer))))) return answer;
    return this.#sendWith(await this.#parts.access.tokenAfter(token), r);
  }

  async #sendWith(token: string, r: HttpRequest): Promise<HttpAnswer> {
    await this.#passGate(r.signal);
    const { http, clock } = this.#parts;
    const answer = await http.request({ ...r, headers: { ...r.headers, authorization: `Bearer ${token}` } });
    const seconds = answer.status === 429 ? pauseAsked(refusalOf(answer)) : undefined;
    if (seconds !== undefined) this.#gate = Math.max(this.#gate, clock.now() + seconds * 1000);
    return answer;
  }

  async #passGate(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts;
    for (let left = this.#gate - clock.now(); left > 0; left = this.#gate - clock.now()) {
      await pause(clock, left, signal);
    }
    throwIfAborted(signal);
  }
}

/** JSON that fits a header: ASCII alone. */
function inHeader(arg: object): string {
  return JSON.stringify(arg).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function parse(answer: HttpAnswer): unknown {
  const text = answer.body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An answer of `bytes` that is no success. */
export function refusalOf(answer: HttpAnswer): Refusal {
  return { status: answer.status, headers: answer.headers, body: parse(answer) };
}

/** What an answer of `bytes` holds, by its fields. Errors: 'io' for what is no JSON object. */
export function resultOf(answer: HttpAnswer): Readonly<Record<string, unknown>> {
  const value = parse(answer);
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new EngineError('io', 'Dropbox gave an answer that is none.');
}

async function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(cancellation(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
