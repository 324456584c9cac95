/** The question whether a server over SSH that is met for the first time is the right one. */
import { isEngineError } from '../api/errors.ts';
import type { Terminal } from './terminal.ts';
import { printable } from './text-width.ts';

export interface Asking {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Whether the person says that the server of a question ('host-unverified') is the right one; false where none can be asked. */
export async function isRightServer(question: unknown, { terminal, signal }: Asking): Promise<boolean> {
  if (!isEngineError(question, 'host-unverified') || question.context.changed !== false) return false;
  if (!terminal.isInteractive) return false;
  terminal.error(printable(question.message));
  for (;;) {
    const answer = await terminal.input.readLine('Is that the right server? (yes/no) ', signal);
    if (answer === undefined || /^no?$/i.test(answer.trim())) return false;
    if (/^yes$/i.test(answer.trim())) return true;
  }
}
