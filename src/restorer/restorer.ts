/**
 * From a tree to files.
 *
 * target     the folder that becomes the root of the tree
 * location   a path in the snapshot, from '/'
 * fresh      a folder made by this restore: nothing can be in the way there
 * batch      files whose contents are restored together, pack by pack
 * later      links and special files: made when nothing will be written below their folder any more
 *
 * One walk; contents follow it in batches, one ahead of the other, so memory does not grow with the snapshot. A folder
 * is finished when everything in it is: then its links are made, what is superfluous is deleted, and its attributes
 * are set. Nothing is written through a link: each folder on a path is looked at before anything is put into it, and
 * no link is made while that could still happen.
 */
import { createHash } from 'node:crypto';
import { linkSync, readlinkSync, symlinkSync } from 'node:fs';
import { asEngineError, EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { toSecNs } from '../format/time.ts';
import type { Id, Node } from '../format/types.ts';
import { readDirectory } from '../fs/directory.ts';
import { showPath, translateFsError } from '../fs/errors.ts';
import { makeDevice, makeFifo } from '../fs/metadata.ts';
import { type ApplyOptions, applyMetadata } from '../fs/node.ts';
import { nodePath } from '../fs/path.ts';
import { type FileStat, lstat, lstatIfExists, stat as statFollowing } from '../fs/stat.ts';
import type { BlobLocation } from '../repository/blob-index.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';
import { Semaphore } from '../util/semaphore.ts';
import { WorkerPool } from '../workers/pool.ts';
import { BesideNames } from './beside.ts';
import { type Comparison, ContentWriter } from './content.ts';
import { impossibleBlob, lostBlob, otherSize } from './content-errors.ts';
import { FileWork, type LinkGroup, type LinkWork, plainLength } from './file-work.ts';
import { Folder } from './folder.ts';
import type { RestoreOptions, Select } from './options.ts';
import { newRestoreCounters, Reporter, type RestoreReport } from './progress.ts';
import { ensureFolder, makeFolder, makeFolders, realPath, removeExisting, removeTree } from './remove.ts';
import {
  isDamage,
  isUsableName,
  type Listing,
  ListingAhead,
  loadListing,
  MOST_PATH_BYTES,
  tooDeep,
} from './tree-walk.ts';

const ROOT = rawByteString('/');
/** Limits of a batch: whichever is reached first. */
const BATCH_FILES = 32_768;
/**
 * The first batch is small, so that writing begins soon; each further one is much larger, because what files of
 * different batches share is read and opened again for each.
 */
const FIRST_BATCH_FILES = 1024;
const BATCH_GROWTH = 8;
const BATCH_BLOBS = 131_072;
/** One is written while the next is gathered. */
const BATCHES_AT_ONCE = 2;
/** How many entries are looked at before others get their turn on this thread. */
const TURN = 128;
/** Far beyond what any chunker cuts; longer ones could only exhaust memory. */
const MOST_BLOB_BYTES = 256 << 20;

const EVERYTHING: Select = () => ({ selected: true, children: true });

/**
 * Restores the tree `tree` into a folder. What cannot be restored is named in the report and through the events, and
 * does not stop the rest.
 * Errors that end the restore: 'conflict' and the system's if the target cannot be made, 'no-space', a storage that
 * does not answer, the signal's reason.
 */
export async function restoreTree(
  repo: IndexedRepository,
  tree: Id,
  o: RestoreOptions,
): Promise<RestoreReport> {
  const run = new RestoreRun(repo, o);
  try {
    return await run.restore(tree);
  } finally {
    await run.close();
  }
}

class RestoreRun {
  readonly #repo: IndexedRepository;
  readonly #o: RestoreOptions;
  readonly #call: CallOptions & { readonly signal: AbortSignal };
  /** Ends what is under way in other batches when one has met an error that ends everything. */
  readonly #stop = new AbortController();
  readonly #select: Select;
  readonly #apply: ApplyOptions;
  readonly #report: Reporter;
  readonly #pool: WorkerPool;
  readonly #content: ContentWriter;
  readonly #groups = new Map<string, LinkGroup>();
  readonly #slots = new Semaphore(BATCHES_AT_ONCE);
  readonly #batches = new Set<Promise<void>>();
  #waking: Promise<unknown> = Promise.resolve();
  #batch: FileWork[] = [];
  #batchBlobs = 0;
  #batchFiles = FIRST_BATCH_FILES;
  #looks = 0;
  #fatal: { readonly error: unknown } | undefined;
  readonly #beside: BesideNames;
  /** An odd name was met: then nothing that it might stand for is deleted. */
  #deletes: boolean;

  constructor(repo: IndexedRepository, o: RestoreOptions) {
    const { repository } = repo;
    this.#repo = repo;
    this.#o = o;
    const stop = this.#stop.signal;
    this.#call = { signal: o.signal ? AbortSignal.any([o.signal, stop]) : stop };
    this.#select = o.select ?? EVERYTHING;
    this.#deletes = o.delete === true;
    this.#beside = new BesideNames(o.besideLabel ?? 'restored');
    this.#apply = { skipOwner: o.ownership === 'keep', ownerByName: o.ownership === 'name' };
    this.#report = new Reporter(o.counters ?? newRestoreCounters(), o.events ?? {});
    this.#pool = new WorkerPool({ key: repository.key.master, codec: repository.codec }, o.threads);
    this.#content = new ContentWriter({
      repo,
      pool: this.#pool,
      sparse: o.sparse === true,
      // A function cannot be sent to a worker.
      metadata: o.selectXattr ? undefined : this.#apply,
      signal: this.#call.signal,
      events: {
        onWhole: (file, attributes) => this.#fileDone(file, attributes),
        onFailed: (file, error) => this.#fileFailed(file, error),
        onBytes: (placed, written) => {
          this.#report.counters.bytesRestored += placed;
          this.#report.counters.bytesWritten += written;
        },
      },
    });
  }

  async restore(tree: Id): Promise<RestoreReport> {
    const root = new Folder({ path: this.#o.target, location: ROOT }, undefined, undefined, false);
    this.#prepareTarget(root);
    if (!this.#o.dryRun) this.#wakeWorkers();
    const listing = await this.#listing(root, loadListing(this.#repo, tree, this.#call));
    if (listing) await this.#walk(root, listing);
    this.#release(root);
    await this.#flush();
    this.#report.counters.totalsKnown = true;
    await Promise.all(this.#batches);
    this.#check();
    return this.#report.report();
  }

  async close(): Promise<void> {
    await Promise.all(this.#batches);
    this.#content.close();
    // Node sometimes crashes when a thread is stopped while it still starts.
    await this.#waking;
    await this.#pool.close();
  }

  /** Threads take a while to start: let them do that while the first listings are read. */
  #wakeWorkers(): void {
    const first = Array.from({ length: Math.min(2, this.#pool.size) }, () =>
      this.#pool.run({ kind: 'compare', ranges: [] }),
    );
    // A thread that cannot start is told by the first real job.
    this.#waking = Promise.allSettled(first);
  }

  #end(error: unknown): void {
    this.#fatal ??= { error };
    this.#stop.abort(error);
  }

  #check(): void {
    this.#o.signal?.throwIfAborted();
    if (this.#fatal) throw this.#fatal.error;
  }

  /** Others get their turn now and then, even where everything is answered from memory. */
  async #turn(): Promise<void> {
    if (++this.#looks % TURN === 0) await new Promise(setImmediate);
    this.#check();
  }

  #prepareTarget(root: Folder): void {
    root.ready = true;
    const path = this.#o.target;
    const found = lstatIfExists(path);
    if (found && statFollowing(path).kind !== 'dir') {
      throw new EngineError('conflict', `Could not restore to ${showPath(path)}: it is not a folder.`, {
        hint: 'Name a folder, or one that does not exist yet.',
      });
    }
    root.fresh = !found;
    if (!found && !this.#o.dryRun) makeFolders(path);
  }

  // ---- the walk

  async #listing(folder: Folder, loading: Promise<Listing>): Promise<Listing | undefined> {
    try {
      const listing = await loading;
      folder.complete = true;
      for (const { name, error } of listing.refused) {
        // It could stand for any file: rather too much is kept.
        this.#deletes = false;
        this.#report.fail(joinPath(folder.location, name), error);
      }
      if (this.#deletes) folder.names = listing.names;
      return listing;
    } catch (e) {
      this.#call.signal.throwIfAborted();
      if (!isDamage(e)) throw e;
      this.#report.fail(folder.location, e);
      return undefined;
    }
  }

  async #walk(folder: Folder, { others, folders }: Listing): Promise<void> {
    for (const node of others) {
      await this.#turn();
      await this.#item(folder, node);
    }
    const entered: Folder[] = [];
    for (const node of folders) {
      await this.#turn();
      const child = this.#enter(folder, node);
      if (child) entered.push(child);
    }
    const ids = entered.map((f) => f.node!.subtree!);
    const ahead = new ListingAhead(this.#repo, ids, this.#call);
    for (const child of entered) {
      const listing = await this.#listing(child, ahead.take());
      if (listing) await this.#walk(child, listing);
      this.#release(child);
    }
  }

  /** The folder if there may be something to do in it; one that is selected is made at once. */
  #enter(parent: Folder, node: Node): Folder | undefined {
    const location = joinPath(parent.location, node.name);
    const { selected, children } = this.#select(location, true);
    if (!selected && !children) return undefined;
    const path = joinPath(parent.path, node.name);
    if (location.length > MOST_PATH_BYTES) {
      this.#report.fail(parent.location, tooDeep(location));
      return undefined;
    }
    const folder = new Folder({ path, location }, parent, node, selected);
    if (selected) {
      this.#report.expectFolder();
      parent.touch();
    }
    if ((!selected || this.#ready(folder)) && children && this.#hasListing(folder)) return folder;
    this.#release(folder);
    return undefined;
  }

  #hasListing(folder: Folder): boolean {
    if (folder.node?.subtree !== undefined) return true;
    const error = new EngineError('damaged', `The folder ${showPath(folder.location)} has no listing.`);
    this.#report.fail(folder.location, error);
    return false;
  }

  /** Makes the folder and those above it; false if that failed, which has been told then. */
  #ready(folder: Folder): boolean {
    if (folder.ready) return true;
    if (folder.broken) return false;
    try {
      const { parent } = folder;
      if (parent && !this.#ready(parent)) throw parent.broken;
      this.#make(folder);
      folder.ready = true;
      return true;
    } catch (e) {
      folder.broken = e;
      this.#report.fail(folder.location, asEngineError(e));
      this.#endIfFull(e);
      return false;
    }
  }

  #make(folder: Folder): void {
    const { path, parent } = folder;
    if (this.#o.dryRun) {
      folder.fresh = parent?.fresh === true || lstatIfExists(path)?.kind !== 'dir';
    } else if (parent?.fresh) {
      makeFolder(path);
      folder.fresh = true;
    } else {
      folder.fresh = ensureFolder(path, () => this.#mayReplace());
    }
  }

  /** Whether things may be replaced that are no folder where the snapshot has one. */
  #mayReplace(): boolean {
    return this.#overwrite === 'always' || this.#overwrite === 'if-changed';
  }

  get #overwrite(): NonNullable<RestoreOptions['overwrite']> {
    return this.#o.overwrite ?? 'always';
  }

  async #item(folder: Folder, node: Node): Promise<void> {
    if (node.type === 'socket') return;
    const location = joinPath(folder.location, node.name);
    if (!this.#select(location, false).selected) return;
    folder.touch();
    if (!this.#ready(folder)) return;
    const work = { node, folder, location, path: joinPath(folder.path, node.name) };
    if (node.type === 'file') return this.#file(work);
    this.#report.expect(0);
    folder.later.push(node);
  }

  async #file(work: LinkWork): Promise<void> {
    const group = this.#groupOf(work);
    if (group && group.path !== work.path) return this.#link(work, group);
    try {
      const existing = work.folder.fresh ? undefined : lstatIfExists(work.path);
      const blobs = this.#locate(work.node);
      const file = new FileWork(work, blobs, existing, group);
      if (!existing) this.#report.expect(file.size);
      else if (!this.#mayOverwrite(work.node, existing)) return this.#keep(file);
      await this.#add(file);
    } catch (e) {
      if (group) group.state = 'failed';
      this.#report.fail(work.location, asEngineError(e));
    }
  }

  /** A file with several names belongs to a group; its content counts too, for inode numbers can lie. */
  #groupOf({ node, path }: LinkWork): LinkGroup | undefined {
    if (node.links === 0 || node.links === 1) return undefined;
    const digest = createHash('sha256')
      .update((node.content ?? []).join())
      .digest('base64');
    const key = `${node.deviceId}/${node.inode}/${digest}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = { path, key, state: 'pending', waiting: [] };
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Where the blobs of a file are. Errors: 'damaged' if one is nowhere, or of a size that cannot be. */
  #locate(node: Node): BlobLocation[] {
    return (node.content ?? []).map((id) => {
      const at = this.#repo.index.get('data', id);
      if (!at) throw lostBlob(id);
      if (Math.max(plainLength(at), at.length) > MOST_BLOB_BYTES) throw impossibleBlob(id);
      return at;
    });
  }

  #mayOverwrite(node: Node, existing: FileStat): boolean {
    if (this.#overwrite === 'never') return false;
    if (this.#overwrite !== 'if-newer') return true;
    const { sec, ns } = toSecNs(node.mtime);
    return sec > existing.mtimeSec || (sec === existing.mtimeSec && ns > existing.mtimeNs);
  }

  /** The overwrite rule protects what is there. */
  #keep(file: FileWork): void {
    this.#report.skipped(file.location, file.size);
    // Its other names must not become names of what is there: the next one starts a group of its own.
    if (file.group) this.#groups.delete(file.group.key);
  }

  // ---- contents

  async #add(file: FileWork): Promise<void> {
    file.folder.pending++;
    this.#batch.push(file);
    this.#batchBlobs += file.blobs.length;
    if (this.#batch.length >= this.#batchFiles || this.#batchBlobs >= BATCH_BLOBS) await this.#flush();
  }

  async #flush(): Promise<void> {
    const files = this.#batch;
    this.#batch = [];
    this.#batchBlobs = 0;
    this.#batchFiles = Math.min(BATCH_FILES, BATCH_GROWTH * this.#batchFiles);
    if (files.length === 0) return;
    await this.#slots.acquire();
    const batch = this.#runBatch(files)
      .catch((error: unknown) => this.#end(error))
      .finally(() => {
        this.#batches.delete(batch);
        this.#slots.release();
      });
    this.#batches.add(batch);
  }

  async #runBatch(files: readonly FileWork[]): Promise<void> {
    this.#check();
    const wanted = [...files.filter((f) => !f.existing), ...(await this.#differing(files))];
    if (this.#o.dryRun) return this.#pretend(wanted);
    const writable = wanted.filter((file) => this.#makePlace(file));
    await this.#content.write(writable);
    if (this.#o.verify) await this.#verify(writable);
  }

  /** Those of the existing files that are not yet as they should be; the others are done. */
  async #differing(files: readonly FileWork[]): Promise<FileWork[]> {
    const existing = files.filter((f) => f.existing);
    const trusted = existing.filter((f) => this.#isTrusted(f));
    for (const file of trusted) this.#unchanged(file);
    const doubtful = existing.filter((f) => f.existing!.kind === 'file' && !trusted.includes(f));
    const found = await this.#content.compare(doubtful);
    const wanted: FileWork[] = [];
    for (const file of existing) {
      if (file.done) continue;
      const comparison = found.get(file);
      if (comparison && isWhole(file, comparison)) {
        this.#unchanged(file);
        continue;
      }
      this.#report.expect(file.size);
      if (this.#overwrite === 'beside') file.moveTo(this.#beside.nameFor(file.path));
      if (file.placement === 'update') file.matches = comparison?.matches;
      wanted.push(file);
    }
    return wanted;
  }

  #isTrusted({ node, existing, size }: FileWork): boolean {
    if (this.#overwrite !== 'if-changed' || existing?.kind !== 'file' || existing.size !== size) return false;
    const { sec, ns } = toSecNs(node.mtime);
    return existing.mtimeSec === sec && existing.mtimeNs === ns;
  }

  #unchanged(file: FileWork): void {
    file.done = true;
    this.#report.skipped(file.location, file.size);
    if (!this.#o.dryRun && this.#overwrite !== 'beside') this.#applyTo(file, file.node);
    this.#settleGroup(file.group, 'ready');
    this.#release(file.folder);
  }

  #pretend(files: readonly FileWork[]): void {
    for (const file of files) {
      this.#report.counters.bytesRestored += file.size;
      this.#report.restored(file.existing ? 'updated' : 'restored', file.location, file.size);
      this.#settleGroup(file.group, 'ready');
      this.#release(file.folder);
    }
  }

  /** Clears the way for a file; false if that failed, which has been told then. */
  #makePlace(file: FileWork): boolean {
    const { placement, existing } = file;
    if (placement === 'update' && file.matches) this.#countMatches(file);
    if (placement !== 'replace') return true;
    try {
      removeExisting(file.path, existing!, this.#deletes);
      file.placement = 'new';
      return true;
    } catch (e) {
      file.done = true;
      this.#fileFailed(file, asEngineError(e));
      return false;
    }
  }

  #countMatches(file: FileWork): void {
    file.blobs.forEach((blob, i) => {
      if (file.matches?.[i]) this.#report.counters.bytesRestored += plainLength(blob);
    });
  }

  #fileDone(file: FileWork, attributes: readonly EngineError[] | undefined): void {
    if (attributes) for (const e of attributes) this.#report.fail(file.location, e);
    else this.#applyTo(file, file.node);
    this.#report.restored(file.existing ? 'updated' : 'restored', file.location, file.size);
    if (Number(file.node.size) !== file.size)
      this.#report.warn(file.location, otherSize(file.location, file.node.size, file.size));
    this.#settleGroup(file.group, 'ready');
    this.#release(file.folder);
  }

  /** What there is of it stays, but without its time, so that nobody takes it for whole. */
  #fileFailed(file: FileWork, error: EngineError): void {
    file.failure = error;
    this.#report.fail(file.location, error);
    this.#settleGroup(file.group, 'failed');
    this.#release(file.folder);
  }

  async #verify(files: readonly FileWork[]): Promise<void> {
    const whole = files.filter((f) => f.done && !f.failure);
    const found = await this.#content.compare(whole);
    for (const file of whole) {
      const comparison = found.get(file);
      if (comparison && isWhole(file, comparison)) this.#report.counters.filesVerified++;
      else this.#report.fail(file.location, comparison?.error ?? notAsWritten(file));
    }
  }

  #applyTo({ path, location }: Pick<FileWork, 'path' | 'location'>, node: Node): void {
    const { selectXattr } = this.#o;
    const options = selectXattr ? { ...this.#apply, selectXattr } : this.#apply;
    for (const e of applyMetadata(path, node, options)) this.#report.fail(location, e);
  }

  // ---- further names of a file

  #link(work: LinkWork, group: LinkGroup): void {
    this.#report.expect(0);
    work.folder.pending++;
    if (group.state === 'pending') group.waiting.push(work);
    else this.#makeLink(work, group);
  }

  #settleGroup(group: LinkGroup | undefined, state: 'ready' | 'failed'): void {
    if (!group) return;
    group.state = state;
    for (const work of group.waiting.splice(0)) this.#makeLink(work, group);
  }

  #makeLink(work: LinkWork, group: LinkGroup): void {
    try {
      if (group.state === 'failed') throw lackOfFirst(work, group);
      const existing = work.folder.fresh ? undefined : lstatIfExists(work.path);
      if (existing && !this.#mayOverwrite(work.node, existing)) this.#report.skipped(work.location, 0);
      else {
        if (!this.#o.dryRun) this.#linkOrBeside(group.path, work.path, existing);
        this.#report.restored('restored', work.location, 0);
      }
    } catch (e) {
      this.#report.fail(work.location, asEngineError(e));
      this.#endIfFull(e);
    }
    this.#release(work.folder);
  }

  #linkOrBeside(first: ByteString, path: ByteString, existing: FileStat | undefined): void {
    if (!existing || this.#overwrite !== 'beside') return linkTo(first, path, existing, this.#deletes);
    const target = lstat(first);
    if (target.ino === existing.ino && target.dev === existing.dev) return;
    linkTo(first, this.#beside.nameFor(path), undefined, false);
  }

  // ---- the end of a folder

  /** One thing less under way in it. */
  #release(folder: Folder): void {
    if (--folder.pending > 0) return;
    if (!this.#call.signal.aborted) this.#finish(folder);
    if (folder.parent) this.#release(folder.parent);
  }

  #finish(folder: Folder): void {
    for (const node of folder.later) this.#special(folder, node);
    if (this.#deletes && folder.complete && (folder.selected || folder.touched)) this.#deleteOthers(folder);
    if (!folder.node || !folder.ready || !(folder.selected || folder.touched)) return;
    if (!this.#o.dryRun) this.#applyTo(folder, folder.node);
    if (folder.selected) this.#report.restoredFolder(folder.location);
  }

  #special(folder: Folder, node: Node): void {
    const location = joinPath(folder.location, node.name);
    let path = joinPath(folder.path, node.name);
    try {
      let existing = folder.fresh && !this.#o.dryRun ? undefined : lstatIfExists(path);
      if (existing && this.#overwrite === 'beside') {
        if (isSameSpecial(path, existing, node)) return this.#report.skipped(location, 0);
        path = this.#beside.nameFor(path);
        existing = undefined;
      }
      if (existing && !this.#mayOverwrite(node, existing)) return this.#report.skipped(location, 0);
      if (!this.#o.dryRun) {
        if (existing) removeExisting(path, existing, this.#deletes);
        makeSpecial(path, node);
        this.#applyTo({ path, location }, node);
      }
      this.#report.restored('restored', location, 0);
    } catch (e) {
      const error = asEngineError(e);
      if (isDevice(node) && error.code === 'permission') this.#report.warn(location, error);
      else this.#report.fail(location, error);
      this.#endIfFull(e);
    }
  }

  #deleteOthers(folder: Folder): void {
    if (folder.fresh || !folder.names || (!folder.ready && !this.#isRealFolder(folder))) return;
    try {
      const device = statFollowing(folder.path).dev;
      for (const name of readDirectory(
        folder.path === this.#o.target ? realPath(folder.path) : folder.path,
      )) {
        const location = joinPath(folder.location, name);
        if (folder.names.has(name) || !isUsableName(name) || !this.#select(location, false).selected)
          continue;
        const path = joinPath(folder.path, name);
        const told = (removed: ByteString) =>
          this.#report.deleted(rawByteString(location + removed.slice(path.length)));
        removeTree(path, device, told, this.#o.dryRun === true);
      }
    } catch (e) {
      this.#report.fail(folder.location, asEngineError(e));
    }
  }

  #isRealFolder(folder: Folder): boolean {
    return lstatIfExists(folder.path)?.kind === 'dir';
  }

  /** The disk is full: nothing further can succeed. */
  #endIfFull(e: unknown): void {
    if (e instanceof EngineError && e.code === 'no-space') this.#end(e);
  }
}

function isWhole(file: FileWork, { size, matches }: Comparison): boolean {
  return size === file.size && matches.every(Boolean);
}

function isDevice(node: Node): boolean {
  return node.type === 'dev' || node.type === 'chardev';
}

/** Only of links is it known what they are. */
function isSameSpecial(path: ByteString, existing: FileStat, node: Node): boolean {
  if (node.type === 'fifo') return existing.kind === 'fifo';
  if (node.type !== 'symlink' || existing.kind !== 'symlink') return false;
  return readlinkSync(nodePath(path), 'latin1') === node.linkTarget;
}

function makeSpecial(path: ByteString, node: Node): void {
  switch (node.type) {
    case 'symlink':
      return makeSymlink(path, node.linkTarget);
    case 'fifo':
      return makeFifo(path);
    case 'dev':
    case 'chardev':
      return makeDevice(path, node.type, node.device);
    default:
      throw new EngineError('unsupported', `${showPath(path)} is of a kind that cannot be restored.`);
  }
}

function makeSymlink(path: ByteString, target: ByteString): void {
  try {
    symlinkSync(nodePath(target), nodePath(path));
  } catch (e) {
    throw translateFsError(e, path, 'make the symbolic link');
  }
}

function linkTo(
  first: ByteString,
  path: ByteString,
  existing: FileStat | undefined,
  recursive: boolean,
): void {
  if (existing) {
    const target = lstat(first);
    if (target.ino === existing.ino && target.dev === existing.dev) return;
    removeExisting(path, existing, recursive);
  }
  try {
    linkSync(nodePath(first), nodePath(path));
  } catch (e) {
    throw translateFsError(e, path, 'make the hard link');
  }
}

function notAsWritten(file: FileWork): EngineError {
  return new EngineError('damaged', `${showPath(file.path)} does not hold what was written to it just now.`, {
    hint: 'Check the health of the target disk, or whether another program writes to this file.',
  });
}

function lackOfFirst(work: LinkWork, group: LinkGroup): EngineError {
  return new EngineError(
    'not-found',
    `${showPath(work.path)} is another name of ${showPath(group.path)}, which could not be restored.`,
  );
}
