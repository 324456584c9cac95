import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';

/** Runs programs and tells everything about how they ended. */
export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** `kill -9` after so many milliseconds. */
  readonly killAfterMs?: number;
  /** `kill -9` at the first line of stdout or stderr that fits. */
  readonly killAtLine?: RegExp;
  /** SIGINT at the first line of stdout or stderr that fits. */
  readonly interruptAtLine?: RegExp;
  /** Watch memory; costs a little time, so only where it is wanted. */
  readonly measureMemory?: boolean;
}

export interface RunResult {
  readonly command: string;
  /** null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly seconds: number;
  /** Peak resident bytes of the process with all its children; 0 unless measured. */
  readonly peakBytes: number;
}

/** Resolves whatever the exit code; rejects only if the program could not be started. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const started = performance.now();
  const child = spawn(command, args, {
    env: { ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const memory = options.measureMemory && child.pid !== undefined ? watchMemory(child.pid) : undefined;
  const timer =
    options.killAfterMs === undefined
      ? undefined
      : setTimeout(() => child.kill('SIGKILL'), options.killAfterMs);
  const atLine = (text: string): void => {
    if (options.killAtLine?.test(text)) child.kill('SIGKILL');
    if (options.interruptAtLine?.test(text)) child.kill('SIGINT');
  };
  const stdout = collect(child.stdout, atLine);
  const stderr = collect(child.stderr, atLine);
  // A program may end without having read its input; that is not our fault to report.
  child.stdin?.on('error', () => undefined).end(options.stdin);
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (c, s) => resolve([c, s]));
    });
    const seconds = (performance.now() - started) / 1000;
    const shown = [command, ...args].join(' ');
    const peakBytes = memory?.stop() ?? 0;
    return {
      command: shown,
      code,
      signal,
      stdout: stdout(),
      stderr: stderr().toString(),
      seconds,
      peakBytes,
    };
  } finally {
    clearTimeout(timer);
    memory?.stop();
  }
}

function collect(stream: NodeJS.ReadableStream | null, atLine: (line: string) => void): () => Buffer {
  const parts: Buffer[] = [];
  let unfinished = '';
  stream?.on('data', (part: Buffer) => {
    parts.push(part);
    const lines = (unfinished + part.toString('latin1')).split(/[\r\n]/);
    unfinished = lines.pop() ?? '';
    for (const line of lines) atLine(line);
  });
  return () => Buffer.concat(parts);
}

/** The result, if the exit code is one of `codes`; otherwise an error with everything that the program said. */
export function expectCode(result: RunResult, ...codes: readonly number[]): RunResult {
  if (result.code !== null && codes.includes(result.code)) return result;
  const end = result.signal === null ? `exit code ${result.code}` : `signal ${result.signal}`;
  throw new Error(`${result.command}: ${end}\n${result.stderr}\n${result.stdout.toString().slice(-4000)}`);
}

const MEMORY_INTERVAL_MS = 20;

/**
 * Peak memory of a process tree: the larger of the highest sum of resident sizes seen at one moment, and the
 * kernel's own high-water mark of any one process (which misses no peak between two looks).
 */
function watchMemory(pid: number): { readonly stop: () => number } {
  let peak = 0;
  const look = (): void => {
    const all = withChildren(pid).map(residentBytes);
    const sum = all.reduce((total, p) => total + p.now, 0);
    peak = Math.max(peak, sum, ...all.map((p) => p.highest));
  };
  const timer = setInterval(look, MEMORY_INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

function withChildren(pid: number): readonly number[] {
  const perThread = threadsOf(pid).map((thread) => readProc(`/proc/${pid}/task/${thread}/children`));
  const children = perThread.flatMap((list) => list.split(' ')).filter(Boolean);
  return [pid, ...children.flatMap((child) => withChildren(Number(child)))];
}

function threadsOf(pid: number): readonly string[] {
  try {
    return fs.readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function residentBytes(pid: number): { readonly now: number; readonly highest: number } {
  const status = readProc(`/proc/${pid}/status`);
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { now: field('VmRSS'), highest: field('VmHWM') };
}

/** '' for a process that has ended meanwhile. */
function readProc(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
