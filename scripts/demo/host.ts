/** A host whose clock can be set, so that weeks of real backups take a minute. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Client } from '../../src/transport/client.ts';
import { connectSocket } from '../../src/transport/web-socket.ts';

const project = path.join(import.meta.dirname, '../..');

/** Runs in the host's process before anything else: its clock stands as many milliseconds later as it was told last. */
const CLOCK = `
let ahead = Number(process.env.DEMO_AHEAD);
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...args) { if (args.length === 0) super(Real.now() + ahead); else super(...args); }
  static now() { return Real.now() + ahead; }
};
process.on('message', (ms) => { ahead = ms; process.send(ms); });
process.channel?.unref();`;

export interface DemoHost extends AsyncDisposable {
  readonly client: Client;
  /** The address that signs in. */
  readonly url: string;
  /** Milliseconds since the epoch, by the host's clock. */
  now(): number;
  setClock(at: number): Promise<void>;
}

/** `holdfast serve` with fresh data below `home`. */
export async function startHost(home: string, at: number): Promise<DemoHost> {
  let ahead = at - Date.now();
  const data = path.join(home, '.local/share/holdfast');
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(CLOCK)}`,
      path.join(project, 'dist/holdfast.mjs'),
      'serve',
      '--port',
      '0',
    ],
    {
      env: { PATH: process.env.PATH, HOME: home, HOLDFAST_DATA_DIR: data, DEMO_AHEAD: String(ahead) },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  const url = await addressOf(child);
  const connection = await connectSocket(path.join(data, 'host.sock'));
  return {
    client: connection.client,
    url,
    now: () => Date.now() + ahead,
    async setClock(to) {
      ahead = to - Date.now();
      const heard = new Promise((resolve) => child.once('message', resolve));
      child.send(ahead);
      await heard;
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
    },
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stdout) {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Holdfast is ready at (\S+)$/.exec(line)?.[1];
      if (url) return url;
    }
  }
  throw new Error('holdfast serve ended before it was ready');
}

/** Resolves when nothing runs and nothing waits to. */
export async function quiet({ client }: DemoHost): Promise<void> {
  for (;;) {
    const { running, queued } = await client.system.status();
    if (running.length + queued.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
