/**
 * Moves the bytes of files. Many requests are under way at once, or every piece would cost a round trip.
 *
 * packet    what one request carries. OpenSSH takes up to 255 KiB; others 34,000 bytes with all around it, and this keeps to that.
 * flight    the bytes that are asked for or sent, and not yet answered
 */

import { Semaphore } from '../../util/semaphore.ts';
import type { Handle, Pace } from '../backend.ts';
import { outOfRange, type Span, throwIfAborted } from '../calls.ts';
import type { Link } from './link.ts';

const PACKET = 28 << 10;
/** As much as a window of ssh2 and of OpenSSH. */
const FLIGHT = 2 << 20;
/** A limit of bandwidth that had megabytes on their way would be none: so many pieces of its at most, about a second. */
const PACED_PIECES = 8;

export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  readonly pace?: Pace | undefined;
}

function packetSize(pace: Pace | undefined): number {
  return Math.max(1, Math.min(PACKET, pace?.piece ?? PACKET));
}

function packetsInFlight(pace: Pace | undefined): number {
  const bytes = Math.min(FLIGHT, (pace?.piece ?? FLIGHT) * PACED_PIECES);
  return Math.max(1, Math.floor(bytes / packetSize(pace)));
}

/** The same bytes in packets of `size`, the last one shorter; they live as long as `data` is left alone. */
export function* packets(data: readonly Uint8Array[], size: number): Generator<Buffer> {
  let part: Buffer | undefined;
  let filled = 0;
  for (const bytes of data) {
    for (let at = 0; at < bytes.length; ) {
      if (part === undefined && bytes.length - at >= size) {
        yield Buffer.from(bytes.buffer, bytes.byteOffset + at, size);
        at += size;
        continue;
      }
      part ??= Buffer.allocUnsafe(size);
      const take = Math.min(size - filled, bytes.length - at);
      part.set(bytes.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled < size) continue;
      yield part;
      part = undefined;
      filled = 0;
    }
  }
  if (part !== undefined) yield part.subarray(0, filled);
}

/** Keeps so many works under way; the first failure ends it all. */
class Flight {
  readonly #slots: Semaphore;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(most: number) {
    this.#slots = new Semaphore(most);
  }

  /** Resolves when there is room and the work has begun. */
  async add(work: () => Promise<void>): Promise<void> {
    await this.#slots.acquire();
    this.#rethrow();
    const one = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running.delete(one);
        this.#slots.release();
      });
    this.#running.add(one);
  }

  async landed(): Promise<void> {
    await Promise.all(this.#running);
    this.#rethrow();
  }

  #rethrow(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

/**
 * Writes `data` from the beginning of the file, and then what `last` asks for, without a wait in between: a server does in order what
 * is asked of one file. Errors: the server's, and the abort's.
 */
export async function writeFile(
  link: Link,
  handle: Buffer,
  data: readonly Uint8Array[],
  last: () => readonly Promise<void>[],
  { signal, pace }: TransferOptions,
): Promise<void> {
  const flight = new Flight(packetsInFlight(pace));
  let position = 0;
  try {
    for (const packet of packets(data, packetSize(pace))) {
      await pace?.up(packet.length, signal);
      throwIfAborted(signal);
      const at = position;
      await flight.add(() => link.write(handle, packet, at));
      position += packet.length;
    }
  } catch (e) {
    await flight.landed().catch(() => undefined);
    throw e;
  }
  await Promise.all([flight.landed(), ...last()]);
}

/** Reads exactly `span` into `into`, which is as long. Errors: range, the server's, and the abort's. */
export async function readFile(
  link: Link,
  handle: Buffer,
  h: Handle,
  span: Span,
  into: Buffer,
  { signal, pace }: TransferOptions,
): Promise<void> {
  const flight = new Flight(packetsInFlight(pace));
  const size = packetSize(pace);
  const readOne = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; ) {
      throwIfAborted(signal);
      const got = await link.read(handle, into, at, to - at, span.offset + at);
      if (got === 0) throw outOfRange(h, span.offset + at, span);
      at += got;
      await pace?.down(got, signal);
    }
  };
  for (let at = 0; at < span.length; at += size) {
    throwIfAborted(signal);
    await flight.add(() => readOne(at, Math.min(span.length, at + size)));
  }
  await flight.landed();
}
