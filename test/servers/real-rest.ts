/** The REST servers that people run: rclone, and restic's own. Each on a free port of this machine, until it is disposed of. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from '../helpers/tools.ts';

export interface RealRestOptions {
  /** The folder with the repositories. */
  readonly folder: string;
  readonly appendOnly?: boolean;
  readonly login?: { readonly username: string; readonly password: string };
  /** Files in PEM. `clients`: whose certificates are let in (rclone alone). */
  readonly tls?: { readonly key: string; readonly certificate: string; readonly clients?: string };
}

export class RealRest implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async rclone(o: RealRestOptions): Promise<RealRest> {
    const { folder, appendOnly, login, tls } = o;
    return RealRest.#start('rclone', [
      ...['serve', 'restic', '--addr', '127.0.0.1:0', '--config', '/dev/null'],
      ...(appendOnly ? ['--append-only'] : []),
      ...(login ? ['--user', login.username, '--pass', login.password] : []),
      ...(tls ? ['--key', tls.key, '--cert', tls.certificate] : []),
      ...(tls?.clients === undefined ? [] : ['--client-ca', tls.clients]),
      folder,
    ]);
  }

  static async restServer({ folder, appendOnly }: Pick<RealRestOptions, 'folder' | 'appendOnly'>) {
    const flags = ['--listen', '127.0.0.1:0', '--no-auth', ...(appendOnly ? ['--append-only'] : [])];
    return RealRest.#start('rest-server', [...flags, '--path', folder]);
  }

  /** Both tell their address in a line when they are ready. */
  static async #start(program: string, args: readonly string[]): Promise<RealRest> {
    const child = spawn(findProgram(program) ?? program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const port = await new Promise<number>((resolve, reject) => {
      let heard = '';
      const hear = (text: Buffer): void => {
        heard += text;
        const [, told] = /127\.0\.0\.1:(\d+)/.exec(heard) ?? [];
        if (told !== undefined) resolve(Number(told));
      };
      for (const stream of [child.stdout, child.stderr]) stream.on('data', hear);
      child.once('exit', () => reject(new Error(`${program} ended: ${heard}`))).once('error', reject);
    });
    return new RealRest(child, port);
  }

  /** What follows `rest:`. */
  target(path: string, { login = '', scheme = 'http', host = '127.0.0.1' } = {}): string {
    return `${scheme}://${login === '' ? '' : `${login}@`}${host}:${this.port}/${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
