/**
 * What carries the contract when it is no single request: a pipe of texts.
 *
 * pipe         carries texts both ways, in order, until one side closes
 * pipe-client  the caller's end; nothing of a server in it, so that it runs in browsers
 * pipe-server  the host's end
 */
import type { z } from 'zod';

export interface PipeListener {
  onOpen?(): void;
  onText(text: string): void;
  /** Once; also when it was closed before somebody listened. */
  onClose(): void;
}

export interface Pipe {
  readonly state: 'opening' | 'open' | 'closed';
  /** Resolves when the other side, or the system, has taken it: whoever waits is slowed to the reader's pace. */
  send(text: string): Promise<void>;
  listen(listener: PipeListener): void;
  close(reason?: string): void;
}

/** Whether a text is JSON of the schema's shape. */
export function fits(schema: z.ZodType, text: string): boolean {
  try {
    return schema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
