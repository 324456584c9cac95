/**
 * Shows how far work is, now and then: on a terminal ten times a second, elsewhere only when *_PROGRESS_FPS asks for
 * it, and once whenever SIGUSR1 arrives. With --json each look is a line of JSON.
 */
import type { Clock } from '../util/clock.ts';
import { type Environment, setting } from './environment.ts';
import type { JsonLines } from './json-lines.ts';
import { addSample, perSecond, type Rate, startRate, timeLeft } from './progress-model.ts';
import type { Terminal } from './terminal.ts';
import { formatBytes, formatDuration, formatPercent, formatRate, plural } from './units.ts';

const USUAL_MS = 100;
const MOST_FPS = 60;

/** Milliseconds between two looks; undefined for none but those that are asked for. */
export function progressInterval(o: {
  readonly quiet: boolean;
  readonly json: boolean;
  readonly canUpdateStatus: boolean;
  readonly env: Environment;
}): number | undefined {
  const fps = Number(setting(o.env, 'PROGRESS_FPS') ?? Number.NaN);
  if (fps > 0) return 1000 / Math.min(fps, MOST_FPS);
  if (o.quiet || (!o.json && !o.canUpdateStatus)) return undefined;
  return USUAL_MS;
}

export interface ProgressParts {
  readonly terminal: Terminal;
  readonly json: JsonLines | undefined;
  readonly clock: Clock;
  readonly intervalMs: number | undefined;
  /** Calls back until the returned function is called. */
  readonly every: (ms: number, look: () => void) => () => void;
  /** Calls back at each SIGUSR1 until the returned function is called. */
  readonly onRequest: (look: () => void) => () => void;
}

export interface ProgressView {
  /** Status lines; `elapsed` is in milliseconds. */
  lines(elapsed: number): readonly string[];
  /** restic's status object for --json; without it nothing is shown there. */
  json?(elapsed: number): unknown;
}

export interface Progress {
  /** Ends the show and takes the status lines away. */
  stop(): void;
}

export function startProgress(parts: ProgressParts, view: ProgressView): Progress {
  const { terminal, json, clock } = parts;
  const start = clock.now();
  let pending = false;
  const look = () => {
    const elapsed = clock.now() - start;
    if (json === undefined) return terminal.setStatus(view.lines(elapsed));
    const value = view.json?.(elapsed);
    // A reader that lags misses looks; it never makes us keep them.
    if (value === undefined || pending) return;
    pending = true;
    void json.write(value).finally(() => {
      pending = false;
    });
  };
  const stopTimer = parts.intervalMs === undefined ? () => {} : parts.every(parts.intervalMs, look);
  const stopRequests = parts.onRequest(look);
  return {
    stop() {
      stopTimer();
      stopRequests();
      terminal.setStatus([]);
    },
  };
}

/** `[0:07] 42.86%  3 / 7 packs`, the line for work that counts things. */
export function countLine(elapsed: number, done: number, total: number, what: string): string {
  const time = `[${formatDuration(elapsed)}]`;
  return total === 0
    ? `${time} ${done} ${what}`
    : `${time} ${formatPercent(done, total)}  ${done} / ${total} ${what}`;
}

export interface TransferCounts {
  readonly files: number;
  readonly bytes: number;
  /** Undefined while the total is not known. */
  readonly totalFiles?: number | undefined;
  readonly totalBytes?: number | undefined;
  readonly errors?: number;
}

/** The line for work that moves files, with its rate and time left. It remembers the rate between calls. */
export function createTransferLine(): (elapsed: number, counts: TransferCounts) => string {
  let rate: Rate = startRate(0);
  return (elapsed, counts) => {
    rate = addSample(rate, elapsed, counts.bytes);
    return transferLine(elapsed, counts, rate);
  };
}

/** `[0:07] 42.86%  3 of 7 files, 1.000 MiB of 2.333 MiB, 150.000 KiB/s, 0:09 left`. */
export function transferLine(elapsed: number, counts: TransferCounts, rate: Rate): string {
  const { files, bytes, totalFiles, totalBytes, errors = 0 } = counts;
  const known = totalFiles !== undefined && totalBytes !== undefined;
  const left = known ? timeLeft(rate, totalBytes) : undefined;
  const speed = perSecond(rate);
  const parts = [
    known ? `${files} of ${plural(totalFiles, 'file')}` : plural(files, 'file'),
    known ? `${formatBytes(bytes)} of ${formatBytes(totalBytes)}` : formatBytes(bytes),
    ...(speed > 0 ? [formatRate(speed)] : []),
    ...(left !== undefined && left > 0 ? [`${formatDuration(left)} left`] : []),
    ...(errors > 0 ? [plural(errors, 'problem')] : []),
  ];
  const percent = known && totalBytes > 0 ? `${formatPercent(bytes, totalBytes)}  ` : '';
  return `[${formatDuration(elapsed)}] ${percent}${parts.join(', ')}`;
}
