/**
 * The command line: arguments in, text or JSON lines out.
 *
 * main     this file: the process's streams and signals
 * app      from a command line to an exit code
 * context  what a command may use
 */

import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../api/errors.ts';
import { endProcess } from '../fs/end-process.ts';
import { systemClock } from '../util/clock.ts';
import { runCommandLine } from './app.ts';
import { programArguments } from './arguments.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Hosting } from './hosting.ts';
import { streamInput } from './input.ts';
import { streamOutput } from './output.ts';
import { registry } from './registry.ts';
import { createTerminal } from './terminal.ts';
import { VERSION } from './version.ts';

const controller = new AbortController();

/** The window's files, beside the bundle or where a build from the sources puts them; undefined: not built. */
function windowFiles(): string | undefined {
  const places = ['./renderer/', '../../dist/renderer/'].map((place) => new URL(place, import.meta.url));
  const found = places.find((place) => existsSync(new URL('index.html', place)));
  return found && fileURLToPath(found);
}

/** The host's rooms are loaded only by the commands that need them. */
function lazyHosting(): Hosting {
  const load = async () =>
    (await import('../host/hosting.ts')).createHosting({
      version: VERSION,
      env: process.env,
      assets: windowFiles(),
    });
  return {
    connect: async (dataDir, signal) => (await load()).connect(dataDir, signal),
    open: async (o) => (await load()).open(o),
    serve: async (o) => (await load()).serve(o),
    setWebPassword: async (o, password) => (await load()).setWebPassword(o, password),
  };
}

/** The first request to stop lets work end cleanly: locks are removed, files stay whole. The second one ends it. */
function interrupt(signalName: string): void {
  if (controller.signal.aborted) endProcess(EXIT.interrupted);
  terminal.setStatus([]);
  terminal.error(`${signalName} received, stopping. Once more stops at once.`);
  controller.abort(
    new EngineError('cancelled', 'Stopped before it was done.', { context: { reason: 'person' } }),
  );
}

/** Overrides whatever the command itself ends with: its output did not arrive. */
let outputFailure: ExitCode | undefined;

function outputClosed(error?: Error): void {
  outputFailure = error === undefined ? EXIT.outputClosed : EXIT.fatal;
  if (error !== undefined) terminal.error(`The output can't be written: ${error.message}`);
  controller.abort(
    new EngineError('cancelled', 'The output has no reader.', { context: { reason: 'output-closed' } }),
  );
}

const stderr = streamOutput(process.stderr, () => {});
const terminal = createTerminal({
  stdout: streamOutput(process.stdout, outputClosed),
  stderr,
  input: streamInput(
    () => process.stdin,
    stderr,
    () => interrupt('Ctrl-C'),
  ),
  term: process.env.TERM,
});

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt(name));

// Also keeps Node from its own answer to SIGUSR1, which is to open a debugger's port.
const progressRequests = new Set<() => void>();
if (process.platform !== 'win32') {
  process.on('SIGUSR1', () => {
    for (const look of progressRequests) look();
  });
}

const code = await runCommandLine(programArguments(process.argv), {
  env: process.env,
  clock: systemClock,
  terminal,
  signal: controller.signal,
  registry,
  loadHost: async () => (await import('../host/engine.ts')).createHost(),
  hosting: lazyHosting(),
  every(ms, look) {
    const timer = setInterval(look, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
  onProgressRequest(look) {
    progressRequests.add(look);
    return () => progressRequests.delete(look);
  },
});
await terminal.flush();
endProcess(outputFailure ?? code);
