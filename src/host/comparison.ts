/**
 * A file of a version held against what lies there today. Never by time: equal size and time are no proof, so the bytes of today's
 * file are hashed piece by piece, as the version is cut, and compared with the names of its pieces. Nothing of the repository is
 * read for that. It ends at the first piece that differs.
 *
 * A folder that is there still is judged by what the version has in it, one level deep: something that is missing or of another kind
 * or size makes it changed. Otherwise nothing is said, since only its files could tell; and what is there beyond the version proves
 * nothing, for the plan may have left it out.
 */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { isEngineError } from '../api/errors.ts';
import type { Comparison } from '../api/model/look.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node, Snapshot } from '../format/types.ts';
import { translateFsError } from '../fs/errors.ts';
import { nodePath } from '../fs/path.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { sizeOf } from '../restorer/content-stream.ts';
import { subtreeOf } from '../restorer/find-tree.ts';
import { loadListing } from '../restorer/tree-walk.ts';
import { commandOfSnapshot } from '../runs/tags.ts';
import { type ByteString, joinPath, toText } from '../util/byte-string.ts';
import { textOf } from './file-kind.ts';
import type { Found } from './node-at.ts';
import { readStart } from './preview.ts';
import { entryOf } from './versions.ts';

/** Of each of two texts; longer ones are not held against each other line by line. */
export const MOST_DIFF_BYTES = 512 * 1024;
/** Lines taken away and added: texts that have more of them in between are different texts. */
const MOST_EDITS = 1000;
const READ_BYTES = 1 << 20;
/** How many entries of a folder are looked at before others get their turn. */
const TURN = 64;

interface Verdict {
  readonly state: Comparison['state'];
  readonly reason: string | null;
  readonly diff: string | null;
}

const said = (
  state: Comparison['state'],
  reason: string | null = null,
  diff: string | null = null,
): Verdict => ({
  state,
  reason,
  diff,
});

/** Errors: 'damaged' and the backend's where the repository has to be read, the signal's reason. */
export async function compareWithToday(
  repo: IndexedRepository,
  snapshot: Pick<Snapshot, 'hostname' | 'tags'>,
  { node, location }: Found,
  hostname: string,
  o: CallOptions = {},
): Promise<Comparison> {
  const version = node
    ? entryOf(node, toText(location))
    : { name: '', path: '/', kind: 'dir' as const, bytes: null, modifiedAt: null };
  const stranger = whyNotHere(snapshot, hostname);
  if (stranger !== undefined) return { ...said('unknown', stranger), version, today: null };
  let stats: Stats;
  try {
    stats = await unlessAborted(fs.lstat(nodePath(location)), o.signal);
  } catch (e) {
    return { ...withoutFile(e, location, o), version, today: null };
  }
  const today = {
    bytes: stats.isFile() ? stats.size : null,
    modifiedAt: Math.max(0, Math.floor(stats.mtimeMs)),
  };
  return { ...(await judge(repo, node, location, stats, o)), version, today };
}

/** A sentence for what never lay on this computer. */
function whyNotHere(snapshot: Pick<Snapshot, 'hostname' | 'tags'>, hostname: string): string | undefined {
  if (commandOfSnapshot(snapshot) !== null) return 'A command printed this; it never was a file of yours.';
  if (snapshot.hostname === hostname) return undefined;
  return `This is of the computer “${snapshot.hostname ?? ''}”; what lies there today is not known here.`;
}

function withoutFile(e: unknown, path: ByteString, o: CallOptions): Verdict {
  o.signal?.throwIfAborted();
  const error = translateFsError(e, path, 'read');
  return error.code === 'not-found' ? said('gone') : said('unknown', error.message);
}

async function judge(
  repo: IndexedRepository,
  node: Node | undefined,
  path: ByteString,
  stats: Stats,
  o: CallOptions,
): Promise<Verdict> {
  if (!isOfKind(node?.type ?? 'dir', stats)) return said('changed');
  try {
    if (node?.type === 'file') return await judgeFile(repo, node, path, o);
    if (node?.type === 'symlink') {
      const target = await fs.readlink(nodePath(path), 'latin1');
      return said(target === node.linkTarget ? 'same' : 'changed');
    }
  } catch (e) {
    if (isOfSystem(e)) return withoutFile(e, path, o);
    throw e;
  }
  if (node && node.type !== 'dir') return said(stats.rdev === Number(node.device) ? 'same' : 'changed');
  return node ? judgeFolder(repo, node, path, o) : said('unknown', FOLDER_IS_THERE);
}

