/** Answers from stdin: a line, or on a terminal a secret that is not shown. */
import type { Readable } from 'node:stream';
import { EngineError } from '../api/errors.ts';
import type { Output } from './output.ts';

export interface Input {
  readonly isTerminal: boolean;
  /** The stream itself, for commands that store what comes in. Lines must not be read from it before or after. */
  readonly raw: Readable;
  /** The next line without its end; undefined when there is none. The prompt goes to stderr. */
  readLine(prompt: string, signal: AbortSignal): Promise<string | undefined>;
  /** The same, and on a terminal what is typed stays invisible. */
  readSecret(prompt: string, signal: AbortSignal): Promise<string | undefined>;
}

type InputStream = Readable & {
  readonly isTTY?: boolean;
  setRawMode?: (raw: boolean) => unknown;
};

/** `interrupt` is called for Ctrl-C while a secret is typed, when the terminal itself does not turn it into a signal. */
export function streamInput(stream: () => InputStream, stderr: Output, interrupt: () => void): Input {
  let buffered = '';
  const decoder = new TextDecoder();
  const takeLine = () => {
    const end = buffered.indexOf('\n');
    if (end < 0) return undefined;
    const line = buffered.slice(0, end);
    buffered = buffered.slice(end + 1);
    return line.replace(/\r$/, '');
  };
  const atEnd = () => {
    const rest = buffered;
    buffered = '';
    return rest === '' ? undefined : rest;
  };
  const readLine = async (prompt: string, signal: AbortSignal) => {
    if (prompt !== '') stderr.write(prompt);
    const line = takeLine();
    if (line !== undefined) return line;
    return collect(stream(), signal, (chunk) => {
      if (chunk === undefined) return { value: atEnd() };
      buffered += decoder.decode(chunk, { stream: true });
      const next = takeLine();
      return next === undefined ? undefined : { value: next };
    });
  };
  return {
    get isTerminal() {
      return stream().isTTY === true;
    },
    get raw() {
      return stream();
    },
    readLine,
    async readSecret(prompt, signal) {
      const input = stream();
      if (input.setRawMode === undefined || input.isTTY !== true) return readLine('', signal);
      return readHidden(input, stderr, prompt, signal, interrupt);
    },
  };
}

async function readHidden(
  input: InputStream,
  stderr: Output,
  prompt: string,
  signal: AbortSignal,
  interrupt: () => void,
): Promise<string | undefined> {
  // In this order: what is typed as soon as the prompt stands must not be shown.
  input.setRawMode?.(true);
  stderr.write(prompt);
  const line = new SecretLine();
  try {
    return await collect(input, signal, (chunk) => {
      const outcome = line.feed(chunk === undefined ? '\x04' : Buffer.from(chunk).toString('utf8'));
      if (outcome === 'typing') return undefined;
      if (outcome === 'interrupted') interrupt();
      return { value: outcome === 'entered' ? line.text : undefined };
    });
  } finally {
    input.setRawMode?.(false);
    stderr.write('\n');
  }
}

/** The keys that count while a line is typed in raw mode. */
export class SecretLine {
  text = '';

  feed(keys: string): 'typing' | 'entered' | 'ended' | 'interrupted' {
    for (const key of keys) {
      if (key === '\r' || key === '\n') return 'entered';
      if (key === '\x03') return 'interrupted';
      if (key === '\x04') return this.text === '' ? 'ended' : 'entered';
      if (key === '\x7f' || key === '\b') this.text = [...this.text].slice(0, -1).join('');
      else if (key === '\x15') this.text = '';
      else if (key >= ' ') this.text += key;
    }
    return 'typing';
  }
}

/** Hands each chunk, and undefined at the end, to `take` until that returns a value. Leaves the stream paused. */
function collect<T>(
  stream: Readable,
  signal: AbortSignal,
  take: (chunk: Uint8Array | undefined) => { readonly value: T } | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      stream.off('data', onData).off('end', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      stream.pause();
    };
    const onData = (chunk: Uint8Array | string) => {
      const found = take(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      if (found === undefined) return;
      stop();
      resolve(found.value);
    };
    const onEnd = () => {
      stop();
      const found = take(undefined);
      if (found === undefined) reject(new EngineError('usage', 'The input ended too early.'));
      else resolve(found.value);
    };
    const onError = (e: Error) => {
      stop();
      reject(new EngineError('io', `The input can't be read: ${e.message}`, {}, { cause: e }));
    };
    const onAbort = () => {
      stop();
      reject(signal.reason);
    };
    if (signal.aborted) return onAbort();
    if (stream.readableEnded) return onEnd();
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('data', onData).on('end', onEnd).on('error', onError).resume();
  });
}
