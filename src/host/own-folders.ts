/** A person's own folders: documents, pictures … and where they are on this system. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OWN_FOLDERS, type Suggestions } from '../api/model/computer.ts';
import type { Patience } from './patience.ts';

type OwnFolder = Suggestions['sources'][number];
type Kind = OwnFolder['kind'];

export interface OwnFolderPorts {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly patience: Patience;
}

const ASK_MS = 2000;

/** As they are called where nothing else is said. */
const NAMES: Readonly<Record<Kind, string>> = {
  documents: 'Documents',
  pictures: 'Pictures',
  desktop: 'Desktop',
  music: 'Music',
  videos: 'Videos',
  downloads: 'Downloads',
};

/** As xdg-user-dirs calls them. */
const XDG: Readonly<Record<string, Kind>> = {
  DOCUMENTS: 'documents',
  PICTURES: 'pictures',
  DESKTOP: 'desktop',
  MUSIC: 'music',
  VIDEOS: 'videos',
  DOWNLOAD: 'downloads',
};

/**
 * The folders that a user-dirs.dirs names. Format: user-dirs.dirs(5): a shell's assignments of "$HOME/…" or "/…". The home folder
 * itself stands for none; then '' is given.
 */
export function parseUserDirs(text: string, home: string): ReadonlyMap<Kind, string> {
  const found = new Map<Kind, string>();
  for (const line of text.split('\n')) {
    const [, name, quoted] = /^\s*XDG_([A-Z]+)_DIR\s*=\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(line) ?? [];
    const kind = XDG[name ?? ''];
    if (kind === undefined || quoted === undefined) continue;
    const value = quoted.replace(/\\(.)/g, '$1');
    const [, below] = /^\$HOME(?:\/+(.*))?$/s.exec(value) ?? [undefined, undefined];
    if (value.startsWith('$HOME')) found.set(kind, below ? join(home, below) : '');
    else if (value.startsWith('/')) found.set(kind, value);
  }
  return found;
}

/** Those that are there, in the order of `OWN_FOLDERS`. */
export async function ownFolders(p: OwnFolderPorts, signal?: AbortSignal): Promise<OwnFolder[]> {
  const named = p.platform === 'linux' ? await userDirs(p) : new Map<Kind, string>();
  const there: OwnFolder[] = [];
  for (const kind of OWN_FOLDERS) {
    const said = named.get(kind);
    const usual = said === undefined ? usualPlaces(p, kind) : [said];
    for (const path of usual.filter((place) => place !== '')) {
      if (!(await isFolder(p, path, signal))) continue;
      there.push({ kind, path });
      break;
    }
  }
  signal?.throwIfAborted();
  return there;
}

async function userDirs({ env, home }: OwnFolderPorts): Promise<ReadonlyMap<Kind, string>> {
  const config = env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(home, '.config');
  const text = await readFile(join(config, 'user-dirs.dirs'), 'utf8').catch(() => '');
  return parseUserDirs(text, home);
}

/** OneDrive takes some of them over. */
function usualPlaces({ platform, home, env }: OwnFolderPorts, kind: Kind): readonly string[] {
  const name = platform === 'darwin' && kind === 'videos' ? 'Movies' : NAMES[kind];
  const cloud = platform === 'win32' && env.OneDrive ? [join(env.OneDrive, name)] : [];
  return [join(home, name), ...cloud];
}

async function isFolder({ patience }: OwnFolderPorts, path: string, signal?: AbortSignal): Promise<boolean> {
  const asked = { ms: ASK_MS, signal };
  return patience
    .ask(`stat ${path}`, asked, () => stat(path))
    .then(
      (found) => found.isDirectory(),
      () => false,
    );
}
