/** What this machine, user and operating system are, and where the program keeps its own files. */
import { homedir, hostname as osHostname, userInfo } from 'node:os';
import path from 'node:path';
import { libc } from './libc.ts';

/** What can be read and restored here. A file system may still lack a thing that the platform has. */
export interface Capabilities {
  readonly xattrs: boolean;
  /** Numeric owners and groups. */
  readonly owners: boolean;
  /** Names of owners and groups. */
  readonly ownerNames: boolean;
  readonly fifos: boolean;
  readonly devices: boolean;
  /** Times are set to the nanosecond. */
  readonly exactTimes: boolean;
  readonly holes: boolean;
}

export function capabilities(): Capabilities {
  const c = libc();
  return {
    xattrs: c?.listxattr !== undefined && c.getxattr !== undefined && c.setxattr !== undefined,
    owners: process.getuid !== undefined,
    ownerNames: c?.getpwuid !== undefined && c.getgrgid !== undefined,
    fifos: c?.mkfifo !== undefined,
    devices: c?.mknod !== undefined,
    exactTimes: c?.utimensat !== undefined,
    holes: c?.fallocate !== undefined,
  };
}

/** Who runs this process. `uid` and `gid` are undefined on Windows. */
export interface Identity {
  readonly hostname: string;
  readonly username: string;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export function identity(): Identity {
  return {
    hostname: osHostname(),
    username: currentUserName(),
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  };
}

/** '' for a user without an entry in the system's list, as in some containers. */
function currentUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

function surroundings(): Surroundings {
  return { env: process.env, platform: process.platform, home: homedir() };
}

/** Where plans, runs and settings live. HOLDFAST_DATA_DIR decides; else the custom of the platform. */
export function dataDirectory(s: Surroundings = surroundings()): string {
  return directory(s, s.env.HOLDFAST_DATA_DIR, {
    xdg: s.env.XDG_DATA_HOME,
    linux: '.local/share',
    mac: 'Library/Application Support',
    windows: '',
  });
}

/** Where copies of repository metadata live, which may vanish at any time. HOLDFAST_CACHE_DIR decides. */
export function cacheDirectory(s: Surroundings = surroundings()): string {
  return directory(s, s.env.HOLDFAST_CACHE_DIR, {
    xdg: s.env.XDG_CACHE_HOME,
    linux: '.cache',
    mac: 'Library/Caches',
    windows: 'Cache',
  });
}

interface Customs {
  readonly xdg: string | undefined;
  readonly linux: string;
  readonly mac: string;
  readonly windows: string;
}

function directory(s: Surroundings, override: string | undefined, customs: Customs): string {
  if (override !== undefined && override !== '') return path.resolve(override);
  if (s.platform === 'win32') {
    const local = s.env.LOCALAPPDATA ?? path.win32.join(s.home, 'AppData', 'Local');
    return path.win32.join(local, 'Holdfast', customs.windows);
  }
  if (s.platform === 'darwin') return path.posix.join(s.home, customs.mac, 'Holdfast');
  // The XDG rules say that a relative path is to be ignored.
  const { xdg } = customs;
  const base = xdg !== undefined && path.posix.isAbsolute(xdg) ? xdg : path.posix.join(s.home, customs.linux);
  return path.posix.join(base, 'holdfast');
}
