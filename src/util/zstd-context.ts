/**
 * zstd contexts that live on. Node's one-shot calls make and fill a context of a megabyte each time, which for a blob
 * of 10 KB costs more than its compression (measured: 43 µs a call against 25, and 20 against 6.5 for unfolding).
 *
 * What the documented API lacks is to use a stream's context again, at once and in this thread. The handle inside of
 * Node's stream can; it is no public interface, so it is tried out when the module is loaded, and where it answers
 * other than expected everybody falls back to the one-shot calls. Source: Node's lib/zlib.js and src/node_zlib.cc.
 */
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  type ZstdOptions,
  zstdCompressSync,
} from 'node:zlib';

interface Handle {
  onerror: unknown;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
}

interface Innards {
  readonly _handle: Handle;
  /** Room left in the output, bytes left of the input, after a write. */
  readonly _writeState: Uint32Array;
}

/** The largest input or output: larger ones are rare, and their memory shall not stay. */
export const MOST_BYTES = 8 * 1024 * 1024;
const LEAST_ROOM = 64 * 1024;

/** One context and the output it writes to, which each call uses again. Not to be shared between threads. */
class Context {
  readonly #make: () => unknown;
  #innards: Innards | undefined;
  #output = new Uint8Array(0);
  #failed = false;

  constructor(make: () => unknown) {
    this.#make = make;
  }

  /**
   * One whole frame in or out. undefined if that was not all, in which case the context starts afresh. The result is
   * good until the next call.
   */
  run(input: Uint8Array, mostOutput: number): Uint8Array | undefined {
    this.#innards ??= this.#open();
    const { _handle: handle, _writeState: state } = this.#innards;
    if (this.#output.length < mostOutput)
      this.#output = new Uint8Array(Math.max(LEAST_ROOM, mostOutput, Math.min(2 * mostOutput, MOST_ROOM)));
    const output = this.#output;
    this.#failed = false;
    handle.writeSync(constants.ZSTD_e_end, input, 0, input.length, output, 0, mostOutput);
    const [roomLeft, inputLeft] = state as unknown as readonly [number, number];
    if (!this.#failed && inputLeft === 0 && roomLeft > 0) return output.subarray(0, mostOutput - roomLeft);
    this.#innards = undefined;
    return undefined;
  }

  #open(): Innards {
    const innards = this.#make() as Innards;
    innards._handle.onerror = () => {
      this.#failed = true;
    };
    return innards;
  }
}

/** What cannot be compressed grows by less than this. Source: ZSTD_COMPRESSBOUND in zstd.h. */
function boundOf(length: number): number {
  return length + (length >>> 8) + 1024;
}
const MOST_ROOM = boundOf(MOST_BYTES);

export class Compressor {
  readonly #context: Context;

  constructor(options: ZstdOptions) {
    this.#context = new Context(() => createZstdCompress(options));
  }

  /** One frame, good until the next call; undefined where this way is closed. */
  compress(plain: Uint8Array): Uint8Array | undefined {
    if (!usable || plain.length > MOST_BYTES) return undefined;
    return this.#context.run(plain, boundOf(plain.length));
  }
}

export class Decompressor {
  readonly #context = new Context(() => createZstdDecompress());

  /**
   * The `length` bytes of one frame, good until the next call; undefined where this way is closed, and for anything
   * else than one frame of just that length.
   */
  decompress(frame: Uint8Array, length: number): Uint8Array | undefined {
    if (!usable || length > MOST_BYTES || frame.length > MOST_BYTES || frame.length === 0) return undefined;
    // A byte more than there should be, or a full output could not be told from one that is too small.
    const plain = this.#context.run(frame, length + 1);
    return plain?.length === length ? plain : undefined;
  }
}

/** Whether the handles do what is expected of them: two frames in a row, and a damaged one that does no harm. */
let usable = true;
usable = tryOut();

function tryOut(): boolean {
  try {
    const plain = Buffer.from('Holdfast, Holdfast, Holdfast, Holdfast');
    const unfold = new Decompressor();
    const fold = new Compressor({});
    const frames = [zstdCompressSync(plain), Uint8Array.from(fold.compress(plain)!), fold.compress(plain)!];
    if (unfold.decompress(plain, plain.length) !== undefined) return false;
    return frames.every((frame) => plain.equals(unfold.decompress(frame, plain.length)!));
  } catch {
    return false;
  }
}
