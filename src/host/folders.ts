/** Folders of this computer to choose from: what lies in one, and making one. */
import type { Dirent } from 'node:fs';
import { access, constants, mkdir, opendir, stat } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { FolderEntry, FolderListing } from '../api/model/computer.ts';
import { errnoName, showPath, translateFsError } from '../fs/errors.ts';
import { nodePath } from '../fs/path.ts';
import { fromText, joinPath, rawByteString, toText } from '../util/byte-string.ts';
import type { Patience } from './patience.ts';

/** As the contract has it. */
export const MOST_ENTRIES = 2000;
/** On Windows the folder above the drives, which no path of its own names. */
const ABOVE_DRIVES = '/';
const READ_MS = 20_000;
/** Links lead anywhere, also to network drives that hang. */
const LINK_MS = 2000;
/** Reading goes on by so many names at a time. */
const BATCH = 256;

export interface FolderPorts {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly patience: Patience;
  /** Of Windows: 'C:\', 'D:\' … */
  drives(signal?: AbortSignal): Promise<readonly string[]>;
}

/**
 * What lies in a folder, folders first, each in the order people put names in: 2 before 10, whatever their case. null: the home folder.
 * Errors: 'usage' for a path that is not whole, 'path-missing', 'permission', 'timeout', 'cancelled'.
 */
export async function listFolder(
  p: FolderPorts,
  wanted: string | null,
  signal?: AbortSignal,
): Promise<FolderListing> {
  const folder = wholePath(wanted ?? p.home, p.platform);
  if (p.platform === 'win32' && folder === ABOVE_DRIVES) return listDrives(await p.drives(signal));
  const asked = { ms: READ_MS, signal };
  return p.patience.ask(`folder ${folder}`, asked, (over) => readIn(p, folder, over));
}

async function readIn(p: FolderPorts, folder: string, signal: AbortSignal): Promise<FolderListing> {
  const found = new FirstEntries(MOST_ENTRIES);
  try {
    const names = await opendir(folder, { encoding: 'latin1', bufferSize: BATCH });
    for await (const name of names) {
      signal.throwIfAborted();
      found.add(await entryOf(p, folder, name, signal));
    }
  } catch (e) {
    signal.throwIfAborted();
    throw whyNot(e, folder);
  }
  return {
    path: folder,
    parent: parentOf(folder, p.platform),
    ...found.result(),
    writable: await mayWrite(folder),
  };
}

async function entryOf(
  p: FolderPorts,
  folder: string,
  found: Dirent,
  signal: AbortSignal,
): Promise<FolderEntry> {
  const raw = rawByteString(found.name);
  const name = toText(raw);
  const isFolder =
    found.isDirectory() || (found.isSymbolicLink() && (await leadsToFolder(p, folder, found.name, signal)));
  return {
    name,
    path: systemPath(p.platform).join(folder, name),
    kind: isFolder ? 'folder' : 'file',
    hidden: name.startsWith('.'),
  };
}

/** A link that leads nowhere, or does not say in time, is shown as a file: nothing can be opened there. */
async function leadsToFolder(
  { patience }: FolderPorts,
  folder: string,
  rawName: string,
  signal: AbortSignal,
): Promise<boolean> {
  const link = joinPath(fromText(folder), rawByteString(rawName));
  const key = `link ${link}`;
  if (patience.waitsFor(key)) return false;
  const asked = patience.ask(key, { ms: LINK_MS, signal, spare: true }, () => stat(nodePath(link)));
  return asked.then(
    (target) => target.isDirectory(),
    () => false,
  );
}

function listDrives(drives: readonly string[]): FolderListing {
  const entries = drives.map(
    (drive): FolderEntry => ({
      name: drive.replace(/\\$/, ''),
      path: drive,
      kind: 'folder',
      hidden: false,
    }),
  );
  return { path: ABOVE_DRIVES, parent: null, entries, cut: false, writable: false };
}

/**
 * Makes a folder in one that is there. Errors: 'usage' for a path that is not whole, 'conflict' where something of that name is,
 * 'path-missing' where the folder above is not there, 'permission', 'read-only', 'no-space' …
 */
export async function makeFolder(p: FolderPorts, wanted: string): Promise<void> {
  const folder = wholePath(wanted, p.platform);
  if (parentOf(folder, p.platform) === null) {
    throw new EngineError('conflict', `${shown(folder)} is there already.`);
  }
  try {
    await mkdir(folder);
  } catch (e) {
    if (errnoName(e) === 'EEXIST') {
      throw new EngineError('conflict', `There is already something called ${shown(folder)}.`, {
        hint: 'Choose another name.',
        context: { path: folder },
      });
    }
    throw missing(e)
      ? noParent(folder, p.platform)
      : translateFsError(e, fromText(folder), 'make the folder');
  }
}

