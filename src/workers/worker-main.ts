/** The entry of a worker thread: answers jobs, one after the other, until it is told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { asEngineError } from '../api/errors.ts';
import { libc } from '../fs/libc.ts';
import { lowerThread } from '../fs/priority.ts';
import { BlobWorker } from './blob-worker.ts';
import type { Request, Response, WorkerSetup } from './protocol.ts';

const port = parentPort!;
const setup = workerData as WorkerSetup;
const worker = new BlobWorker(setup);
// Now, because a thread that is terminated while it loads a native module takes the process down with it.
libc();
if (setup.lowPriority) lowerThread();
port.postMessage({ ready: true } satisfies Response);

port.on('message', (request: Request) => {
  if ('stop' in request) return port.close();
  if ('index' in request) return worker.shareIndex(request.index);
  const { number, job } = request;
  try {
    const { reply, transfer } = worker.run(job);
    port.postMessage({ number, reply } satisfies Response, transfer);
  } catch (e) {
    port.postMessage({ number, error: asEngineError(e).toWire() } satisfies Response);
  }
});
