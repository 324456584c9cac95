/**
 * Where text goes and answers come from.
 *
 * message   a line that stays: results on stdout, problems on stderr
 * status    lines at the foot of a terminal that are drawn over and over; messages appear above them
 */
import type { Input } from './input.ts';
import type { Output } from './output.ts';
import { printable, truncate } from './text-width.ts';

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly input: Input;
  /** Somebody can be asked. */
  readonly isInteractive: boolean;
  /** Status lines can be redrawn in place. */
  readonly canUpdateStatus: boolean;
  print(line: string): void;
  error(line: string): void;
  /**
   * Shows these lines in place of the last ones; none takes them away. Where nothing can be redrawn, changed lines
   * are printed like messages.
   */
  setStatus(lines: readonly string[]): void;
  flush(): Promise<void>;
}

export interface TerminalParts {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly input: Input;
  /** What TERM says; a `dumb` one can't move its cursor. */
  readonly term: string | undefined;
}

const CLEAR_LINE = '\r\x1b[2K';
const CURSOR_UP = '\x1b[1A';

export function createTerminal(parts: TerminalParts): Terminal {
  const { stdout, stderr, input } = parts;
  const status = stdout.isTerminal && parts.term !== 'dumb' ? redrawnStatus(stdout) : printedStatus(stdout);
  const message = (output: Output, line: string) => {
    const text = line.endsWith('\n') ? line : `${line}\n`;
    // A problem on another device than the status leaves the status alone.
    if (output.isTerminal) status.above(() => output.write(text));
    else output.write(text);
  };
  return {
    stdout,
    stderr,
    input,
    isInteractive: input.isTerminal,
    canUpdateStatus: stdout.isTerminal && parts.term !== 'dumb',
    print: (line) => message(stdout, line),
    error: (line) => message(stderr, line),
    setStatus: (lines) => status.show(lines),
    flush: async () => {
      status.show([]);
      await Promise.all([stdout.flush(), stderr.flush()]);
    },
  };
}

interface Status {
  show(lines: readonly string[]): void;
  /** Takes the lines away, writes, and draws them again below. */
  above(write: () => void): void;
}

function redrawnStatus(stdout: Output): Status {
  let shown: readonly string[] = [];
  // The cursor rests at the end of the last status line; each line is cleared on the way up.
  const erase = () =>
    shown.length === 0 ? '' : CLEAR_LINE + (CURSOR_UP + CLEAR_LINE).repeat(shown.length - 1);
  // One cell stays free: a full line would wrap on some terminals.
  const fit = (line: string) => truncate(printable(line), Math.max(1, stdout.columns - 1));
  return {
    show(lines) {
      const next = lines.map(fit);
      if (next.length === shown.length && next.every((line, i) => line === shown[i])) return;
      stdout.write(erase() + next.join('\n'));
      shown = next;
    },
    above(write) {
      if (shown.length > 0) stdout.write(erase());
      write();
      if (shown.length > 0) stdout.write(shown.join('\n'));
    },
  };
}

function printedStatus(stdout: Output): Status {
  let last = '';
  return {
    show(lines) {
      const next = lines.map((line) => `${printable(line)}\n`).join('');
      if (next !== '' && next !== last) stdout.write(next);
      last = next;
    },
    above: (write) => write(),
  };
}
