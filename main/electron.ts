/** Electron as the parts of the shell see it: each takes only the modules that it uses, and tests bring others. */
export type ElectronModules = typeof import('electron');

/** Time for the parts that wait. */
export interface Timers {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `work` once, after `ms`. Returns what prevents it. */
  after(ms: number, work: () => void): () => void;
}

/** What a part does with sentences for the log; without secrets. */
export type Log = (level: 'info' | 'warning' | 'error', text: string) => void;
