/**
 * dump: one file's content, or a folder as an archive → a stream.
 *
 * Anything that cannot be read ends the dump: a stream has no place for "this part is missing".
 */
import type { Writable } from 'node:stream';
import { EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node } from '../format/types.ts';
import { showPath, translateFsError } from '../fs/errors.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import type { ArchiveEntry, ArchiveWriter, Sink } from '../restorer/archive/archive.ts';
import { HardLinks } from '../restorer/archive/hard-links.ts';
import { TarWriter } from '../restorer/archive/tar.ts';
import { ZipWriter } from '../restorer/archive/zip.ts';
import { contentOf, contentSize } from '../restorer/content-stream.ts';
import { findFolder, findNode, pathNames, subtreeOf } from '../restorer/find-tree.ts';
import { loadListing } from '../restorer/tree-walk.ts';
import { type ByteString, fromText, joinPath, rawByteString } from '../util/byte-string.ts';

export type ArchiveFormat = 'tar' | 'zip';

export const ARCHIVE_FORMATS: readonly ArchiveFormat[] = ['tar', 'zip'];

export interface DumpOptions extends CallOptions {
  /** In the snapshot, or below the subfolder; '/' for all. */
  readonly path: ByteString;
  readonly subfolder?: ByteString | undefined;
  /** The form in which a folder is written. */
  readonly format: ArchiveFormat;
  /** Is written to with back-pressure, and neither ended nor closed. */
  readonly out: Writable;
  /** Called before an archive is begun; may refuse by an error (a terminal, say). */
  readonly onArchive?: () => void;
  /** Entries that are left out: names that would lead out of their folder. */
  readonly onRefused?: (path: ByteString, error: EngineError) => void;
}

export interface DumpResult {
  readonly kind: 'file' | 'archive';
  /** Bytes written. */
  readonly bytes: number;
}

/** Errors: 'path-missing', 'damaged', 'unsupported' for what has no content, the backend's, the stream's, the signal's reason. */
export async function dump(
  repo: IndexedRepository,
  snapshot: { readonly tree: Id },
  o: DumpOptions,
): Promise<DumpResult> {
  const call = o.signal ? { signal: o.signal } : {};
  const root = await findFolder(repo, snapshot.tree, o.subfolder ?? rawByteString('/'), call);
  const node = await findNode(repo, root, o.path, call);
  using stream = new StreamSink(o.out, o.signal);
  if (node && node.type !== 'dir') return await dumpFile(repo, node, stream, o, call);
  o.onArchive?.();
  const tree = node ? subtreeOf(node, o.path) : root;
  const sink: Sink = (bytes) => stream.write(bytes);
  const writer: ArchiveWriter = o.format === 'tar' ? new TarWriter(sink) : new ZipWriter(sink, call);
  await new FolderDump(repo, writer, o, call).run(tree, rawByteString(pathNames(o.path).join('/')));
  await writer.end();
  await stream.flush();
  return { kind: 'archive', bytes: stream.bytes };
}

async function dumpFile(
  repo: IndexedRepository,
  node: Node,
  stream: StreamSink,
  o: DumpOptions,
  call: CallOptions,
): Promise<DumpResult> {
  if (node.type !== 'file') {
    throw new EngineError('unsupported', `${showPath(o.path)} is neither a file nor a folder.`, {
      hint: 'Use "restore" to get it back.',
    });
  }
  for await (const bytes of contentOf(repo, node.content ?? [], call)) await stream.write(bytes);
  await stream.flush();
  return { kind: 'file', bytes: stream.bytes };
}

class FolderDump {
  readonly #repo: IndexedRepository;
  readonly #writer: ArchiveWriter;
  readonly #o: DumpOptions;
  readonly #call: CallOptions;
  readonly #links = new HardLinks();

  constructor(repo: IndexedRepository, writer: ArchiveWriter, o: DumpOptions, call: CallOptions) {
    this.#repo = repo;
    this.#writer = writer;
    this.#o = o;
    this.#call = call;
  }

  /** Adds all that is in the folder, not the folder itself. `path` has no slash at its beginning. */
  async run(tree: Id, path: ByteString): Promise<void> {
    const { others, folders, refused } = await loadListing(this.#repo, tree, this.#call);
    for (const { name, error } of refused)
      this.#o.onRefused?.(rawByteString(`/${joinPath(path, name)}`), error);
    for (const node of others) await this.#add(node, joinPath(path, node.name));
    for (const node of folders) {
      const at = joinPath(path, node.name);
      await this.#add(node, at);
      await this.run(subtreeOf(node, at), at);
    }
  }

  async #add(node: Node, path: ByteString): Promise<void> {
    this.#o.signal?.throwIfAborted();
    const blobs = node.type === 'file' ? (node.content ?? []) : [];
    const entry: ArchiveEntry = {
      node,
      path,
      size: contentSize(this.#repo, blobs),
      linkTo: this.#o.format === 'tar' ? this.#links.earlier(node) : undefined,
      content: () => contentOf(this.#repo, blobs, this.#call),
    };
    await this.#writer.add(entry);
    this.#links.added(node, path);
  }
}

/** Writes to a stream at the stream's pace, and hears of its failures even between two writes. */
class StreamSink implements Disposable {
  bytes = 0;
  readonly #out: Writable;
  readonly #signal: AbortSignal | undefined;
  #failure: EngineError | undefined;
  #wake: (() => void) | undefined;
  readonly #onError = (e: Error): void => this.#fail(e);
  readonly #onClose = (): void => this.#fail(new Error('it was closed'));
  readonly #onProgress = (): void => this.#wake?.();

  constructor(out: Writable, signal: AbortSignal | undefined) {
    this.#out = out;
    this.#signal = signal;
    out.on('error', this.#onError).on('close', this.#onClose).on('drain', this.#onProgress);
    signal?.addEventListener('abort', this.#onProgress);
  }

  [Symbol.dispose](): void {
    this.#out.off('error', this.#onError).off('close', this.#onClose).off('drain', this.#onProgress);
    this.#signal?.removeEventListener('abort', this.#onProgress);
    // What fails after us has nobody to be told to, but must not end the process.
    this.#out.on('error', () => {});
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    this.bytes += bytes.length;
    const roomLeft = this.#out.write(bytes);
    while (!roomLeft && this.#out.writableNeedDrain) await this.#change();
  }

  /** Waits until the stream has passed everything on. */
  async flush(): Promise<void> {
    this.#check();
    let done = false;
    this.#out.write('', () => {
      done = true;
      this.#wake?.();
    });
    while (!done) await this.#change();
    this.#check();
  }

  async #change(): Promise<void> {
    await new Promise<void>((wake) => {
      this.#wake = wake;
    });
    this.#check();
  }

  #check(): void {
    this.#signal?.throwIfAborted();
    if (this.#failure) throw this.#failure;
  }

  #fail(e: Error): void {
    this.#failure ??= translateFsError(e, fromText('output'), 'write to the');
    this.#wake?.();
  }
}
