/**
 * The process of the host, kept alive: when it ends by itself it is started again, after a while that doubles with each
 * failure in a row.
 */
import { EngineError } from '../src/api/errors.ts';
import { FromHost, type HostState, type ToHost } from '../src/api/shell.ts';
import type { ElectronModules, Log, Timers } from './electron.ts';

type Child = ReturnType<ElectronModules['utilityProcess']['fork']>;
type Port = InstanceType<ElectronModules['MessageChannelMain']>['port1'];

export interface HostProcessOptions {
  readonly fork: () => Child;
  readonly timers: Timers;
  readonly version: string;
  readonly log: Log;
  /** Whether the system's keychain seals. Asked at each start. */
  readonly keychain: () => boolean;
  /** What the host says beyond how it stands; `answer` goes to the very process that asked. */
  readonly onMessage: (message: FromHost, answer: (message: ToHost) => void) => void;
  readonly onState: (state: HostState) => void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** Whoever has lived so long did not fail at its start. */
const SETTLED_MS = 60_000;
/** A storage that does not answer any more must not keep a person from quitting. */
const STOP_MS = 30_000;

export class HostProcess {
  readonly #o: HostProcessOptions;
  #child: Child | undefined;
  #state: HostState = { state: 'stopped' };
  #failures = 0;
  #startedAt = 0;
  #cancelRestart = () => {};
  #stopping: Promise<void> | undefined;

  constructor(o: HostProcessOptions) {
    this.#o = o;
  }

  get state(): HostState {
    return this.#state;
  }

  /** Starts it, unless it is there. */
  start(): void {
    this.#cancelRestart();
    if (this.#child || this.#stopping) return;
    const child = this.#o.fork();
    this.#child = child;
    this.#startedAt = this.#o.timers.now();
    if (this.#state.state === 'stopped') this.#become({ state: 'starting' });
    child.on('message', (raw: unknown) => this.#heard(child, raw));
    child.on('exit', (code: number) => this.#ended(child, code));
    post(child, { kind: 'start', version: this.#o.version, keychain: this.#o.keychain() });
  }

  /** Serves the contract on the other end of `port`. False where no host runs; the port is left alone then. */
  connect(port: Port): boolean {
    if (!this.#child || this.#state.state !== 'running') return false;
    post(this.#child, { kind: 'connect' }, [port]);
    return true;
  }

  /** Lets what is under way end safely. Resolves when the process is gone. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #stop(): Promise<void> {
    this.#cancelRestart();
    const child = this.#child;
    if (!child) return Promise.resolve(this.#become({ state: 'stopped' }));
    return new Promise((resolve) => {
      const tooLong = this.#o.timers.after(STOP_MS, () => {
        this.#o.log('warning', 'The host took too long to stop and was ended.');
        child.kill();
      });
      child.once('exit', () => {
        tooLong();
        this.#become({ state: 'stopped' });
        resolve();
      });
      post(child, { kind: 'stop' });
    });
  }

  #become(state: HostState): void {
    this.#state = state;
    this.#o.onState(state);
  }

  #heard(child: Child, raw: unknown): void {
    if (child !== this.#child) return;
    const { data: message } = FromHost.safeParse(raw);
    if (!message) return this.#o.log('error', 'The host said something that is not known here.');
    if (message.kind === 'ready') return this.#become({ state: 'running' });
    if (message.kind === 'failed') {
      this.#become({ state: 'failed', error: message.error });
      return post(child, { kind: 'stop' });
    }
    this.#o.onMessage(message, (answer) => {
      if (child === this.#child) post(child, answer);
    });
  }

  #ended(child: Child, code: number): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    if (this.#stopping) return;
    this.#o.log('error', `The host ended by itself (code ${code}).`);
    const { timers } = this.#o;
    this.#failures = timers.now() - this.#startedAt < SETTLED_MS ? this.#failures + 1 : 1;
    if (this.#state.state !== 'failed') this.#become(this.#afterEnd(code));
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
    this.#cancelRestart = timers.after(wait, () => this.start());
  }

  /** One that ended a few times in a row is not just starting anew; a person should know. */
  #afterEnd(code: number): HostState {
    if (this.#failures < 5) return { state: 'restarting' };
    const error = new EngineError('internal', `Holdfast's host ends again and again (code ${code}).`, {
      hint: 'Restart the computer. If that does not help, send the logs to the makers of Holdfast.',
    });
    return { state: 'failed', error: error.toWire() };
  }
}

function post(child: Child, message: ToHost, ports: Port[] = []): void {
  child.postMessage(message, ports);
}
