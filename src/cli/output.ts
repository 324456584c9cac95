/**
 * A writer that never throws and never loses its end. What is written after the other side went away is dropped.
 */
import type { Writable } from 'node:stream';

export interface Output {
  readonly isTerminal: boolean;
  /** Cells in a line; 80 where that is unknown. */
  readonly columns: number;
  /** Returns false when the caller had better wait for `drained` before it writes on. */
  write(chunk: string | Uint8Array): boolean;
  drained(): Promise<void>;
  /** Resolves when all that was written has been handed to the system, or can't be any more. */
  flush(): Promise<void>;
}

/** For lists of any length: goes on when the reader can take more. */
export async function writeLine(output: Output, line: string): Promise<void> {
  if (!output.write(`${line}\n`)) await output.drained();
}

/** Errors that mean: nobody reads this any more. EIO is what a closed terminal gives. */
const GONE = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ECONNRESET']);

type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** `onClosed` hears once that the reader is gone; any other fault of the stream as well, with its error. */
export function streamOutput(stream: TerminalStream, onClosed: (error?: Error) => void): Output {
  let closed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (closed) return;
    closed = true;
    onClosed(GONE.has(error.code ?? '') ? undefined : error);
  });
  const settled = () => closed || stream.destroyed;
  return {
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns || 80;
    },
    write: (chunk) => settled() || stream.write(chunk),
    drained: () => waitFor(stream, settled, () => stream.writableNeedDrain),
    flush: () =>
      settled() ? Promise.resolve() : new Promise((resolve) => stream.write('', () => resolve())),
  };
}

async function waitFor(stream: Writable, settled: () => boolean, needed: () => boolean): Promise<void> {
  if (settled() || !needed()) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off('drain', done).off('error', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('error', done).on('close', done);
  });
}
