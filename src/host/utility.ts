/**
 * The host as a process of the desktop app. The shell starts it, gives it message ports on which it serves the contract, seals
 * secrets for it and shows its notes.
 *
 * parent port  Electron's pipe to the shell; `process.parentPort`
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { DesktopNote } from '../alerts/ports.ts';
import { asEngineError, messageOf } from '../api/errors.ts';
import { type FromHost, ToHost } from '../api/shell.ts';
import { dataDirectory } from '../fs/platform.ts';
import type { KeychainPort } from '../secrets/keychain.ts';
import { type LocalSocket, startLocalSocket } from '../server/local-socket.ts';
import { serveMessagePort } from '../transport/message-port.ts';
import type { MainPort } from '../transport/port-pipe.ts';
import { type Host, openHost } from './host.ts';
import { socketPath } from './hosting.ts';

/** As much of Electron's `ParentPort` as is used. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(name: 'message', listener: (event: ParentMessage) => void): unknown;
}

interface ParentMessage {
  readonly data: unknown;
  readonly ports: readonly MainPort[];
}

interface Opened {
  readonly host: Host;
  readonly socket: LocalSocket;
}

type Start = Extract<ToHost, { kind: 'start' }>;

/** The process of one host, from its start to its end. */
export class HostUtility {
  readonly #parent: ParentPort;
  readonly #exit: (code: number) => void;
  readonly #keychain: RemoteKeychain;
  #opened: Promise<Opened> | undefined;

  constructor(parent: ParentPort, exit: (code: number) => void) {
    this.#parent = parent;
    this.#exit = exit;
    this.#keychain = new RemoteKeychain((message) => this.#tell(message));
    parent.on('message', ({ data, ports }) => this.#heard(ToHost.parse(data), ports));
  }

  #tell(message: FromHost): void {
    this.#parent.postMessage(message);
  }

  #heard(message: ToHost, ports: readonly MainPort[]): void {
    switch (message.kind) {
      case 'start':
        if (this.#opened) return;
        this.#opened = this.#open(message);
        // It has been told; those who wait for it look for themselves.
        this.#opened.catch(() => undefined);
        return;
      case 'connect':
        return void this.#connect(ports);
      case 'sealed':
        return this.#keychain.answered(message.nr, message.text);
      case 'refused':
        return this.#keychain.refused(message.nr, message.message);
      case 'stop':
        return void this.#stop();
    }
  }

  async #open(start: Start): Promise<Opened> {
    try {
      const opened = await this.#openFolder(dataDirectory(), start);
      this.#tell({ kind: 'ready' });
      return opened;
    } catch (e) {
      // The shell answers with 'stop': a process that ends by itself now could take the message with it.
      this.#tell({ kind: 'failed', error: asEngineError(e).toWire() });
      throw e;
    }
  }

  async #openFolder(dataDir: string, { version, keychain }: Start): Promise<Opened> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const host = await openHost({
      dataDir,
      version,
      mode: 'serve',
      env: process.env,
      desktop: (note) => this.#tell({ kind: 'note', note: plainNote(note) }),
      log: (level, text) => this.#tell({ kind: 'log', level, text }),
      // Secrets stay where they are: a folder that `holdfast serve` began is read by it later, too.
      ...(keychain && !existsSync(path.join(dataDir, 'secrets.sealed')) ? { keychain: this.#keychain } : {}),
    });
    try {
      const { router } = host;
      const socket = await startLocalSocket({ router, path: socketPath(dataDir), onFault: this.#onFault });
      return { host, socket };
    } catch (e) {
      await host.close();
      throw e;
    }
  }

  readonly #onFault = (e: unknown, call: readonly string[]): void => {
    this.#tell({ kind: 'log', level: 'error', text: `${call.join('.')}: ${messageOf(e)}` });
  };

  async #connect(ports: readonly MainPort[]): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    for (const port of ports) {
      if (opened) serveMessagePort(opened.host.router, port, { onFault: this.#onFault });
      else port.close();
    }
  }

  async #stop(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    try {
      await opened?.socket.close();
      await opened?.host.close();
      this.#exit(0);
    } catch (e) {
      this.#tell({ kind: 'log', level: 'error', text: messageOf(e) });
      this.#exit(1);
    }
  }
}

function plainNote({ title, text, fix, alert }: DesktopNote) {
  const run = alert?.runId ?? null;
  return { title, text, fix: fix ?? (run === null ? null : { kind: 'open-run' as const, runId: run }) };
}

interface Asked {
  readonly resolve: (text: string) => void;
  readonly reject: (e: Error) => void;
}

/** The keychain, which only the shell's process can reach. */
class RemoteKeychain implements KeychainPort {
  readonly #tell: (message: FromHost) => void;
  readonly #asked = new Map<number, Asked>();
  #count = 0;

  constructor(tell: (message: FromHost) => void) {
    this.#tell = tell;
  }

  encrypt(text: string): Promise<string> {
    return this.#ask('seal', text);
  }

  decrypt(text: string): Promise<string> {
    return this.#ask('unseal', text);
  }

  answered(nr: number, text: string): void {
    this.#take(nr)?.resolve(text);
  }

  refused(nr: number, message: string): void {
    this.#take(nr)?.reject(new Error(message));
  }

  #take(nr: number): Asked | undefined {
    const asked = this.#asked.get(nr);
    this.#asked.delete(nr);
    return asked;
  }

  #ask(kind: 'seal' | 'unseal', text: string): Promise<string> {
    const nr = this.#count++;
    return new Promise((resolve, reject) => {
      this.#asked.set(nr, { resolve, reject });
      this.#tell({ kind, nr, text });
    });
  }
}
