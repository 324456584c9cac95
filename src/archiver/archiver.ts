/**
 * From files to a root tree.
 *
 * target      what was asked to be backed up
 * root tree   the virtual top: the folders that lead to the targets, then the targets themselves
 * parent      the snapshot to compare with; its unchanged files are not read again
 * entry       the node of a file or folder, or a promise of it while its content is on its way
 *
 * One walk in the order of names; contents are saved beside it (file-saver.ts). A folder's tree is stored when all of
 * its entries are known, so the walk holds only the folders on the way from the root and those not yet complete.
 */
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import { nodesEqual } from '../format/node.ts';
import { serializeTree } from '../format/tree.ts';
import type { Id, Node } from '../format/types.ts';
import { readDirectory } from '../fs/directory.ts';
import { showPath } from '../fs/errors.ts';
import { nodeFromStat } from '../fs/node.ts';
import { type FileStat, lstat, stat as statFollowing } from '../fs/stat.ts';
import type { BlobWriter } from '../repository/blob-writer.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, compareBytes, joinPath, rawByteString } from '../util/byte-string.ts';
import type { Clock } from '../util/clock.ts';
import { type ChangeRules, isUnchanged } from './changes.ts';
import type { FileSaver, SavedContent, SaveOutcome } from './file-saver.ts';
import type { BackupCounters, BackupEvents, ItemAction } from './progress.ts';

/** What is left out, and by which rule. */
export interface Selection {
  /** Decides by the path alone, before the file is looked at. */
  byName(path: ByteString): string | undefined;
  byStat(path: ByteString, stat: FileStat): string | undefined;
}

/** The virtual top of a snapshot; see roots.ts. */
export interface RootNode {
  /** A target: the path to read. Absent for a folder that only leads to targets. */
  readonly path?: ByteString | undefined;
  /** Named by the person itself: exclude rules do not apply to it. */
  readonly explicit?: boolean | undefined;
  /** Where the attributes of a leading folder are read. */
  readonly infoPath?: ByteString | undefined;
  readonly children: ReadonlyMap<ByteString, RootNode>;
}

export interface ArchiverParts {
  readonly repository: IndexedRepository;
  readonly writer: BlobWriter;
  readonly saver: FileSaver;
  readonly selection: Selection;
  readonly counters: BackupCounters;
  readonly events: BackupEvents;
  readonly rules: ChangeRules;
  readonly withAtime: boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** The first error that ends the backup, as soon as it is known. */
  readonly fatal: () => unknown;
}

/** A file or folder on its way into the snapshot. */
interface Item {
  readonly snapshotPath: ByteString;
  readonly name: ByteString;
  /** Where it is read. */
  readonly path: ByteString;
  /** Its node in the parent. */
  readonly before: Node | undefined;
  /** When it was begun, in milliseconds. */
  readonly began: number;
}

type Entry = Node | Pending;

/** In an object, because an async function that returned a bare promise would wait for it. */
interface Pending {
  readonly pending: Promise<Node | undefined>;
}
/** Nodes of the parent's folder by name; undefined where there is no parent. */
type ParentNodes = ReadonlyMap<ByteString, Node> | undefined;

/** How many entries are looked at before others get their turn on this thread. */
const TURN = 256;
const ROOT = rawByteString('/');

export class Archiver {
  readonly #p: ArchiverParts;
  #looks = 0;

  constructor(parts: ArchiverParts) {
    this.#p = parts;
  }

  /** Stores all trees; returns the root tree's id, or undefined if nothing at all could be stored. */
  async run(root: RootNode, parentTree: Id | undefined): Promise<Id | undefined> {
    const parent = await this.#loadParent(parentTree, ROOT);
    const entries = await this.#rootEntries(ROOT, root, parent);
    await this.#p.saver.flush();
    const nodes = await this.#settle(entries);
    this.#check();
    return nodes.length === 0 ? undefined : (await this.#storeTree(nodes)).id;
  }

  async #rootEntries(snapshotPath: ByteString, root: RootNode, parent: ParentNodes): Promise<Entry[]> {
    const entries: Entry[] = [];
    const names = [...root.children.keys()].sort(compareBytes);
    for (const name of names) {
      const child = root.children.get(name)!;
      const path = joinPath(snapshotPath, name);
      const before = parent?.get(name);
      const entry =
        child.path === undefined
          ? await this.#leadingFolder(path, name, child, before)
          : await this.#item(path, name, child.path, before, child.explicit === true);
      if (entry) entries.push(entry);
    }
    return entries;
  }

