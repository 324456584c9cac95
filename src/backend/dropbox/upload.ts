/**
 * Saving: the bytes go into a session, in parallel with others, and a commit gives the session its name.
 *
 * session   bytes without a name, invisible to everybody, kept by Dropbox for a week. `closed`: complete
 * begun     sessions of saves that failed for the moment; the same save, made again, goes on where its session is
 * commit    changes names, so it goes by a batch; for each file Dropbox tells the content hash of what it stored
 */
import type { files } from 'dropbox';
import { asEngineError, EngineError, isEngineError } from '../../api/errors.ts';
import type { CallOptions } from '../backend.ts';
import { throwIfAborted, totalLength } from '../calls.ts';
import { Batch, type BatchParts } from './batch.ts';
import { BLOCK, blockHashes, hashOfBlocks } from './content-hash.ts';
import { correctOffset, fromRefusal, fromTag, tagOf, unionIn } from './errors.ts';
import { refusalOf, resultOf, type Wire } from './wire.ts';

export interface SaveOptions extends CallOptions {
  /** A file of other contents at that path is an error ('conflict'); otherwise it is replaced. */
  readonly only?: 'new';
}

interface Session {
  /** undefined: not begun. */
  id: string | undefined;
  /** Bytes that Dropbox has. */
  offset: number;
  closed: boolean;
}

interface Bytes {
  readonly data: readonly Uint8Array[];
  readonly size: number;
  readonly blocks: readonly Buffer[];
  readonly hash: string;
}

interface Commit {
  readonly path: string;
  readonly session: Session;
  readonly bytes: Bytes;
  readonly only: 'new' | undefined;
}

const SESSIONS_KEPT = 64;
/** Corrections of the offset in one save before something is taken to be wrong. */
const CORRECTIONS = 8;

export interface UploadParts extends Omit<BatchParts<Commit>, 'run'> {
  /** Bytes of a call: a multiple of 4 MiB, less than 150 MB, and little enough to be sent again. */
  readonly chunkBytes: number;
}

export class Uploads {
  readonly #wire: Wire;
  readonly #chunkBytes: number;
  readonly #commits: Batch<Commit>;
  readonly #begun = new Map<string, Session>();

  constructor(wire: Wire, parts: UploadParts) {
    this.#wire = wire;
    this.#chunkBytes = parts.chunkBytes;
    this.#commits = new Batch({ ...parts, run: (commits) => this.#commit(commits) });
  }

  /** Errors: 'conflict' for `only: 'new'`, and the storage's. */
  async save(path: string, data: readonly Uint8Array[], o: SaveOptions): Promise<void> {
    throwIfAborted(o.signal);
    const blocks = blockHashes(data);
    const bytes: Bytes = { data, size: totalLength(data), blocks, hash: hashOfBlocks(blocks) };
    const key = `${bytes.hash} ${path}`;
    const session = this.#take(key);
    try {
      await this.#send(session, bytes, o);
      await this.#commits.add(path, { path, session, bytes, only: o.only }, o.signal);
    } catch (e) {
      if (isEngineError(e) && e.transient && session.id !== undefined) this.#keep(key, session);
      throw e;
    }
  }

