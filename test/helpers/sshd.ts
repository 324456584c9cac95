/**
 * OpenSSH's own server for a test: on a free port of 127.0.0.1, with keys, logins and configuration of its own. It runs as who
 * runs the test, and lets nobody else in. Needs `sshd` and, where the test is root, the folder /run/sshd.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findProgram, isRoot } from './tools.ts';

export type KeyType = 'ed25519' | 'rsa' | 'ecdsa';

export interface SshdOptions {
  /** Keys of the server; ed25519 unless told. */
  readonly hostKeys?: readonly KeyType[];
  /** Further lines of sshd_config. */
  readonly lines?: readonly string[];
  /** What serves files; 'internal-sftp' unless told. */
  readonly subsystem?: string;
}

/** A private key in a new file. */
export function makeKey(folder: string, name: string, type: KeyType = 'ed25519', passphrase = ''): string {
  const file = join(folder, name);
  const rounds = passphrase === '' ? [] : ['-a', '4'];
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, ...rounds, '-f', file], { stdio: 'pipe' });
  return file;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Sshd implements AsyncDisposable {
  readonly port: number;
  readonly user = userInfo().username;
  /** Its files. */
  readonly folder: string;
  /** A key that it lets in. */
  readonly key: string;
  readonly knownHosts: string;
  readonly #lines: readonly string[];
  readonly #subsystem: string;
  #hostKeys: readonly string[];
  #process: ChildProcess | undefined;
  /** What it logs. */
  log = '';

  private constructor(folder: string, port: number, o: SshdOptions) {
    this.folder = folder;
    this.port = port;
    this.#lines = o.lines ?? [];
    this.#subsystem = o.subsystem ?? 'internal-sftp';
    this.key = makeKey(folder, 'login_key');
    fs.copyFileSync(`${this.key}.pub`, join(folder, 'authorized_keys'));
    this.#hostKeys = (o.hostKeys ?? ['ed25519']).map((type) => makeKey(folder, `host_${type}`, type));
    this.knownHosts = join(folder, 'known_hosts');
    fs.writeFileSync(this.knownHosts, this.knownLines());
  }

  /** In `folder`, which only this server uses. */
  static async start(folder: string, o: SshdOptions = {}): Promise<Sshd> {
    if (isRoot()) fs.mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const sshd = new Sshd(folder, await freePort(), o);
    await sshd.start();
    return sshd;
  }

  get hostKeys(): readonly string[] {
    return this.#hostKeys;
  }

  /** As in known_hosts: one line for each of its keys, or those of the types. */
  knownLines(...types: readonly KeyType[]): string {
    const chosen = this.#hostKeys.filter((k) => types.length === 0 || types.some((t) => k.endsWith(`_${t}`)));
    return chosen.map((k) => `[127.0.0.1]:${this.port} ${publicPart(k)}\n`).join('');
  }

  authorize(publicKeyFile: string): void {
    fs.appendFileSync(join(this.folder, 'authorized_keys'), fs.readFileSync(publicKeyFile));
  }

  /** Takes other keys of its own; to be started anew after that. */
  changeHostKey(): void {
    this.#hostKeys = [makeKey(this.folder, `other_ed25519`)];
  }

  /** Options by which the programs of OpenSSH reach it. */
  sshArgs(): readonly string[] {
    const options = [`UserKnownHostsFile=${this.knownHosts}`, 'BatchMode=yes', 'IdentitiesOnly=yes'];
    return ['-F', '/dev/null', '-p', String(this.port), '-i', this.key, ...options.flatMap((x) => ['-o', x])];
  }

  async start(): Promise<void> {
    fs.writeFileSync(join(this.folder, 'sshd_config'), this.#configuration());
    const program = findProgram('sshd') ?? 'sshd';
    const child = spawn(program, ['-D', '-e', '-f', join(this.folder, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`sshd ended: ${this.log}`)));
      child.stderr.on('data', (text: Buffer) => {
        this.log += text.toString();
        if (/Server listening on 127/.test(this.log)) resolve();
      });
    });
  }

  /** `kill -9`, with all that serve its connections. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const serving = childrenOf(child.pid);
    child.kill('SIGKILL');
    for (const pid of serving) killQuietly(pid);
    await ended;
    this.log = '';
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #configuration(): string {
    return [
      `Port ${this.port}`,
      'ListenAddress 127.0.0.1',
      ...this.#hostKeys.map((k) => `HostKey ${k}`),
      `AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`,
      `PidFile ${join(this.folder, 'sshd.pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      `Subsystem sftp ${this.#subsystem}`,
      ...this.#lines,
      '',
    ].join('\n');
  }
}

function publicPart(key: string): string {
  return fs.readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ').trim();
}

/** All below a process, the deepest last. */
function childrenOf(pid: number): readonly number[] {
  const tasks = (() => {
    try {
      return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    } catch {
      return '';
    }
  })();
  return tasks
    .split(' ')
    .filter(Boolean)
    .flatMap((child) => [Number(child), ...childrenOf(Number(child))]);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
