/**
 * The virtual top of a snapshot.
 *
 * target          a path that was asked for; the tree below it is what the disk holds
 * leading folder  a folder on the way to targets: only its attributes are stored, and of its entries only the targets
 * root            where a target's first name lies: '/', '.', '..', '../..' … Two targets with the same first name but
 *                 different roots are kept apart by a suffix: `foo`, `foo-1`
 *
 * `/home/a` becomes home/a; `src/x` becomes src/x; `../up/x` becomes up/x; `.` becomes the entries of the folder.
 * Source of the layout: restic's `internal/archiver/tree.go` and `resolveRelativeTargets`.
 */
import { EngineError } from '../api/errors.ts';
import { showPath } from '../fs/errors.ts';
import { type ByteString, compareBytes, joinPath, rawByteString } from '../util/byte-string.ts';
import { cleanPath } from '../util/pattern.ts';
import type { RootNode } from './archiver.ts';
import { absolutePath, readFollowing } from './targets.ts';

export interface RootOptions {
  /** The names in a folder, links followed; the disk's unless a test brings its own. */
  readonly readNames?: (folder: ByteString) => readonly ByteString[];
}

/** A node that is still being built. Its paths are as the targets were written. */
interface Draft {
  path: ByteString | undefined;
  infoPath: ByteString | undefined;
  /** For the first name of a target: where it lies, and the name itself without a suffix. */
  readonly origin: Origin | undefined;
  explicit: boolean;
  readonly children: Map<ByteString, Draft>;
}

interface Origin {
  readonly root: ByteString;
  readonly name: ByteString;
}

interface Target {
  readonly path: ByteString;
  /** Named by the person, not found by listing a folder. */
  readonly explicit: boolean;
}

type ReadNames = (path: ByteString) => readonly ByteString[];

/**
 * The nested structure for targets; all paths in it are absolute. `cwd` is what relative targets start from.
 * Errors: 'usage' if one target leads below another in a way that can't be laid out; those of reading a folder.
 */
export function buildRoots(targets: readonly ByteString[], cwd: ByteString, o: RootOptions = {}): RootNode {
  const readAbsolute = o.readNames ?? readFollowing;
  const readNames: ReadNames = (path) => [...readAbsolute(absolutePath(path, cwd))].sort(compareBytes);
  const top = newDraft();
  const seen = new Set<ByteString>();
  for (const target of resolveTargets(targets, readNames)) {
    if (seen.has(target.path)) continue;
    seen.add(target.path);
    addTarget(top, target);
  }
  unroll(top, readNames);
  return finish(top, cwd);
}

function newDraft(origin?: Origin): Draft {
  return { path: undefined, infoPath: undefined, origin, explicit: false, children: new Map() };
}

const UP = rawByteString('..');

/** Cleans the targets; one without a name of its own, such as `.` or `/`, becomes the entries of that folder. */
function resolveTargets(targets: readonly ByteString[], readNames: ReadNames): Target[] {
  return targets.flatMap((target): Target[] => {
    const path = cleanPath(target);
    if (namesOf(path).length > 0) return [{ path, explicit: true }];
    return readNames(path).map((name) => ({ path: join(path, name), explicit: false }));
  });
}

/** The names that lead to a clean path, without the `..` before them. */
function namesOf(path: ByteString): ByteString[] {
  const names = path.split('/').map(rawByteString);
  return names.filter((name) => name !== '' && name !== '.' && name !== UP);
}

/** `/` for an absolute path, else as many `..` as the path begins with. */
function rootOf(path: ByteString): ByteString {
  if (path.startsWith('/')) return rawByteString('/');
  const ups = path.split('/').filter((name) => name === UP);
  return rawByteString(ups.length === 0 ? '.' : ups.join('/'));
}

function join(folder: ByteString, name: ByteString): ByteString {
  return cleanPath(joinPath(folder, name));
}

function addTarget(top: Draft, target: Target): void {
  const [first, ...rest] = namesOf(target.path);
  if (first === undefined) throw new EngineError('internal', 'a target without a name was not resolved');
  const root = rootOf(target.path);
  const node = topNode(top, first, root);
  if (rest.length === 0) {
    setPath(node, target);
    return;
  }
  const folder = join(root, first);
  addBelow(node, target, folder, rest);
  node.infoPath = folder;
}

/**
 * The node for a first name: the one of the same origin, or a new one under the first free name. restic looks at the
 * root alone; `foo ../foo ../foo-1` would then lose `../foo`.
 */
function topNode(top: Draft, first: ByteString, root: ByteString): Draft {
  let name = first;
  for (let suffix = 1; ; suffix++) {
    const known = top.children.get(name);
    if (known?.origin?.root === root && known.origin.name === first) return known;
    if (known === undefined) {
      const made = newDraft({ root, name: first });
      top.children.set(name, made);
      return made;
    }
    name = rawByteString(`${first}-${suffix}`);
  }
}

function setPath(node: Draft, target: Target): void {
  node.path = target.path;
  node.explicit = target.explicit;
}

function addBelow(node: Draft, target: Target, folder: ByteString, names: readonly ByteString[]): void {
  let at = node;
  let leading = folder;
  for (const [i, name] of names.entries()) {
    const child = at.children.get(name) ?? newDraft();
    at.children.set(name, child);
    at = child;
    if (i === names.length - 1) break;
    leading = join(leading, name);
    at.infoPath = leading;
  }
  if (at.path !== undefined) throw collision(target.path);
  setPath(at, target);
}

function collision(path: ByteString): EngineError {
  return new EngineError('usage', `${showPath(path)} can't be laid out beside the other targets.`, {
    hint: 'Back up the folder that holds them all, or make two backups.',
  });
}

/** A target with other targets below it becomes a leading folder with all its entries as targets. */
function unroll(node: Draft, readNames: ReadNames): void {
  if (node.path !== undefined && node.children.size > 0) {
    for (const name of readNames(node.path)) addEntry(node, name, join(node.path, name));
    node.path = undefined;
    node.explicit = false;
  }
  for (const child of node.children.values()) unroll(child, readNames);
}

function addEntry(node: Draft, name: ByteString, path: ByteString): void {
  const known = node.children.get(name);
  if (known === undefined) {
    node.children.set(name, { ...newDraft(), path });
  } else if (known.path === undefined) {
    known.path = path;
  } else if (known.path !== path) {
    throw collision(path);
  }
}

function finish(draft: Draft, cwd: ByteString): RootNode {
  const children = [...draft.children].map(([name, child]) => [name, finish(child, cwd)] as const);
  return {
    ...(draft.path === undefined ? {} : { path: absolutePath(draft.path, cwd) }),
    ...(draft.explicit ? { explicit: true } : {}),
    ...(draft.infoPath === undefined ? {} : { infoPath: absolutePath(draft.infoPath, cwd) }),
    children: new Map(children),
  };
}