  /** A folder of the root tree that is not a target itself. */
  async #leadingFolder(
    snapshotPath: ByteString,
    name: ByteString,
    root: RootNode,
    before: Node | undefined,
  ): Promise<Entry | undefined> {
    const path = root.infoPath ?? snapshotPath;
    const item = { snapshotPath, name, path, before, began: this.#p.clock.now() };
    try {
      const stat = statFollowing(path);
      const node = this.#node(path, name, stat, true);
      const parent = await this.#loadParent(before?.subtree, snapshotPath);
      const entries = await this.#rootEntries(snapshotPath, root, parent);
      return this.#guard(this.#completeFolder(item, node, entries));
    } catch (e) {
      return this.#unreadable(path, e);
    }
  }

  async #item(
    snapshotPath: ByteString,
    name: ByteString,
    path: ByteString,
    before: Node | undefined,
    explicit: boolean,
  ): Promise<Entry | undefined> {
    if (++this.#looks % TURN === 0) await new Promise(setImmediate);
    this.#check();
    const item = { snapshotPath, name, path, before, began: this.#p.clock.now() };
    if (!explicit && this.#excluded(path, this.#p.selection.byName(path))) return undefined;
    const stat = this.#look(path);
    if (!stat || (!explicit && this.#excluded(path, this.#p.selection.byStat(path, stat)))) return undefined;
    switch (stat.kind) {
      case 'file':
        return this.#file(item, stat);
      case 'dir':
        return this.#folder(item, stat);
      case 'socket':
        return undefined;
      default:
        return this.#other(path, name, stat);
    }
  }

  #excluded(path: ByteString, rule: string | undefined): boolean {
    if (rule === undefined) return false;
    this.#p.events.onExcluded?.(path, rule);
    return true;
  }

  /** What lies there; undefined if it went away since its folder was listed, or can't be looked at. */
  #look(path: ByteString): FileStat | undefined {
    try {
      return lstat(path);
    } catch (e) {
      if (!isEngineError(e, 'not-found')) this.#unreadable(path, e);
      return undefined;
    }
  }

  #other(path: ByteString, name: ByteString, stat: FileStat): Node | undefined {
    try {
      return this.#node(path, name, stat);
    } catch (e) {
      return this.#unreadable(path, e);
    }
  }

  async #file(item: Item, stat: FileStat): Promise<Entry | undefined> {
    const { path, before } = item;
    if (before && isUnchanged(stat, before, this.#p.rules)) {
      if (this.#allPresent(before)) return this.#reuse(item, stat, before);
      const lost = `Parts of ${showPath(path)} are not in the repository any more; it is stored again.`;
      this.#unreadable(path, new EngineError('damaged', lost));
    }
    const { outcome } = await this.#p.saver.save(path, stat.size);
    return this.#guard(outcome.then((saved) => this.#saved(item, saved)));
  }

  #allPresent(before: Node): boolean {
    return (before.content ?? []).every((id) => this.#p.writer.has('data', id));
  }

  #reuse(item: Item, stat: FileStat, before: Node): Node | undefined {
    try {
      const node = { ...this.#node(item.path, item.name, stat), content: before.content ?? [] };
      this.#p.counters.bytesDone += stat.size;
      this.#countFile('unmodified', item, node, 0, 0);
      return node;
    } catch (e) {
      return this.#unreadable(item.path, e);
    }
  }

  #saved(item: Item, saved: SaveOutcome): Node | undefined {
    const { path, name, before } = item;
    if (saved.kind === 'failed') return this.#failedFile(path, saved.error);
    try {
      const node = this.#fileNode(path, name, saved);
      if (saved.changedMeanwhile) {
        this.#p.events.onWarning?.(path, `${showPath(path)} was written to while it was read.`);
      }
      this.#countFile(actionFor(before, node), item, node, saved.newBytes, saved.newStoredBytes);
      return node;
    } catch (e) {
      return this.#unreadable(path, e);
    }
  }

  #fileNode(path: ByteString, name: ByteString, saved: SavedContent): Node {
    return { ...this.#node(path, name, saved.stat), size: saved.size, content: saved.content };
  }

  #failedFile(path: ByteString, error: EngineError): undefined {
    // It was there when its folder was listed, and nothing is missing that still exists.
    if (error.code === 'not-found') {
      this.#p.events.onWarning?.(path, `${showPath(path)} went away before it could be read.`);
      return undefined;
    }
    return this.#unreadable(path, error);
  }

  async #folder(item: Item, stat: FileStat): Promise<Entry | undefined> {
    const { snapshotPath, name, path, before } = item;
    let names: readonly ByteString[];
    let node: Node;
    try {
      node = this.#node(path, name, stat);
      names = readDirectory(path);
    } catch (e) {
      return this.#unreadable(path, e);
    }
    const parent = await this.#loadParent(before?.type === 'dir' ? before.subtree : undefined, path);
    const entries: Entry[] = [];
    for (const child of names) {
      const childPath = joinPath(snapshotPath, child);
      const entry = await this.#item(childPath, child, joinPath(path, child), parent?.get(child), false);
      if (entry) entries.push(entry);
    }
    return this.#guard(this.#completeFolder(item, node, entries));
  }

  async #completeFolder(item: Item, node: Node, entries: readonly Entry[]): Promise<Node> {
    const nodes = await this.#settle(entries);
    const tree = await this.#storeTree(nodes);
    const complete = { ...node, subtree: tree.id };
    this.#countFolder(actionFor(item.before, complete), item, complete, tree.plainBytes, tree.storedBytes);
    return complete;
  }

  async #settle(entries: readonly Entry[]): Promise<Node[]> {
    const nodes: Node[] = [];
    for (const entry of entries) {
      const node = 'pending' in entry ? await entry.pending : entry;
      if (node) nodes.push(node);
    }
    return nodes;
  }

  async #storeTree(nodes: readonly Node[]): Promise<{ id: Id; plainBytes: number; storedBytes: number }> {
    this.#check();
    const content = serializeTree(nodes);
    const { id, known, storedBytes } = await this.#p.writer.save('tree', content);
    return { id, plainBytes: known ? 0 : content.length, storedBytes };
  }

  /**
   * A promise that nobody may be waiting for yet: its failure must not count as unhandled. It is not lost: whoever
   * completes the folder awaits it, and a fatal error is checked for at every step.
   */
  #guard(pending: Promise<Node | undefined>): Pending {
    pending.catch(() => {});
    return { pending };
  }

  #node(path: ByteString, name: ByteString, stat: FileStat, ignoreXattrPermission = false): Node {
    const { node, warnings } = nodeFromStat(path, name, stat, {
      withAtime: this.#p.withAtime,
      ignoreXattrPermission,
    });
    for (const warning of warnings) this.#unreadable(path, warning);
    return node;
  }

  async #loadParent(tree: Id | undefined, path: ByteString): Promise<ParentNodes> {
    if (tree === undefined) return undefined;
    try {
      const { nodes } = await this.#p.repository.loadTree(tree, this.#signal());
      return new Map(nodes.map((node) => [node.name, node]));
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      // The files are there and can be read again; the damage must be known all the same.
      this.#unreadable(path, e);
      return undefined;
    }
  }

  #signal(): { readonly signal?: AbortSignal } {
    return this.#p.signal ? { signal: this.#p.signal } : {};
  }

  #unreadable(path: ByteString, e: unknown): undefined {
    this.#check();
    this.#p.counters.errors++;
    this.#p.events.onError?.(path, asEngineError(e));
    return undefined;
  }

  #check(): void {
    this.#p.signal?.throwIfAborted();
    const fatal = this.#p.fatal();
    if (fatal !== undefined) throw fatal;
  }

  #countFile(action: ItemAction, item: Item, node: Node, dataBytes: number, dataStoredBytes: number): void {
    const c = this.#p.counters;
    c.filesDone++;
    if (action === 'new') c.filesNew++;
    else if (action === 'changed') c.filesChanged++;
    else c.filesUnmodified++;
    const { snapshotPath: path } = item;
    const ms = this.#since(item);
    this.#p.events.onItem?.({ path, kind: 'file', action, node, dataBytes, dataStoredBytes, ms });
  }

  #countFolder(action: ItemAction, item: Item, node: Node, dataBytes: number, dataStoredBytes: number): void {
    const c = this.#p.counters;
    if (action === 'new') c.dirsNew++;
    else if (action === 'changed') c.dirsChanged++;
    else c.dirsUnmodified++;
    const path = rawByteString(`${item.snapshotPath}/`);
    const ms = this.#since(item);
    this.#p.events.onItem?.({ path, kind: 'dir', action, node, dataBytes, dataStoredBytes, ms });
  }

  /** Clocks can be set back; a length of time is never below zero. */
  #since({ began }: Item): number {
    return Math.max(0, this.#p.clock.now() - began);
  }
}

function actionFor(before: Node | undefined, node: Node): ItemAction {
  if (!before) return 'new';
  return nodesEqual(before, node) ? 'unmodified' : 'changed';
}
