/** A backup of one stream (standard input, a command's output) as a file at the top of the tree. */
import type { Readable } from 'node:stream';
import { EngineError } from '../api/errors.ts';
import { fromEpochNs } from '../format/time.ts';
import { serializeTree } from '../format/tree.ts';
import type { Id, Node } from '../format/types.ts';
import type { BlobWriter } from '../repository/blob-writer.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';
import type { ChunkedContent, ChunkSource, FileSaver } from './file-saver.ts';
import type { BackupCounters } from './progress.ts';

export interface StreamSource {
  readonly stream: Readable;
  /** Where the file shall be in the snapshot: `/name` or `/folder/name`. */
  readonly filename: ByteString;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  /** Milliseconds since the epoch: the times of the file and its folders. */
  readonly timeMs: number;
  /** Resolves when whatever makes the stream has ended well; rejects if it failed, and nothing is kept. */
  readonly ended?: Promise<void>;
}

/** Stores the stream and the trees above it; returns the root tree. Errors: the stream's, as 'source-unreadable'. */
export async function archiveStream(
  source: StreamSource,
  saver: FileSaver,
  writer: BlobWriter,
  counters: BackupCounters,
): Promise<Id> {
  const saved = await saver.saveStream(fillFrom(source.stream));
  if (saved instanceof EngineError) throw saved;
  await source.ended;
  counters.filesDone++;
  counters.filesNew++;
  const names = source.filename.split('/').filter((part) => part !== '') as ByteString[];
  return storeTrees(names, fileNode(source, names.at(-1)!, saved), source, writer, counters);
}

async function storeTrees(
  names: readonly ByteString[],
  file: Node,
  source: StreamSource,
  writer: BlobWriter,
  counters: BackupCounters,
): Promise<Id> {
  let node = file;
  for (let depth = names.length - 1; ; depth--) {
    const { id } = await writer.save('tree', serializeTree([node]));
    if (depth === 0) return id;
    counters.dirsNew++;
    node = { ...baseNode(source, names[depth - 1]!), type: 'dir', mode: 0x8000_0000 + 0o755, subtree: id };
  }
}

function fileNode(source: StreamSource, name: ByteString, saved: ChunkedContent): Node {
  return { ...baseNode(source, name), type: 'file', mode: 0o644, size: saved.size, content: saved.content };
}

function baseNode(source: StreamSource, name: ByteString): Node {
  const time = fromEpochNs(BigInt(Math.round(source.timeMs * 1000)) * 1000n);
  const { uid, gid, user, group } = source;
  return {
    name,
    type: 'file',
    mode: 0,
    mtime: time,
    atime: time,
    ctime: time,
    uid,
    gid,
    user,
    group,
    inode: 0,
    deviceId: 0,
    size: 0,
    links: 0,
    linkTarget: rawByteString(''),
    extendedAttributes: [],
    genericAttributes: undefined,
    device: 0,
    content: null,
    subtree: undefined,
    error: '',
  };
}

/** Fills rooms from a stream, keeping what did not fit for the next. */
function fillFrom(stream: Readable): ChunkSource['fill'] {
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let left: Uint8Array = new Uint8Array(0);
  return async (room) => {
    let bytes = 0;
    while (bytes < room.length) {
      if (left.length === 0) {
        const next = await nextPiece(pieces);
        if (next === undefined) return { bytes, last: true };
        left = next;
      }
      const part = left.subarray(0, room.length - bytes);
      room.set(part, bytes);
      left = left.subarray(part.length);
      bytes += part.length;
    }
    return { bytes, last: false };
  };
}

async function nextPiece(pieces: AsyncIterator<Buffer>): Promise<Uint8Array | undefined> {
  try {
    const next = await pieces.next();
    return next.done ? undefined : next.value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(
      'source-unreadable',
      `The input could not be read to its end: ${reason}.`,
      {},
      { cause },
    );
  }
}

/** The snapshot's path of a stream. */
export function streamPath(filename: ByteString): ByteString {
  return filename.startsWith('/') ? filename : joinPath(rawByteString('/'), filename);
}
