import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

/** Niceness and I/O class of a thread that has lowered itself, and the class of the main thread afterwards. */
const script = (root: string) => `
  const { parentPort } = require('node:worker_threads');
  const os = require('node:os');
  (async () => {
    const { lowerThread } = await import(${JSON.stringify(`${root}/src/fs/priority.ts`)});
    const { libc } = await import(${JSON.stringify(`${root}/src/fs/libc.ts`)});
    const before = os.getPriority(0);
    lowerThread();
    const get = process.arch === 'arm64' ? 31 : 252;
    parentPort.postMessage({ before, niceness: os.getPriority(0), ioClass: libc().syscall3(get, 1, 0, 0) >> 13 });
  })();
`;

test.runIf(process.platform === 'linux')(
  'a worker thread gives way; the rest of the process does not',
  async () => {
    const before = getPriority(process.pid);
    const worker = new Worker(script(process.cwd()), { eval: true });
    const told = await new Promise((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
    });
    await worker.terminate();
    expect(told).toEqual({ before, niceness: Math.max(before, 10), ioClass: 3 });
    expect(getPriority(process.pid)).toBe(before);
  },
);
