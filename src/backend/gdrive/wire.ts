/**
 * Calls to Drive over our own HTTP: the SDK's by a `fetch` of ours, and bytes directly, which have to keep to a pace.
 * Loading the SDK's Drive part costs some 60 ms and 20 MB; the whole SDK would be ten times that.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { EngineError } from '../../api/errors.ts';
import { throwIfAborted } from '../calls.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/client.ts';
import type { Access } from '../oauth/access.ts';
import { fromAnswer, pauseAsked } from './errors.ts';
import type { Quota } from './quota.ts';

export interface WireParts {
  readonly http: HttpClient;
  readonly access: Access;
  readonly quota: Quota;
  readonly endpoint: string;
}

export interface Call extends HttpRequest {
  /** Makes a file or folder. */
  readonly creates?: boolean;
}

/** Times that a call is made while Drive only asks to slow down: with the pauses in between, some minutes. */
const TRIES = 7;
const RENEWALS = 2;

export class Wire {
  readonly sdk: drive_v3.Drive;
  readonly endpoint: string;
  readonly #parts: WireParts;

  constructor(parts: WireParts) {
    this.#parts = parts;
    this.endpoint = parts.endpoint;
    this.sdk = new drive_v3.Drive({
      rootUrl: `${parts.endpoint}/`,
      retry: false,
      fetchImplementation: (url, o) => this.#fetch(String(url), o ?? {}),
    });
  }

  /** What a call of the SDK gives. Errors: translated; what the SDK has no translation for is a fault of ours. */
  async call<T>(signal: AbortSignal | undefined, work: () => Promise<{ readonly data: T }>): Promise<T> {
    throwIfAborted(signal);
    try {
      return (await work()).data;
    } catch (e) {
      const cause = e instanceof Error ? e.cause : undefined;
      throw cause instanceof EngineError ? cause : e;
    }
  }

  /**
   * Any status is an answer but 401, and "slow down" after some tries. Errors: those of HttpClient, 'auth-expired',
   * 'rate-limited'.
   */
  async send(call: Call): Promise<HttpAnswer> {
    const { quota } = this.#parts;
    for (let left = TRIES; ; left--) {
      await quota.pass({ creates: call.creates ?? false, signal: call.signal });
      const answer = await this.#sendSignedIn(call);
      const seconds = pauseAsked(answer);
      if (seconds === undefined) {
        quota.went();
        return answer;
      }
      quota.slowDown(seconds);
      if (left <= 1) throw fromAnswer(answer);
    }
  }

  /** The first new token may be one that another call got, and no better by now; the second is ours. */
  async #sendSignedIn(call: Call): Promise<HttpAnswer> {
    const { access } = this.#parts;
    let token = await access.token();
    for (let left = RENEWALS; ; left--) {
      const answer = await this.#sendWith(token, call);
      if (answer.status !== 401) return answer;
      if (left === 0) throw fromAnswer(answer);
      token = await access.tokenAfter(token);
    }
  }

  async #sendWith(token: string, { creates: _, ...r }: Call): Promise<HttpAnswer> {
    const headers = { ...r.headers, authorization: `Bearer ${token}` };
    return this.#parts.http.request({ ...r, headers });
  }

  /** Refusals are thrown translated; the SDK hands them through as causes. */
  async #fetch(url: string, o: RequestInit): Promise<Response> {
    const { method = 'GET', body, signal } = o;
    const answer = await this.send({
      method,
      url,
      headers: Object.fromEntries(new Headers(o.headers)),
      ...(typeof body === 'string' ? { body: [Buffer.from(body)] } : {}),
      signal: signal ?? undefined,
      // The only thing that the SDK makes are folders, and one more of a name is tolerated.
      creates: method === 'POST',
    });
    if (answer.status >= 300) throw fromAnswer(answer);
    const { 'content-encoding': packed, 'content-length': _, ...headers } = answer.headers;
    const bytes = packed === 'gzip' ? await promisify(gunzip)(answer.body) : answer.body;
    const empty = answer.status === 204;
    return new Response(empty ? null : new Uint8Array(bytes), { status: answer.status, headers });
  }
}
