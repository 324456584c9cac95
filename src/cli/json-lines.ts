/** JSON, one value a line, no faster than the reader takes it. */
import { jsonValue } from '../format/go-json.ts';
import type { Output } from './output.ts';

export interface JsonLines {
  /** Resolves when the next line may follow; a producer of many lines waits for it. */
  write(value: unknown): Promise<void>;
}

export function jsonLines(output: Output): JsonLines {
  return {
    async write(value) {
      if (!output.write(`${jsonText(value)}\n`)) await output.drained();
    },
  };
}

/** `JSON.stringify` for values with integers that a double can't hold. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (e) {
    // Only bigints are refused here; looking for them first would cost every line.
    if (!(e instanceof TypeError)) throw e;
    return jsonValue(JSON.parse(JSON.stringify(value, holdBigint), freeBigint));
  }
}

const HELD = '\uE000bigint:';

function holdBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? HELD + value : value;
}

function freeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(HELD) ? BigInt(value.slice(HELD.length)) : value;
}
