import { Readable } from 'node:stream';
import { streamInput } from '../../../src/cli/input.ts';
import type { Output } from '../../../src/cli/output.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';

export interface FakeOptions {
  readonly stdoutIsTerminal?: boolean;
  readonly stdinIsTerminal?: boolean;
  readonly columns?: number;
  /** Chunks that arrive on stdin, one by one. */
  readonly typed?: readonly string[];
}

/** A terminal whose texts can be read back. */
export function fakeTerminal(o: FakeOptions = {}) {
  const texts = { out: '', err: '' };
  const output = (name: 'out' | 'err', isTerminal: boolean): Output => ({
    isTerminal,
    columns: o.columns ?? 80,
    write: (chunk) => {
      texts[name] += chunk;
      return true;
    },
    drained: () => Promise.resolve(),
    flush: () => Promise.resolve(),
  });
  const stdin = Object.assign(Readable.from((o.typed ?? []).map((text) => Buffer.from(text))), {
    isTTY: o.stdinIsTerminal ?? false,
    setRawMode: () => {},
  });
  const stderr = output('err', false);
  let interrupts = 0;
  const terminal = createTerminal({
    stdout: output('out', o.stdoutIsTerminal ?? false),
    stderr,
    input: streamInput(
      () => stdin,
      stderr,
      () => {
        interrupts++;
      },
    ),
    term: 'xterm',
  });
  return {
    terminal,
    out: () => texts.out,
    err: () => texts.err,
    screen: () => screenOf(texts.out),
    interrupts: () => interrupts,
  };
}

/** What stands on a screen after these characters: newline, return, "clear line" and "up" are understood. */
function screenOf(written: string): readonly string[] {
  const lines = [''];
  let row = 0;
  for (const [piece] of written.matchAll(/\x1b\[2K|\x1b\[1A|\r|\n|[^\x1b\r\n]+/g)) {
    if (piece === '\x1b[2K') lines[row] = '';
    else if (piece === '\x1b[1A') row--;
    else if (piece === '\n') lines[++row] ??= '';
    else if (piece !== '\r') lines[row] = (lines[row] ?? '') + piece;
  }
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
