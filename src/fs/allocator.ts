/**
 * The C library's allocator keeps what is freed for the next request, up to 64 MB in each thread, because it learns
 * from the first large buffers to treat all as small. A backup takes and gives back buffers of a few megabytes all the
 * time; they shall go back to the system. Facts used: glibc's `mallopt(3)`; other libraries don't have the function
 * or ignore it.
 */
import { libc } from './libc.ts';

const M_MMAP_THRESHOLD = -3;
const LARGE_BYTES = 1024 * 1024;

/** Call once, before the threads that do the work are started. Does nothing where it can't. */
export function returnLargeBuffers(): void {
  libc()?.mallopt?.(M_MMAP_THRESHOLD, LARGE_BYTES);
}