const FOLDER_IS_THERE = 'The folder is there. What is in it is compared file by file.';

function isOfKind(type: Node['type'], stats: Stats): boolean {
  switch (type) {
    case 'file':
      return stats.isFile();
    case 'dir':
      return stats.isDirectory();
    case 'symlink':
      return stats.isSymbolicLink();
    case 'fifo':
      return stats.isFIFO();
    case 'socket':
      return stats.isSocket();
    case 'dev':
      return stats.isBlockDevice();
    case 'chardev':
      return stats.isCharacterDevice();
    default:
      return false;
  }
}

/** Of Node's file system calls, in contrast to what the engine throws. */
function isOfSystem(e: unknown): boolean {
  return e instanceof Error && 'syscall' in e;
}

// ---- files

async function judgeFile(
  repo: IndexedRepository,
  node: Node,
  path: ByteString,
  o: CallOptions,
): Promise<Verdict> {
  const content = node.content ?? [];
  const file = await open(path, o.signal);
  try {
    const { size } = await file.stat();
    const whole = size === Number(node.size) ? await hasContent(repo, file, content, o) : false;
    if (whole === 'lost') return said('unknown', 'The repository has lost a part of this file.');
    if (whole) return said('same');
    const short = Math.max(size, Number(node.size)) <= MOST_DIFF_BYTES;
    return said('changed', null, short ? await diffOf(repo, file, content, o) : null);
  } finally {
    await file.close();
  }
}

async function open(path: ByteString, signal: AbortSignal | undefined): Promise<FileHandle> {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const opening = fs.open(nodePath(path), flags);
  try {
    return await unlessAborted(opening, signal);
  } catch (e) {
    opening.then((late) => late.close()).catch(() => {});
    throw e;
  }
}

/** Whether the file is made of just these pieces; 'lost' where the length of one is not known. */
async function hasContent(
  repo: IndexedRepository,
  file: FileHandle,
  content: readonly Id[],
  o: CallOptions,
): Promise<boolean | 'lost'> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let at = 0;
  for (const id of content) {
    if (!repo.index.get('data', id)) return 'lost';
    const end = at + sizeOf(repo, id);
    const hash = createHash('sha256');
    while (at < end) {
      o.signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at);
      if (bytesRead === 0) return false;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    if (hash.digest('hex') !== id) return false;
  }
  return (await file.read(buffer, 0, 1, at)).bytesRead === 0;
}

async function diffOf(
  repo: IndexedRepository,
  file: FileHandle,
  content: readonly Id[],
  o: CallOptions,
): Promise<string | null> {
  const now = textOf(await startOf(file), false);
  if (now === undefined) return null;
  try {
    const { bytes, cut } = await readStart(repo, content, MOST_DIFF_BYTES, o);
    const then = cut ? undefined : textOf(bytes, false);
    return then === undefined ? null : await unlessAborted(unifiedDiff(now, then), o.signal);
  } catch (e) {
    // That it has changed is known without it.
    if (isEngineError(e, 'damaged')) return null;
    throw e;
  }
}

async function startOf(file: FileHandle): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(MOST_DIFF_BYTES);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** In small steps, between which others get their turn; null for texts that are too different. */
function unifiedDiff(today: string, version: string): Promise<string | null> {
  return new Promise((resolve) => {
    createTwoFilesPatch('today', 'version', today, version, undefined, undefined, {
      context: 3,
      maxEditLength: MOST_EDITS,
      headerOptions: FILE_HEADERS_ONLY,
      callback: (patch: string | undefined) => resolve(patch ?? null),
    });
  });
}

// ---- folders

async function judgeFolder(
  repo: IndexedRepository,
  node: Node,
  path: ByteString,
  o: CallOptions,
): Promise<Verdict> {
  const { folders, others } = await loadListing(repo, subtreeOf(node, path), o);
  const nodes = [...folders, ...others];
  for (let i = 0; i < nodes.length; i += TURN) {
    o.signal?.throwIfAborted();
    const there = await Promise.all(nodes.slice(i, i + TURN).map((child) => looksAlike(child, path)));
    if (there.includes(false)) return said('changed');
  }
  return said('unknown', FOLDER_IS_THERE);
}

async function looksAlike(child: Node, folder: ByteString): Promise<boolean> {
  const stats = await fs.lstat(nodePath(joinPath(folder, child.name))).catch(() => undefined);
  if (!stats || !isOfKind(child.type, stats)) return false;
  return child.type !== 'file' || stats.size === Number(child.size);
}

/** Calls into the system do not return while a network drive hangs; whoever asked may go. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
    work.catch(() => {});
  }
}
