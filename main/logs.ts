/** The log of the shell and of the host's sentences, kept on this computer, two files of a bounded size. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ElectronModules, Log } from './electron.ts';

const LARGEST = 1_000_000;

/** A log that cannot be written must not harm what it tells of. */
export function fileLog(folder: string, now: () => number): Log {
  const file = path.join(folder, 'holdfast.log');
  return (level, text) => {
    try {
      mkdirSync(folder, { recursive: true });
      turnOver(file);
      const line = text.replace(/\r?\n/g, '\n    ');
      appendFileSync(file, `${new Date(now()).toISOString()} ${level} ${line}\n`, { mode: 0o600 });
    } catch {
      // Nobody could be told.
    }
  };
}

function turnOver(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LARGEST) renameSync(file, `${file}.1`);
}

/** Crashes leave a file on this computer and nothing elsewhere. */
export function keepCrashes(
  { app, crashReporter }: Pick<ElectronModules, 'app' | 'crashReporter'>,
  log: Log,
): void {
  crashReporter.start({ uploadToServer: false });
  app.on('child-process-gone', (_event, { type, reason, exitCode, name }) => {
    if (reason !== 'clean-exit') log('error', `${name ?? type} ended: ${reason} (code ${exitCode})`);
  });
}

/** Faults of the shell itself are noted; it goes on, since the host does not depend on it. */
export function noteFaults(target: Pick<NodeJS.Process, 'on'>, log: Log): void {
  const note = (e: unknown) => log('error', e instanceof Error ? (e.stack ?? e.message) : String(e));
  target.on('uncaughtException', note);
  target.on('unhandledRejection', note);
}
