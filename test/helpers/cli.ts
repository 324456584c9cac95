import * as fs from 'node:fs';
import { join } from 'node:path';
import type { RunOptions, RunResult } from './process.ts';
import { expectCode, run } from './process.ts';

/** One program that speaks restic's command line, at work on one repository, shut off from the person's own files. */
export interface CliPlace {
  /** Folder of the repository. */
  readonly repository: string;
  /** An own folder for home, caches and temporary files. */
  readonly home: string;
  readonly password?: string;
}

export interface CallOptions extends Partial<RunOptions> {
  /** Exit codes to take for success. Default: 0 alone. */
  readonly codes?: readonly number[];
}

export type Json = Readonly<Record<string, unknown>>;

export interface SnapshotInfo {
  readonly id: string;
  readonly tree: string;
  readonly paths: readonly string[];
  readonly tags?: readonly string[];
  readonly hostname: string;
  readonly time: string;
  readonly parent?: string;
}

export interface PackInfo {
  readonly id: string;
  readonly blobs: readonly PackedBlobInfo[];
}

export interface PackedBlobInfo {
  readonly id: string;
  readonly type: 'data' | 'tree';
  readonly offset: number;
  /** Bytes in the pack. */
  readonly length: number;
}

export const TEST_PASSWORD = 'correct horse battery staple';

/** The calls that restic and Holdfast share. A call with an exit code outside `codes` throws with all output. */
export abstract class ResticCli {
  readonly place: CliPlace;

  constructor(place: CliPlace) {
    this.place = place;
  }

  /** The program and its first arguments. */
  protected abstract readonly program: readonly [string, ...string[]];
  protected abstract ownEnvironment(): Readonly<Record<string, string>>;

  /** The same program on another repository or with another password. */
  abstract with(place: Partial<CliPlace>): ResticCli;

  get password(): string {
    return this.place.password ?? TEST_PASSWORD;
  }

  /** Runs any command, whatever its exit code. */
  async try(args: readonly string[], options: CallOptions = {}): Promise<RunResult> {
    const { codes: _, env, ...rest } = options;
    const [command, ...first] = this.program;
    fs.mkdirSync(join(this.place.home, 'tmp'), { recursive: true });
    return await run(command, [...first, ...args], { ...rest, env: { ...this.environment(), ...env } });
  }

  async call(args: readonly string[], options: CallOptions = {}): Promise<RunResult> {
    return expectCode(await this.try(args, options), ...(options.codes ?? [0]));
  }

  /** stdout as JSON lines. Lines that aren't JSON are an error. */
  async json(args: readonly string[], options: CallOptions = {}): Promise<readonly Json[]> {
    const [command = '', ...rest] = args;
    const { stdout } = await this.call([command, '--json', ...rest], options);
    return stdout
      .toString()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .flatMap((line) => JSON.parse(line));
  }

  async init(version: 1 | 2 = 2, args: readonly string[] = []): Promise<void> {
    await this.call(['init', '--repository-version', String(version), ...args]);
  }

  /** Backs up and returns the summary line. `paths` are relative to `cwd`. */
  async backup(
    paths: readonly string[],
    options: CallOptions & { readonly args?: readonly string[] } = {},
  ): Promise<Json> {
    const { args = [], ...rest } = options;
    const lines = await this.json(['backup', ...args, ...paths], rest);
    const summary = lines.find((line) => line.message_type === 'summary');
    if (summary === undefined) throw new Error('the backup gave no summary');
    return summary;
  }

  /** Restores a snapshot (`latest`, an id, or `id:folder` where the program knows it) into `target`. */
  async restore(
    snapshot: string,
    target: string,
    args: readonly string[] = [],
    options: CallOptions = {},
  ): Promise<RunResult> {
    return await this.call(['restore', snapshot, '--target', target, ...args], options);
  }

  /** `check`, reading all packs unless told not to. */
  async check(options: CallOptions & { readonly readData?: boolean } = {}): Promise<RunResult> {
    const { readData = true, ...rest } = options;
    return await this.call(['check', ...(readData ? ['--read-data'] : [])], rest);
  }

  async snapshots(): Promise<readonly SnapshotInfo[]> {
    return (await this.json(['snapshots'])) as unknown as readonly SnapshotInfo[];
  }

  async cat(type: string, id?: string): Promise<Json> {
    const { stdout } = await this.call(['cat', type, ...(id === undefined ? [] : [id])]);
    return JSON.parse(stdout.toString());
  }

  /** Ids of all files of a type: `packs`, `index`, `snapshots`, `keys`, `locks`. */
  async list(type: string): Promise<readonly string[]> {
    const { stdout } = await this.call(['list', type, '--no-lock']);
    return stdout
      .toString()
      .split('\n')
      .filter((line) => /^[0-9a-f]{64}$/.test(line));
  }

  /** What the indexes say about every pack, by id. */
  async packs(): Promise<readonly PackInfo[]> {
    const indexes: Json[] = [];
    for (const id of await this.list('index')) indexes.push(await this.cat('index', id));
    return indexes
      .flatMap((index) => index.packs as readonly PackInfo[])
      .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }

  /** Ids of the packs with blobs of this type and no other, the largest first: which that is must not be chance. */
  async packsOf(type: 'data' | 'tree'): Promise<readonly string[]> {
    const packs = await this.packs();
    const bytesOf = (pack: PackInfo) => pack.blobs.reduce((sum, blob) => sum + blob.length, 0);
    return packs
      .filter((pack) => pack.blobs.every((blob) => blob.type === type))
      .sort((a, b) => bytesOf(b) - bytesOf(a))
      .map((pack) => pack.id);
  }

  private environment(): Readonly<Record<string, string>> {
    const { home } = this.place;
    return {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: home,
      TMPDIR: join(home, 'tmp'),
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_DATA_HOME: join(home, 'data'),
      XDG_CONFIG_HOME: join(home, 'config'),
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      ...this.ownEnvironment(),
    };
  }
}

const templates = new Map<string, string>();

/**
 * Gives `cli` a fresh empty repository quickly. Making a key costs half a second of scrypt on purpose, so the
 * first call with a given `kind` (program and version, say) makes one in `shared`, and all calls copy it.
 */
export async function copyOfTemplate(
  cli: ResticCli,
  kind: string,
  shared: string,
  version: 1 | 2 = 2,
): Promise<void> {
  const key = `${shared}\n${kind}\n${version}\n${cli.password}`;
  let template = templates.get(key);
  if (template === undefined) {
    template = join(shared, `template-${templates.size}`);
    await cli.with({ repository: template }).init(version);
    templates.set(key, template);
  }
  copyRepository(template, cli.place.repository);
}

/** Copies a repository's folder. Needs an absent or empty target. */
export function copyRepository(from: string, to: string): void {
  fs.cpSync(from, to, { recursive: true, preserveTimestamps: true });
}
