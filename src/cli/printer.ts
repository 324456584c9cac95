/** Messages by how much the person wants to read. With --json all but results and problems are left out. */
import type { Terminal } from './terminal.ts';

export interface Printer {
  /** What was asked for. */
  result(line: string): void;
  /** Not with --quiet. */
  say(line: string): void;
  /** With -v. */
  more(line: string): void;
  /** With -vv. */
  everything(line: string): void;
  /** To stderr, always. */
  problem(line: string): void;
}

export interface PrinterOptions {
  readonly json: boolean;
  readonly verbosity: number;
}

export function createPrinter(terminal: Terminal, o: PrinterOptions): Printer {
  const level = o.json ? 0 : o.verbosity;
  const from = (least: number) => (line: string) => {
    if (level >= least) terminal.print(line);
  };
  return {
    result: from(0),
    say: from(1),
    more: from(2),
    everything: from(3),
    problem: (line) => terminal.error(line),
  };
}