/** The path without turns and a slash at its end. Error: 'usage' for one that does not begin at a root. */
export function wholePath(given: string, platform: NodeJS.Platform): string {
  const system = systemPath(platform);
  if (given.includes('\0')) throw new EngineError('usage', 'A path can’t contain the character NUL.');
  if (platform === 'win32' && (given === '/' || given === '\\')) return ABOVE_DRIVES;
  // "C:" alone would be the folder that was last open there.
  const path = platform === 'win32' && /^[a-z]:$/i.test(given) ? `${given}\\` : given;
  const rooted = platform === 'win32' ? /^([a-z]:[\\/]|[\\/]{2}[^\\/])/i.test(path) : path.startsWith('/');
  if (!rooted) {
    const example = platform === 'win32' ? 'C:\\Users' : '/home';
    throw new EngineError('usage', `${shown(given)} is not a whole path, such as ${example}.`, {
      hint: 'Give the path from its root on.',
    });
  }
  const normal = system.normalize(path);
  const root = system.parse(normal).root;
  return normal.length > root.length ? normal.replace(platform === 'win32' ? /[\\/]+$/ : /\/+$/, '') : root;
}

/** The folder above; null above a root. Above drives of Windows is the list of them. */
export function parentOf(folder: string, platform: NodeJS.Platform): string | null {
  if (folder === ABOVE_DRIVES) return null;
  const above = systemPath(platform).dirname(folder);
  if (above !== folder) return above;
  return platform === 'win32' ? ABOVE_DRIVES : null;
}

export function systemPath(platform: NodeJS.Platform): path.PlatformPath {
  return platform === 'win32' ? path.win32 : path.posix;
}

async function mayWrite(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function missing(e: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errnoName(e));
}

function whyNot(e: unknown, folder: string): EngineError {
  const details = { context: { path: folder } };
  if (errnoName(e) === 'ENOTDIR') {
    return new EngineError('path-missing', `${shown(folder)} is not a folder.`, details);
  }
  if (missing(e) && folder.includes('\ufffd')) {
    return new EngineError('path-missing', `The name of ${shown(folder)} can’t be written as text.`, {
      ...details,
      hint: 'Choose the folder above it: all that lies in there is backed up with it.',
    });
  }
  if (missing(e)) {
    return new EngineError('path-missing', `There is no folder ${shown(folder)} on this computer.`, details);
  }
  return translateFsError(e, fromText(folder), 'open the folder');
}

function noParent(folder: string, platform: NodeJS.Platform): EngineError {
  const above = parentOf(folder, platform) ?? folder;
  return new EngineError('path-missing', `There is no folder ${shown(above)} to make a new one in.`, {
    context: { path: above },
  });
}

function shown(text: string): string {
  return showPath(fromText(text));
}

/** So many are sorted at a time: a few milliseconds. */
const UNSORTED = 400;

/**
 * The first of many entries, in the memory of hardly more. Most names of a large folder cost one comparison: they come after
 * the last of those that are kept.
 */
export class FirstEntries {
  readonly #most: number;
  /** In order but for the last `#unsorted`. */
  #kept: FolderEntry[] = [];
  #unsorted = 0;
  #last: FolderEntry | undefined;
  #cut = false;

  constructor(most: number) {
    this.#most = most;
  }

  add(entry: FolderEntry): void {
    if (this.#last && byKindAndName(entry, this.#last) > 0) return;
    this.#kept.push(entry);
    if (++this.#unsorted >= UNSORTED) this.#sort();
  }

  result(): Pick<FolderListing, 'entries' | 'cut'> {
    this.#sort();
    return { entries: this.#kept, cut: this.#cut };
  }

  #sort(): void {
    // What is in order already costs next to nothing.
    this.#kept.sort(byKindAndName);
    this.#unsorted = 0;
    if (this.#kept.length <= this.#most) return;
    this.#kept = this.#kept.slice(0, this.#most);
    this.#last = this.#kept.at(-1);
    this.#cut = true;
  }
}

const people = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

function byKindAndName(a: FolderEntry, b: FolderEntry): number {
  if (a.kind !== b.kind) return a.kind === 'folder' ? -1 : 1;
  return people.compare(a.name, b.name) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
