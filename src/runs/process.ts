/**
 * Other people's programs, run without a shell in a process group of their own, so that what they start in turn ends with
 * them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { EngineError, messageOf } from '../api/errors.ts';
import type { Clock } from '../util/clock.ts';

/** How long a program may take to end after it was asked to. */
const GRACE_MS = 5000;
/** The same after a person's cancel, which shall be done with within two seconds. */
const SHORT_GRACE_MS = 1000;
/** What a program leaves running in the background may keep its output open for ever; nobody waits for that. */
const LAST_OUTPUT_MS = 1000;
/** Of the output of one program; the rest is read and thrown away. */
export const MOST_OUTPUT_BYTES = 64 * 1024;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment without what opens repositories. Names are those of Holdfast and of restic. */
export function withoutSecrets(env: Environment): Environment {
  const secret = /^(?:RESTIC_|HOLDFAST_PASSWORD|HOLDFAST_RECOVERY|HOLDFAST_KEY|HOLDFAST_SECRET)/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.test(name)));
}

export interface ProcessOptions {
  readonly clock: Clock;
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Milliseconds; absent: it may take as long as it wants. */
  readonly timeoutMs?: number;
}

export interface StartedProcess {
  /** For who wants to read it; undefined where `capture` gathers it. */
  readonly stdout: Readable | undefined;
  /** Rejects with an EngineError: 'io' where it fails, 'timeout', or the signal's reason. */
  readonly ended: Promise<void>;
  /** What it has printed so far, cut. */
  output(): string;
}

/** Starts a program. With `capture` its stdout is gathered beside its stderr; else it is to be read by the caller. */
export function startProcess(
  [program = '', ...args]: readonly string[],
  capture: boolean,
  o: ProcessOptions,
): StartedProcess {
  o.signal.throwIfAborted();
  const grouped = process.platform !== 'win32';
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...o.env },
    detached: grouped,
    windowsHide: true,
  });
  const output = new Output();
  child.stderr.on('data', (part: Buffer) => output.add(part));
  if (capture) child.stdout.on('data', (part: Buffer) => output.add(part));
  const ended = supervise(child, program, o, capture);
  // Who reads the output awaits the end only afterwards.
  ended.catch(() => undefined);
  return { stdout: capture ? undefined : child.stdout, ended, output: () => output.text() };
}

/** The beginning of what a program prints. */
class Output {
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #cut = false;

  add(part: Buffer): void {
    const room = MOST_OUTPUT_BYTES - this.#bytes;
    if (part.length > room) this.#cut = true;
    if (room <= 0) return;
    // A copy: the part itself may be a view into a much larger buffer.
    this.#parts.push(Buffer.from(part.subarray(0, room)));
    this.#bytes += Math.min(room, part.length);
  }

  text(): string {
    const text = Buffer.concat(this.#parts).toString('utf8');
    if (!this.#cut) return text.trimEnd();
    // Whole lines only: half a secret would not be recognized as one.
    return `${text.slice(0, Math.max(0, text.lastIndexOf('\n')))}\n… (the rest was cut)`;
  }
}

async function supervise(
  child: ChildProcess,
  program: string,
  o: ProcessOptions,
  capture: boolean,
): Promise<void> {
  const over = new AbortController();
  const exit = exitOf(child, program).finally(() => over.abort());
  exit.catch(() => undefined);
  const stop = stopper(child, over.signal, o.clock);
  child.once('exit', () => {
    const letGo = () => {
      child.stderr?.destroy();
      // Whoever reads the output may not be done with it.
      if (capture || o.signal.aborted || late) child.stdout?.destroy();
    };
    o.clock.sleep(LAST_OUTPUT_MS, over.signal).then(letGo, () => undefined);
  });
  let late: EngineError | undefined;
  const onAbort = () => void stop(SHORT_GRACE_MS);
  o.signal.addEventListener('abort', onAbort, { once: true });
  if (o.timeoutMs !== undefined) {
    const { timeoutMs } = o;
    const onTimeout = () => {
      late = tooSlow(program, timeoutMs);
      void stop(GRACE_MS);
    };
    o.clock.sleep(timeoutMs, over.signal).then(onTimeout, () => undefined);
  }
  try {
    await exit;
  } catch (e) {
    o.signal.throwIfAborted();
    throw late ?? e;
  } finally {
    o.signal.removeEventListener('abort', onAbort);
  }
  if (late) throw late;
}

function exitOf(child: ChildProcess, program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('error', (e) => reject(failed(program, `can't be run: ${messageOf(e)}`)));
    child.on('close', (code, killer) => {
      if (code === 0) resolve();
      else
        reject(failed(program, code === null ? `was ended by ${killer}` : `failed with exit code ${code}`));
    });
  });
}

/** Asks the whole group to end, and makes it after some time. */
function stopper(child: ChildProcess, over: AbortSignal, clock: Clock): (graceMs: number) => Promise<void> {
  return async (graceMs) => {
    kill(child, 'SIGTERM');
    try {
      await clock.sleep(graceMs, over);
    } catch {
      // It has ended by itself; what it started may still be there, and goes as well.
    }
    kill(child, 'SIGKILL');
  };
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

function failed(program: string, why: string): EngineError {
  return new EngineError('io', `The command ${program} ${why}.`, { context: { program } });
}

function tooSlow(program: string, timeoutMs: number): EngineError {
  const message = `The command ${program} was stopped, because it took longer than ${timeoutMs / 1000} seconds.`;
  return new EngineError('timeout', message, { context: { program } });
}
