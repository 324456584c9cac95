/**
 * What a restore would do, counted by walking what it would restore. What lies at the target is looked at, not read: of equal size
 * and time it counts as the same, though the restore itself will compare every byte.
 */
import { readlinkSync } from 'node:fs';
import type { RestoreEstimate } from '../api/model/look.ts';
import type { RestoreRequest } from '../api/model/run.ts';
import type { CallOptions } from '../backend/backend.ts';
import { toSecNs } from '../format/time.ts';
import type { Node, StoredSnapshot } from '../format/types.ts';
import { nodePath } from '../fs/path.ts';
import { lstatIfExists, stat } from '../fs/stat.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { refuseTaken } from '../restorer/archive/archive-file.ts';
import { type SelectedFolder, walkSelected } from '../restorer/selected-walk.ts';
import { targetOf } from '../runs/restore-run.ts';
import { WantedPaths } from '../runs/wanted-paths.ts';
import { type ByteString, fromText, joinPath, rawByteString } from '../util/byte-string.ts';
import type { Clock } from '../util/clock.ts';
import { roomAt } from './asking.ts';

const TELL_MS = 200;
/** How many entries are looked at before others get their turn. */
const TURN = 128;
/** Names of files with several names that are remembered, so that their content counts once; what comes after counts each time. */
const MOST_LINKED = 1_000_000;

export interface EstimateOptions extends CallOptions {
  readonly clock: Clock;
  /** Bytes a second; null: unknown. */
  readonly rate: number | null;
}

/**
 * Errors: 'usage' for a target that can't be, 'conflict' and 'not-found' for the place of an archive, 'path-missing', the backend's,
 * the signal's reason.
 */
export async function* estimateOf(
  repo: IndexedRepository,
  snapshot: StoredSnapshot,
  request: RestoreRequest,
  o: EstimateOptions,
): AsyncGenerator<RestoreEstimate, void> {
  const target = targetOf(request, snapshot);
  const wanted = new WantedPaths(request.paths, request.exclude);
  if (request.target.kind === 'archive') await refuseTaken(target);
  const room = await roomAt(request.target.kind === 'original' ? originOf(request, snapshot) : target);
  // A disk that does not even tell its room is not asked about each file: nothing could end that if it hangs.
  const count = new Count(request, fromText(target), room !== null && request.target.kind !== 'archive');
  const told = (finished: boolean) => count.estimate(room?.free ?? null, o.rate, finished);
  let toldAt = o.clock.now();
  let looks = 0;
  const turn = async () => {
    if (++looks % TURN === 0) await new Promise(setImmediate);
    o.signal?.throwIfAborted();
  };
  const call = o.signal ? { signal: o.signal } : {};
  for await (const folder of walkSelected(repo, snapshot.tree, wanted.select, call)) {
    await turn();
    count.folder(folder);
    for (const node of folder.others) {
      await turn();
      count.other(folder, node);
    }
    if (o.clock.now() - toldAt < TELL_MS) continue;
    toldAt = o.clock.now();
    yield told(false);
  }
  wanted.unseen();
  yield told(true);
}

/** The disk of the first of the things that were asked for stands for all. */
function originOf({ paths }: RestoreRequest, snapshot: StoredSnapshot): string {
  return `/${paths.find((path) => path !== '/') ?? snapshot.paths[0] ?? ''}`;
}

class Count {
  /** Whether the target is looked at. */
  readonly #looks: boolean;
  readonly #target: ByteString;
  /** Each name of a file gets the whole content. */
  readonly #parts: boolean;
  /** What is there and differs stays as it is. */
  readonly #skips: boolean;
  readonly #linked = new Set<string>();
  /** Folders that are not there yet, so that nothing in them has to be looked for. */
  readonly #absent = new WeakSet<SelectedFolder>();
  #files = 0;
  #folders = 0;
  #bytes = 0;
  #toWrite = 0;
  #same = 0;
  #different = 0;

  constructor({ target, conflicts }: RestoreRequest, at: ByteString, looks: boolean) {
    this.#looks = looks;
    this.#parts = target.kind === 'archive' && target.format === 'zip';
    this.#target = at;
    this.#skips = conflicts === 'skip';
  }

  folder(folder: SelectedFolder): void {
    if (folder.selected) this.#folders++;
    if (!this.#looks || (folder.parent && this.#absent.has(folder.parent)) || !this.#isThere(folder))
      this.#absent.add(folder);
  }

  other(folder: SelectedFolder, node: Node): void {
    if (node.type === 'socket') return;
    const bytes = this.#bytesOf(node);
    this.#files++;
    this.#bytes += bytes;
    const found = this.#absent.has(folder)
      ? undefined
      : this.#look(joinPath(folder.location, node.name), node);
    if (found === 'same') this.#same++;
    else if (found === 'different') this.#different++;
    if (found === undefined || (found === 'different' && !this.#skips)) this.#toWrite += bytes;
  }

  estimate(freeBytes: number | null, rate: number | null, finished: boolean): RestoreEstimate {
    return {
      files: this.#files,
      folders: this.#folders,
      bytes: whole(this.#bytes),
      same: this.#same,
      different: this.#different,
      freeBytes,
      seconds: rate === null || rate <= 0 ? null : this.#toWrite / rate,
      finished,
    };
  }

  #bytesOf(node: Node): number {
    if (node.type !== 'file') return 0;
    if (node.links <= 1 || this.#parts) return Number(node.size);
    const key = `${node.deviceId}/${node.inode}`;
    if (this.#linked.has(key)) return 0;
    if (this.#linked.size < MOST_LINKED) this.#linked.add(key);
    return Number(node.size);
  }

  #place(location: ByteString): ByteString {
    return this.#target === '/' ? location : rawByteString(this.#target + (location === '/' ? '' : location));
  }

  /** The target itself may be a link to a folder; nothing below it may. */
  #isThere({ location }: SelectedFolder): boolean {
    try {
      const path = this.#place(location);
      return (location === '/' ? stat(path) : lstatIfExists(path))?.kind === 'dir';
    } catch {
      return false;
    }
  }

  #look(location: ByteString, node: Node): 'same' | 'different' | undefined {
    try {
      const path = this.#place(location);
      const found = lstatIfExists(path);
      if (!found) return undefined;
      if (found.kind !== node.type) return 'different';
      if (node.type === 'symlink') {
        return readlinkSync(nodePath(path), 'latin1') === node.linkTarget ? 'same' : 'different';
      }
      if (node.type !== 'file') return 'same';
      const { sec, ns } = toSecNs(node.mtime);
      const alike = found.size === Number(node.size) && found.mtimeSec === sec && found.mtimeNs === ns;
      return alike ? 'same' : 'different';
    } catch {
      // What can't be looked at will be told by the restore.
      return undefined;
    }
  }
}

/** What a damaged tree claims beyond 2^53 is cut. */
function whole(bytes: number): number {
  return Math.min(bytes, Number.MAX_SAFE_INTEGER);
}
