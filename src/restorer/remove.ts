/** Taking things away that stand where something else belongs. */
import { chmodSync, mkdirSync, realpathSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { Uint64 } from '../format/types.ts';
import { readDirectory } from '../fs/directory.ts';
import { errnoName, showPath, translateFsError } from '../fs/errors.ts';
import { nodePath } from '../fs/path.ts';
import { type FileStat, lstat, lstatIfExists } from '../fs/stat.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';

/** Removes a file, a link or an empty folder; with `recursive`, a folder with all that is in it. */
export function removeExisting(path: ByteString, stat: FileStat, recursive: boolean): void {
  if (stat.kind === 'dir' && recursive) return removeTree(path, stat.dev, () => {});
  removeOne(path, stat);
}

/**
 * Removes what is at `path` and below, deepest first, and tells each path before it goes; never through a link and
 * never into another file system that is mounted there ('conflict'). With `dryRun` it only tells.
 */
export function removeTree(
  path: ByteString,
  device: Uint64,
  onEntry: (path: ByteString) => void,
  dryRun = false,
): void {
  const stat = lstat(path);
  if (stat.dev !== device) {
    throw new EngineError('conflict', `${showPath(path)} was not removed: another disk is mounted there.`);
  }
  if (stat.kind === 'dir') {
    for (const name of readDirectory(path)) removeTree(joinPath(path, name), device, onEntry, dryRun);
  }
  if (!dryRun) removeOne(path, stat);
  onEntry(path);
}

function removeOne(path: ByteString, stat: FileStat): void {
  try {
    if (stat.kind === 'dir') rmdirSync(nodePath(path));
    else unlinkSync(nodePath(path));
  } catch (e) {
    throw translateFsError(e, path, 'remove');
  }
}

/**
 * A real folder at `path`, whose parent is one. Returns whether it was made just now, and so is empty. What stands in
 * its way, a link to a folder too, is removed if `mayReplace` says so. Errors: 'conflict', the system's.
 */
export function ensureFolder(path: ByteString, mayReplace: (found: FileStat) => boolean): boolean {
  const found = lstatIfExists(path);
  if (found?.kind === 'dir') {
    makeUsable(path, found);
    return false;
  }
  if (found) {
    if (!mayReplace(found)) throw inTheWay(path);
    removeOne(path, found);
  }
  makeFolder(path);
  return true;
}

export function makeFolder(path: ByteString): void {
  try {
    mkdirSync(nodePath(path), { mode: 0o700 });
  } catch (e) {
    throw translateFsError(e, path, 'make the folder');
  }
}

/** An owner without write permission (from an earlier restore of the same tree) lets himself in. */
function makeUsable(path: ByteString, found: FileStat): void {
  if ((found.mode & 0o300) === 0o300 || process.geteuid?.() !== found.uid || found.uid === 0) return;
  try {
    chmodSync(nodePath(path), (found.mode & 0o777) | 0o700);
  } catch (e) {
    throw translateFsError(e, path, 'make writable');
  }
}

export function inTheWay(path: ByteString): EngineError {
  return new EngineError(
    'conflict',
    `${showPath(path)} was left as it is: something else is there, and the overwrite rule protects it.`,
    { hint: 'Restore into an empty folder, or with "--overwrite always".' },
  );
}

/** The folder and all above it that are missing. */
export function makeFolders(path: ByteString): void {
  try {
    makeWithThoseAbove(path);
  } catch (e) {
    throw translateFsError(e, path, 'make the folder');
  }
}

/** Node's own way of it hides why a disk refuses, and never comes back where folders can't be made at all (/proc). */
function makeWithThoseAbove(path: ByteString): void {
  try {
    mkdirSync(nodePath(path), { mode: 0o700 });
  } catch (e) {
    const above = rawByteString(dirname(path));
    if (errnoName(e) === 'EEXIST') return;
    if (errnoName(e) !== 'ENOENT' || above === path) throw e;
    makeWithThoseAbove(above);
    mkdirSync(nodePath(path), { mode: 0o700 });
  }
}

/** The same folder without links in its path. */
export function realPath(path: ByteString): ByteString {
  try {
    return rawByteString(realpathSync(nodePath(path), { encoding: 'latin1' }));
  } catch (e) {
    throw translateFsError(e, path, 'find the folder');
  }
}
