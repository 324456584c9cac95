/**
 * Bytes on their way to Drive.
 *
 * multipart   metadata and bytes in one call, for small files
 * session     an address to which the bytes of one file go in chunks; after a break it tells how many it has. It lives for a week.
 * chunk       a multiple of 256 KiB, but for the last. Each costs a round trip, so they are as large as usual packs.
 */
import { createHash, randomUUID } from 'node:crypto';
import { EngineError, isEngineError } from '../../api/errors.ts';
import type { Clock } from '../../util/clock.ts';
import type { CallOptions } from '../backend.ts';
import { pause, throwIfAborted, totalLength } from '../calls.ts';
import type { HttpAnswer } from '../http/client.ts';
import { bodyOf, fromAnswer } from './errors.ts';
import { FIELDS, type Item, itemOf } from './items.ts';
import type { Wire } from './wire.ts';

/** What a file is to hold. */
export class Content {
  readonly data: readonly Uint8Array[];
  readonly size: number;
  #sha256: string | undefined;

  constructor(data: readonly Uint8Array[]) {
    this.data = data;
    this.size = totalLength(data);
  }

  get sha256(): string {
    this.#sha256 ??= this.#hash('sha256');
    return this.#sha256;
  }

  /** Whether a file holds this, as far as Drive tells. */
  isIn({ size, sha256, md5 }: Item): boolean {
    if (size !== this.size) return false;
    if (sha256 !== undefined) return sha256 === this.sha256;
    return md5 === undefined || md5 === this.#hash('md5');
  }

  #hash(kind: 'sha256' | 'md5'): string {
    const hash = createHash(kind);
    for (const bytes of this.data) hash.update(bytes);
    return hash.digest('hex');
  }
}

/** A file that is there and gets other bytes, or a new one under an id that Drive gave before. */
export type Destination =
  | { readonly kind: 'update'; readonly id: string }
  | { readonly kind: 'create'; readonly id: string; readonly name: string; readonly parent: string };

export interface UploadParts {
  readonly clock: Clock;
  /** 0 … 1, evenly. */
  readonly random: () => number;
}

const MULTIPART_MOST = 4 << 20;
const CHUNK = 16 << 20;
const BYTES = 'application/octet-stream';
/** Times in a row that a session may fail, or take nothing. */
const FAULTS = 5;
const SESSIONS = 3;
const PAUSE_MS = 500;

interface Session {
  readonly url: string;
  readonly content: Content;
  readonly o: CallOptions;
}

/** How a session stands: through, so many bytes, or unknown. */
type State =
  | { readonly done: Item }
  | { readonly at: number }
  | { readonly fault: EngineError; readonly uncertain: boolean };

export class Uploads {
  readonly #wire: Wire;
  readonly #parts: UploadParts;

  constructor(wire: Wire, parts: UploadParts) {
    this.#wire = wire;
    this.#parts = parts;
  }

  /**
   * What Drive then has. Errors: 'cancelled' only where it is certain that nothing was stored; 'not-found' where the file or the
   * folder is gone; a 'conflict' with the context `taken` where a file of that id is there already.
   */
  async store(d: Destination, content: Content, o: CallOptions): Promise<Item> {
    if (content.size <= MULTIPART_MOST) return this.#multipart(d, content, o);
    for (let left = SESSIONS; ; left--) {
      const url = await this.#begin(d, content, o);
      try {
        return await this.#through({ url, content, o });
      } catch (e) {
        if (!isExpired(e)) throw e;
        if (left <= 1) throw sessionsLost(e);
      }
    }
  }

