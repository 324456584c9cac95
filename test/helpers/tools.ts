import * as fs from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Which programs and rights of this machine a test may count on. */
const TOOLS = [
  'restic',
  'borg',
  'setfattr',
  'setfacl',
  'mkfs.ext4',
  'mkfs.btrfs',
  'mkfs.xfs',
  'mount',
  'losetup',
  'sshd',
  'rclone',
  'rest-server',
  'versitygw',
  'mkfs.exfat',
  'mount.exfat-fuse',
  'ip',
  'tc',
] as const;

/** `restic-new`: a newer restic, named by HOLDFAST_TEST_RESTIC_NEW. `loop`: root with loop devices. */
export type Tool = (typeof TOOLS)[number] | 'restic-new' | 'root' | 'loop';

const OPTIONAL: readonly Tool[] = ['restic-new', 'rest-server'];

/** What `requireTool` needs of vitest's test context. */
export interface Skippable {
  readonly skip: (note?: string) => never;
}

/** Where `scripts/ci-tools` puts what it builds. */
function builtTools(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return process.env.HOLDFAST_TOOLS ?? join(cache, 'holdfast-tools');
}

/** Where a program is, or undefined. Folders of administrators count even if PATH lacks them. */
export function findProgram(name: string): string | undefined {
  const path = (process.env.PATH ?? '').split(delimiter);
  const folders = [...path, '/usr/local/sbin', '/usr/sbin', '/sbin', builtTools()];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.X_OK);
    return fs.statSync(path).isFile();
  } catch {
    return false;
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The path of the newer restic, if one is named. */
export function newerRestic(): string | undefined {
  const path = process.env.HOLDFAST_TEST_RESTIC_NEW;
  return path !== undefined && isExecutable(path) ? path : undefined;
}

export function hasTool(tool: Tool): boolean {
  switch (tool) {
    case 'root':
      return isRoot();
    case 'loop':
      return isRoot() && fs.existsSync('/dev/loop-control') && findProgram('mount') !== undefined;
    case 'restic-new':
      return newerRestic() !== undefined;
    default:
      return findProgram(tool) !== undefined;
  }
}

/**
 * Skips the test, and says so on stderr, if a tool is missing. On the CI machine (HOLDFAST_CI=1) a missing tool
 * is a failure, for there a skipped proof would pass for a proof; only `restic-new` and `rest-server` stay optional.
 */
export function requireTool(context: Skippable, ...tools: readonly Tool[]): void {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length === 0) return;
  const note = `this machine lacks ${missing.join(', ')}`;
  if (process.env.HOLDFAST_CI === '1' && missing.some((tool) => !OPTIONAL.includes(tool)))
    throw new Error(note);
  process.stderr.write(`SKIPPED: ${note}\n`);
  context.skip(note);
}
