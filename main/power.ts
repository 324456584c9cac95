/** What the system tells of power and network, for the scheduler. */
import type { Conditions } from '../src/api/model/status.ts';
import type { ElectronModules, Timers } from './electron.ts';

export interface PowerOptions {
  readonly electron: Pick<ElectronModules, 'powerMonitor' | 'net'>;
  readonly timers: Timers;
  /** Whether what goes over the network is paid for by volume; null where nobody knows. */
  readonly metered: () => Promise<boolean | null>;
  readonly onConditions: (conditions: Conditions) => void;
  /** The computer woke up. */
  readonly onWake: () => void;
  /** The system is about to shut down; what it is given holds it up as long as it may. */
  readonly onShutdown: (event: { preventDefault(): void }) => void;
}

/** The system says nothing when the network changes. */
const LOOK_MS = 60_000;

export class Power {
  readonly #o: PowerOptions;
  #told = '';
  #last: Conditions = { onBattery: null, metered: null, online: null };
  #cancel = () => {};

  constructor(o: PowerOptions) {
    this.#o = o;
  }

  start(): void {
    const { powerMonitor } = this.#o.electron;
    powerMonitor.on('on-battery', () => void this.look());
    powerMonitor.on('on-ac', () => void this.look());
    powerMonitor.on('resume', () => {
      void this.look().then(() => this.#o.onWake());
    });
    powerMonitor.on('shutdown', ((event?: { preventDefault(): void }) =>
      this.#o.onShutdown(event ?? { preventDefault() {} })) as () => void);
    this.#lookAgain();
  }

  stop(): void {
    this.#cancel();
  }

  /** For a host that was started anew and knows nothing. */
  again(): void {
    this.#told = '';
    this.#tell(this.#last);
  }

  /** Tells what has changed. */
  async look(): Promise<void> {
    const { powerMonitor, net } = this.#o.electron;
    const metered = await this.#o.metered().catch(() => null);
    this.#tell({ onBattery: powerMonitor.isOnBatteryPower(), online: net.isOnline(), metered });
  }

  #tell(conditions: Conditions): void {
    this.#last = conditions;
    const text = JSON.stringify(conditions);
    if (text === this.#told) return;
    this.#told = text;
    this.#o.onConditions(conditions);
  }

  #lookAgain(): void {
    void this.look();
    this.#cancel = this.#o.timers.after(LOOK_MS, () => this.#lookAgain());
  }
}
