/** What the system's own tools say of disks. */
import { Worker } from 'node:worker_threads';
import { EngineError, messageOf } from '../api/errors.ts';

/** One line of `df -P`, or one logical disk of Windows, as node-disk-info reads it. */
export interface Drive {
  /** On Windows the kind of drive in words instead. */
  readonly device: string;
  /** In units of the platform; see `unitOf`. */
  readonly blocks: number;
  readonly available: number;
  /** Where it is mounted, up to the first space; 'C:' on Windows. */
  readonly mounted: string;
}

export interface DiskQuestion {
  /** How long each tool may take. */
  readonly timeoutMs: number;
}

export type Answer = { readonly drives: readonly Drive[] } | { readonly problem: string };

export interface AskOptions extends DiskQuestion {
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** Would change the unit in which `df` counts. */
const UNITS = ['DF_BLOCK_SIZE', 'BLOCK_SIZE', 'BLOCKSIZE', 'POSIXLY_CORRECT'];

/**
 * Asks in a thread of its own, which ends by itself in time. Errors: 'unsupported' where the tools are missing or do not answer,
 * the signal's reason.
 */
export function askSystem({ timeoutMs, env = process.env, signal }: AskOptions): Promise<readonly Drive[]> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const own = Object.entries(env).filter(([name]) => !UNITS.includes(name));
    const worker = new Worker(workerUrl(), {
      workerData: { timeoutMs } satisfies DiskQuestion,
      env: { ...Object.fromEntries(own), LC_ALL: 'C' },
    });
    const refuse = (why: string) =>
      reject(new EngineError('unsupported', `The disks can't be listed: ${why}`));
    const onAbort = () => {
      worker.unref();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    worker.on('message', (answer: Answer) => {
      if ('drives' in answer) resolve(answer.drives);
      else refuse(answer.problem);
    });
    worker.on('error', (e) => refuse(messageOf(e)));
    worker.on('exit', () => {
      signal?.removeEventListener('abort', onAbort);
      refuse('the thread that asks has ended.');
    });
  });
}

/** Bytes in a block: `df -P` counts in 1,024 on Linux, in 512 on macOS; Windows counts bytes. */
export function unitOf(platform: NodeJS.Platform): number {
  if (platform === 'win32') return 1;
  return platform === 'linux' ? 1024 : 512;
}

/** Beside this file: TypeScript in the source tree, the bundle in the built program. */
function workerUrl(): URL {
  const built = !import.meta.url.endsWith('.ts');
  return new URL(built ? './disk-worker.mjs' : './disk-worker.ts', import.meta.url);
}
