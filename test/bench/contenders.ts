import * as fs from 'node:fs';
import { join } from 'node:path';
import type { ResticCli } from '../helpers/cli.ts';
import { TEST_PASSWORD } from '../helpers/cli.ts';
import { ENTRY, Holdfast } from '../helpers/holdfast.ts';
import type { RunResult } from '../helpers/process.ts';
import { expectCode, run } from '../helpers/process.ts';
import { Restic } from '../helpers/restic.ts';
import { findProgram, newerRestic } from '../helpers/tools.ts';

/** The programs of the race, each with the same four calls. `home` is fresh for each round: no warm caches. */
export const CONTENDERS = ['holdfast', 'restic', 'restic-new', 'borg'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

export interface Contender {
  version(): Promise<string>;
  init(): Promise<unknown>;
  backup(source: string): Promise<RunResult>;
  /** Restores the one snapshot's files right into `target`, which exists and is empty. */
  restore(target: string): Promise<RunResult>;
  readonly repository: string;
}

export function isAvailable(name: ContenderName): boolean {
  switch (name) {
    case 'holdfast':
      return fs.existsSync(ENTRY);
    case 'restic-new':
      return newerRestic() !== undefined;
    default:
      return findProgram(name) !== undefined;
  }
}

export function contender(name: ContenderName, home: string): Contender {
  const place = { home, repository: join(home, 'repository') };
  switch (name) {
    case 'holdfast':
      return likeRestic(new Holdfast(place));
    case 'restic':
      return likeRestic(new Restic(place));
    case 'restic-new':
      return likeRestic(Restic.newer(place));
    case 'borg':
      return borg(home);
  }
}

const MEASURED = { measureMemory: true } as const;

function likeRestic(cli: ResticCli): Contender {
  return {
    repository: cli.place.repository,
    version: async () => firstLine(await cli.call(['version'])),
    init: () => cli.init(2),
    backup: (source) => cli.call(['backup', '--quiet', '.'], { cwd: source, ...MEASURED }),
    restore: (target) => cli.restore('latest', target, ['--quiet'], MEASURED),
  };
}

/** Borg with the kind of compression that restic and Holdfast use (zstd at its default level), not its own faster lz4. */
function borg(home: string): Contender {
  const repository = join(home, 'repository');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    BORG_BASE_DIR: home,
    BORG_PASSPHRASE: TEST_PASSWORD,
    LANG: 'C.UTF-8',
  };
  const call = async (args: readonly string[], cwd: string) =>
    expectCode(await run('borg', args, { env, cwd, ...MEASURED }), 0);
  let archives = 0;
  return {
    repository,
    version: async () => firstLine(await call(['--version'], home)),
    init: () => call(['init', '--encryption', 'repokey', repository], home),
    backup: (source) =>
      call(['create', '--compression', 'zstd,3', `${repository}::a${++archives}`, '.'], source),
    restore: (target) => call(['extract', `${repository}::a${archives}`], target),
  };
}

function firstLine(result: RunResult): string {
  return result.stdout.toString().split('\n')[0] ?? '';
}
