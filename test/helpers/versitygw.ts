/** A real S3 server over a folder: versitygw, on a port of its own, with a key of its own. Only after `requireTool(…, 'versitygw')`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { findProgram } from './tools.ts';

export const S3_KEY = { accessKeyId: 'holdfast-test', secretAccessKey: 'a secret/with+signs' } as const;

export class VersityGw implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  /** Keeps everything in `folder`, and old versions for the buckets that want them. */
  static async start(folder: string): Promise<VersityGw> {
    for (const name of ['data', 'versions', 'users']) fs.mkdirSync(join(folder, name), { recursive: true });
    const server = new VersityGw(folder, await freePort());
    await server.start();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The folder of a bucket's objects. */
  bucketFolder(bucket: string): string {
    return join(this.#folder, 'data', bucket);
  }

  /** Again, after `kill`, with what it held. */
  async start(): Promise<void> {
    const address = `127.0.0.1:${this.port}`;
    const { accessKeyId: access, secretAccessKey: secret } = S3_KEY;
    const all = ['--quiet', '--port', address, '--access', access, '--secret', secret, '--health', '/health'];
    const users = ['--iam-dir', join(this.#folder, 'users')];
    const storage = ['posix', '--versioning-dir', join(this.#folder, 'versions'), join(this.#folder, 'data')];
    const child = spawn(findProgram('versitygw') ?? 'versitygw', [...all, ...users, ...storage], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    child.stderr?.on('data', (text: Buffer) => {
      this.#said += text;
    });
    // What answers at that port could be somebody else's, if ours has ended.
    for (let up = false; !up; ) {
      up = await this.#answers();
      if (child.exitCode !== null) throw new Error(`versitygw ended: ${this.#said}`);
    }
  }

  /** At once, in the midst of whatever it does. Errors: it has ended by itself. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`versitygw is not running: ${this.#said}`);
    }
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await this.kill();
  }

  async #answers(): Promise<boolean> {
    return fetch(`${this.endpoint}/health`, { signal: AbortSignal.timeout(5000) }).then(
      (answer) => answer.ok,
      () => false,
    );
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
