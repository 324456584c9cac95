/** JSON, one value a line, no faster than the reader takes it. */
import type { Output } from './output.ts';

export interface JsonLines {
  /** Resolves when the next line may follow; a producer of many lines waits for it. */
  write(value: unknown): Promise<void>;
}

export function jsonLines(output: Output): JsonLines {
  return {
    async write(value) {
      if (!output.write(`${JSON.stringify(value)}\n`)) await output.drained();
    },
  };
}
