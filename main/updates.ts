/** Updates of the program: fetched in the background, put in place when it quits. Only where it was installed to be updated. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../src/api/errors.ts';
import type { UpdateState } from '../src/api/shell.ts';
import type { Log, Timers } from './electron.ts';

/** As much of electron-updater's `autoUpdater` as is used. */
export interface Updater {
  autoDownload: boolean;
  autoInstallOnAppQuit: boolean;
  logger: unknown;
  on(
    event: 'update-available' | 'update-downloaded',
    listener: (info: { readonly version: string }) => void,
  ): unknown;
  on(event: 'update-not-available', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  checkForUpdates(): Promise<unknown>;
  quitAndInstall(): void;
}

export interface UpdatesOptions {
  readonly load: () => Promise<Updater>;
  readonly timers: Timers;
  readonly log: Log;
  readonly onState: (state: UpdateState) => void;
}

const DAY_MS = 86_400_000;

/** The packager leaves this file where updates are to be looked for. */
export function isUpdatable(packaged: boolean, resources: string): boolean {
  return packaged && existsSync(path.join(resources, 'app-update.yml'));
}

export class Updates {
  readonly #o: UpdatesOptions;
  #updater: Updater | undefined;
  #state: UpdateState = { state: 'none' };

  constructor(o: UpdatesOptions) {
    this.#o = o;
  }

  get state(): UpdateState {
    return this.#state;
  }

  /** Looks now and every day. */
  async start(): Promise<void> {
    const updater = await this.#o.load();
    this.#updater = updater;
    updater.autoDownload = true;
    updater.autoInstallOnAppQuit = true;
    updater.logger = null;
    updater.on('update-available', ({ version }) => this.#become({ state: 'loading', version }));
    updater.on('update-downloaded', ({ version }) => this.#become({ state: 'ready', version }));
    updater.on('update-not-available', () => this.#become({ state: 'current' }));
    updater.on('error', (e) => this.#failed(e));
    this.#look(updater);
  }

  /** Ends the program; the host must have stopped. */
  install(): void {
    if (this.#state.state === 'ready') this.#updater?.quitAndInstall();
  }

  #look(updater: Updater): void {
    updater.checkForUpdates().catch((e: unknown) => this.#failed(e));
    this.#o.timers.after(DAY_MS, () => this.#look(updater));
  }

  #failed(e: unknown): void {
    this.#o.log('warning', `Updates: ${messageOf(e)}`);
    // One that lies ready stays ready.
    if (this.#state.state !== 'ready') this.#become({ state: 'failed', message: messageOf(e) });
  }

  #become(state: UpdateState): void {
    this.#state = state;
    this.#o.onState(state);
  }
}
