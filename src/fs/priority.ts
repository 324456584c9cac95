/**
 * Giving way to other programs, one thread at a time.
 *
 * Linux    niceness and I/O class belong to a thread. A worker thread takes both with it when it ends, so nothing has to
 *          be restored; an ordinary user could not raise the niceness of the main thread again, so that one keeps its own.
 * macOS,   a process has one priority for all of its threads, and an ordinary user can't raise it again on macOS:
 * Windows  nothing is done there.
 *
 * Facts used: setpriority(2) and ioprio_set(2) act on the calling thread where they are given 0 (Linux).
 */
import { setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { libc } from './libc.ts';

const NICENESS = 10;
/** The number of ioprio_set(2). */
const IOPRIO_SET = process.arch === 'arm64' ? 30 : 251;
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_IDLE = 3 << 13;

/** Lowers this worker thread for the rest of its life. What the system refuses stays as it is. Error: none. */
export function lowerThread(): void {
  if (process.platform !== 'linux' || isMainThread) return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // A container may forbid it; the work is done all the same.
  }
  libc()?.syscall3?.(IOPRIO_SET, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE);
}
