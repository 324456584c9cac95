/**
 * A thread that asks the system's own tools which disks there are (`df`, `wmic`), through node-disk-info. The package waits for
 * them without a bound, and a tool waits for every network drive; so it does this here, and each tool is killed in time.
 */
import childProcess, { type ExecSyncOptions } from 'node:child_process';
import { parentPort, workerData } from 'node:worker_threads';
import { getDiskInfo } from 'node-disk-info';
import { messageOf } from '../api/errors.ts';
import type { Answer, DiskQuestion } from './disk-info.ts';

const { timeoutMs } = workerData as DiskQuestion;
const unbound = childProcess.execSync;
/** A shell with a pipe behind it: killed as a group, or the tool would live on. Windows has no groups. */
const grouped = process.platform !== 'win32';
/** Begins a group here as it does for `spawn`; the types do not know. */
const group = grouped ? { detached: true } : {};

/** As `execSync`, which the package finds in the module of this thread. What a tool complains of is nobody's business. */
function bounded(command: string, options: ExecSyncOptions): Buffer | string {
  const bounds: ExecSyncOptions = {
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'ignore'],
  };
  try {
    return unbound(command, { ...options, ...bounds, ...group });
  } catch (e) {
    if (grouped && e instanceof Error && 'pid' in e && typeof e.pid === 'number') endGroup(e.pid);
    throw e;
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function answer(): Promise<Answer> {
  try {
    const drives = await getDiskInfo();
    return {
      drives: drives.map(({ filesystem, blocks, available, mounted }) => ({
        device: filesystem,
        blocks,
        available,
        mounted,
      })),
    };
  } catch (e) {
    return { problem: messageOf(e) };
  }
}

Object.assign(childProcess, { execSync: bounded });
parentPort?.postMessage(await answer());