  async #multipart(d: Destination, { data }: Content, { signal, pace }: CallOptions): Promise<Item> {
    const boundary = randomUUID();
    const head =
      `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadataOf(d))}\r\n` +
      `--${boundary}\r\ncontent-type: ${BYTES}\r\n\r\n`;
    const answer = await this.#wire.send({
      ...this.#address(d, 'multipart'),
      headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      body: [Buffer.from(head), ...data, Buffer.from(`\r\n--${boundary}--`)],
      repeatable: true,
      signal,
      pace,
    });
    return stored(answer);
  }

  async #begin(d: Destination, { size }: Content, { signal }: CallOptions): Promise<string> {
    const answer = await this.#wire.send({
      ...this.#address(d, 'resumable'),
      headers: {
        'content-type': 'application/json; charset=UTF-8',
        'x-upload-content-type': BYTES,
        'x-upload-content-length': String(size),
      },
      body: [Buffer.from(JSON.stringify(metadataOf(d)))],
      repeatable: true,
      signal,
    });
    const { location } = answer.headers;
    if (answer.status !== 200) throw refusal(answer);
    if (location !== undefined && URL.canParse(location)) return location;
    throw new EngineError('io', 'Google Drive gave no address for the upload.', { transient: true });
  }

  #address(d: Destination, type: 'multipart' | 'resumable') {
    const url = new URL(
      `${this.#wire.endpoint}/upload/drive/v3/files${d.kind === 'update' ? `/${d.id}` : ''}`,
    );
    url.searchParams.set('uploadType', type);
    url.searchParams.set('supportsAllDrives', 'true');
    url.searchParams.set('fields', FIELDS);
    const creates = d.kind === 'create';
    return { method: creates ? 'POST' : 'PATCH', url: url.href, creates };
  }

  async #through(s: Session): Promise<Item> {
    let at = 0;
    for (let faults = 0; faults <= FAULTS; faults++) {
      throwIfAborted(s.o.signal);
      const state = await this.#settled(s, await this.#chunk(s, at));
      if ('done' in state) return state.done;
      if (state.at > at) faults = -1;
      at = state.at;
    }
    throw new EngineError('unreachable', 'Google Drive does not take the bytes of a file.', {
      transient: true,
    });
  }

  /** Asks until it is known. */
  async #settled(s: Session, first: State): Promise<Exclude<State, { fault: unknown }>> {
    let state = first;
    for (let faults = 0; 'fault' in state; faults++) {
      const { fault, uncertain } = state;
      // The last bytes may have come through: until that is known, an abort must not pass for "not stored".
      if (faults > 0) await this.#rest(faults, s.o.signal).catch((e) => fail(uncertain ? fault : e));
      if (faults >= FAULTS) throw fault;
      state = await this.#ask(s, uncertain);
    }
    return state;
  }

  async #rest(faults: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock, random } = this.#parts;
    await pause(clock, PAUSE_MS * 2 ** faults * (0.5 + random()), signal);
  }

  async #chunk({ url, content, o }: Session, at: number): Promise<State> {
    const end = Math.min(at + CHUNK, content.size);
    const uncertain = end === content.size;
    return this.#stateOf(content.size, uncertain, () =>
      this.#wire.send({
        method: 'PUT',
        url,
        headers: { 'content-type': BYTES, 'content-range': `bytes ${at}-${end - 1}/${content.size}` },
        body: sliceOf(content.data, at, end),
        // The session tells what came of it.
        repeatable: false,
        signal: o.signal,
        pace: o.pace,
      }),
    );
  }

  async #ask({ url, content, o }: Session, uncertain: boolean): Promise<State> {
    return this.#stateOf(content.size, uncertain, () =>
      this.#wire.send({
        method: 'PUT',
        url,
        headers: { 'content-range': `bytes */${content.size}` },
        body: [],
        ...(uncertain ? {} : { signal: o.signal }),
      }),
    );
  }

  async #stateOf(size: number, uncertain: boolean, call: () => Promise<HttpAnswer>): Promise<State> {
    try {
      const answer = await call();
      if (answer.status !== 308) return { done: await stored(answer) };
      const [, last] = /^bytes=0-(\d+)$/.exec(answer.headers.range ?? '') ?? [];
      return { at: last === undefined ? 0 : Math.min(Number(last) + 1, size) };
    } catch (e) {
      if (!(e instanceof EngineError) || !e.transient) throw e;
      return { fault: e, uncertain };
    }
  }
}

function metadataOf(d: Destination): object {
  return d.kind === 'update' ? {} : { id: d.id, name: d.name, parents: [d.parent], mimeType: BYTES };
}

async function stored(answer: HttpAnswer): Promise<Item> {
  if (answer.status !== 200 && answer.status !== 201) throw refusal(answer);
  const item = itemOf(bodyOf(answer));
  if (item.id !== '') return item;
  throw new EngineError('io', 'Google Drive did not tell what it has stored.', { transient: true });
}

function refusal(answer: HttpAnswer): EngineError {
  if (answer.status !== 409) return fromAnswer(answer);
  const message = 'Google Drive already has a file of that id.';
  return new EngineError('conflict', message, { context: { taken: true } });
}

/** Of a session: it is gone, and what it had with it. */
function isExpired(e: unknown): boolean {
  return isEngineError(e, 'not-found');
}

function sessionsLost(cause: unknown): EngineError {
  const message = 'Google Drive forgets uploads again and again.';
  return new EngineError('unreachable', message, { transient: true }, { cause });
}

function fail(e: unknown): never {
  throw e;
}

/** The bytes from `from` to before `to`, in the same memory. */
function sliceOf(data: readonly Uint8Array[], from: number, to: number): Uint8Array[] {
  const slice: Uint8Array[] = [];
  let at = 0;
  for (const bytes of data) {
    const part = bytes.subarray(Math.max(0, from - at), Math.max(0, to - at));
    if (part.length > 0) slice.push(part);
    at += bytes.length;
  }
  return slice;
}