  /** Nobody else goes on with it meanwhile. */
  #take(key: string): Session {
    const session = this.#begun.get(key) ?? newSession();
    this.#begun.delete(key);
    return session;
  }

  #keep(key: string, session: Session): void {
    this.#begun.set(key, session);
    const [oldest] = this.#begun.keys();
    if (oldest !== undefined && this.#begun.size > SESSIONS_KEPT) this.#begun.delete(oldest);
  }

  async #send(session: Session, bytes: Bytes, o: CallOptions): Promise<void> {
    for (let corrections = 0; !session.closed; ) {
      throwIfAborted(o.signal);
      const end = Math.min(bytes.size, session.offset + this.#chunkBytes);
      const corrected =
        session.id === undefined
          ? await this.#start(session, bytes, end, o)
          : await this.#append(session, bytes, end, o);
      if (corrected && ++corrections > CORRECTIONS) throw lost(session, 'incorrect_offset');
    }
    throwIfAborted(o.signal);
  }

  async #start(session: Session, bytes: Bytes, end: number, o: CallOptions): Promise<boolean> {
    const close = end === bytes.size;
    const answer = await this.#wire.bytes({
      ...only(o),
      method: 'POST',
      route: 'files/upload_session/start',
      arg: { close, ...hashOfChunk(bytes, 0, end) },
      body: [...slice(bytes.data, 0, end)],
    });
    if (answer.status !== 200) throw fromRefusal(refusalOf(answer), 'take the bytes');
    const { session_id: id } = resultOf(answer);
    if (typeof id !== 'string') throw new EngineError('io', 'Dropbox began a session without a name.');
    Object.assign(session, { id, offset: end, closed: close });
    return false;
  }

  /** Whether Dropbox has told that it is elsewhere than we thought. */
  async #append(session: Session, bytes: Bytes, end: number, o: CallOptions): Promise<boolean> {
    const { id: session_id, offset } = session;
    const close = end === bytes.size;
    const answer = await this.#wire.bytes({
      ...only(o),
      method: 'POST',
      route: 'files/upload_session/append_v2',
      arg: { cursor: { session_id, offset }, close, ...hashOfChunk(bytes, offset, end) },
      body: [...slice(bytes.data, offset, end)],
    });
    if (answer.status === 200) {
      Object.assign(session, { offset: end, closed: close });
      return false;
    }
    const refusal = refusalOf(answer);
    const union = unionIn(refusal.body);
    if (answer.status !== 409) throw fromRefusal(refusal, 'take the bytes');
    return this.#correct(session, bytes, union);
  }

  #correct(session: Session, bytes: Bytes, union: unknown): boolean {
    const tag = tagOf(union);
    const correct = correctOffset(union);
    if (correct !== undefined && correct <= bytes.size) {
      session.offset = correct;
      return true;
    }
    // The answer to our last piece was lost. Whether it was the same piece, the commit will tell by the hash.
    if (tag === 'closed') {
      Object.assign(session, { offset: bytes.size, closed: true });
      return true;
    }
    if (tag === 'not_found' || correct !== undefined) throw lost(session, tag);
    throw fromTag(tag, 'take the bytes');
  }

  async #commit(commits: readonly Commit[]): Promise<readonly (EngineError | undefined)[]> {
    const call = () => this.#wire.sdk.filesUploadSessionFinishBatchV2({ entries: commits.map(entryOf) });
    const { result } = await this.#wire.write('store the files', call);
    return Promise.all(
      commits.map((commit, i) => this.#outcome(commit, result.entries[i]).catch(asEngineError)),
    );
  }

  async #outcome(
    commit: Commit,
    entry: files.UploadSessionFinishBatchResultEntry | undefined,
  ): Promise<EngineError | undefined> {
    if (entry === undefined) return new EngineError('io', 'Dropbox did not tell of every file it stored.');
    if (entry['.tag'] === 'success') {
      return sameBytes(entry, commit.bytes) ? undefined : this.#withdraw(commit);
    }
    const tag = tagOf(entry.failure);
    if (!tag.startsWith('lookup_failed')) return fromTag(tag, 'store the file');
    // Committed before, by a call whose answer was lost?
    return (await this.#isThere(commit)) ? undefined : lost(commit.session, tag);
  }

  /** Other bytes than ours must not stay under this name. */
  async #withdraw({ path, session }: Commit): Promise<EngineError> {
    await this.#wire.write('remove a file', () => this.#wire.sdk.filesDeleteV2({ path }));
    lost(session, 'content_hash');
    return fromTag('content_hash_mismatch', '');
  }

  async #isThere({ path, bytes }: Commit): Promise<boolean> {
    try {
      const call = () => this.#wire.sdk.filesGetMetadata({ path });
      const { result } = await this.#wire.write('look at a file', call);
      return result['.tag'] === 'file' && sameBytes(result, bytes);
    } catch (e) {
      if (isEngineError(e) && e.context.reason === 'path/not_found') return false;
      throw e;
    }
  }
}

function newSession(): Session {
  return { id: undefined, offset: 0, closed: false };
}

/** The save begins anew when it is made again. */
function lost(session: Session, reason: string): EngineError {
  Object.assign(session, newSession());
  return new EngineError('io', 'Dropbox has lost the bytes of an upload.', {
    transient: true,
    context: { reason },
  });
}

function only({ signal, pace }: CallOptions): CallOptions {
  return { ...(signal ? { signal } : {}), ...(pace ? { pace } : {}) };
}

function entryOf({ path, session, bytes, only }: Commit): files.UploadSessionFinishArg {
  return {
    cursor: { session_id: session.id ?? '', offset: bytes.size },
    commit: { path, mode: { '.tag': only === 'new' ? 'add' : 'overwrite' }, autorename: false, mute: true },
  };
}

function sameBytes(stored: files.FileMetadata, bytes: Bytes): boolean {
  return stored.size === bytes.size && stored.content_hash === bytes.hash;
}

/** Where the piece begins with a block; elsewhere the whole file's hash has to do. */
function hashOfChunk(bytes: Bytes, from: number, to: number): { readonly content_hash?: string } {
  if (from % BLOCK !== 0 || from === to) return {};
  return { content_hash: hashOfBlocks(bytes.blocks.slice(from / BLOCK, Math.ceil(to / BLOCK))) };
}

/** The bytes [from, to) of all taken together. */
function* slice(data: readonly Uint8Array[], from: number, to: number): Generator<Uint8Array> {
  let at = 0;
  for (const bytes of data) {
    const part = bytes.subarray(Math.max(0, from - at), Math.max(0, to - at));
    if (part.length > 0) yield part;
    at += bytes.length;
  }
}
