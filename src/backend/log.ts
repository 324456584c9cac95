/** Tells of each call when it ends, and counts. */
import { asEngineError, type ErrorCode } from '../api/errors.ts';
import type { FileType } from '../format/types.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { type FileInfo, passOn, type Wrap } from './backend.ts';
import { type Operation, totalLength } from './calls.ts';

export interface CallRecord {
  readonly operation: Operation;
  readonly type: FileType;
  /** '' for the config and for lists. */
  readonly name: string;
  /** Bytes sent or received; 0 where the call failed or moves none. */
  readonly bytes: number;
  readonly ms: number;
  readonly error?: ErrorCode;
}

export interface CallCounts {
  readonly calls: Readonly<Record<Operation, number>>;
  readonly failed: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface LogOptions {
  readonly sink?: (record: CallRecord) => void;
  readonly clock?: Clock;
}

/** A decorator that can be asked what went through it so far. */
export type LogWrap = Wrap & { readonly counts: () => CallCounts };

interface Diary {
  readonly write: (record: CallRecord) => void;
  readonly counts: () => CallCounts;
}

function diary(sink: LogOptions['sink']): Diary {
  const calls = { save: 0, load: 0, stat: 0, list: 0, remove: 0 };
  let [failed, bytesSent, bytesReceived] = [0, 0, 0];
  return {
    counts: () => ({ calls: { ...calls }, failed, bytesSent, bytesReceived }),
    write(record) {
      calls[record.operation]++;
      if (record.error !== undefined) failed++;
      if (record.operation === 'save') bytesSent += record.bytes;
      if (record.operation === 'load') bytesReceived += record.bytes;
      sink?.(record);
    },
  };
}

type Call = Pick<CallRecord, 'operation' | 'type' | 'name'>;

export function log(o: LogOptions = {}): LogWrap {
  const clock = o.clock ?? systemClock;
  const { write, counts } = diary(o.sink);
  /** Returns what closes the record of a call begun now. */
  const begin = (call: Call) => {
    const started = clock.now();
    return {
      done: (bytes: number) => write({ ...call, bytes, ms: clock.now() - started }),
      failed: (e: unknown) =>
        write({ ...call, bytes: 0, ms: clock.now() - started, error: asEngineError(e).code }),
    };
  };
  const noted = async <T>(call: Call, work: Promise<T>, bytesOf: (result: T) => number): Promise<T> => {
    const record = begin(call);
    try {
      const result = await work;
      record.done(bytesOf(result));
      return result;
    } catch (e) {
      record.failed(e);
      throw e;
    }
  };
  async function* notedList(type: FileType, files: AsyncIterable<FileInfo>): AsyncGenerator<FileInfo> {
    const record = begin({ operation: 'list', type, name: '' });
    try {
      yield* files;
    } catch (e) {
      record.failed(e);
      throw e;
    }
    record.done(0);
  }
  const wrap: Wrap = (inner) => ({
    location: inner.location,
    traits: inner.traits,
    save: (h, data, c) => noted({ operation: 'save', ...h }, inner.save(h, data, c), () => totalLength(data)),
    load: (h, c) => noted({ operation: 'load', ...h }, inner.load(h, c), (bytes) => bytes.length),
    stat: (h, c) => noted({ operation: 'stat', ...h }, inner.stat(h, c), () => 0),
    list: (type, c) => notedList(type, inner.list(type, c)),
    remove: (h, c) => noted({ operation: 'remove', ...h }, inner.remove(h, c), () => 0),
    ...passOn(inner),
    close: () => inner.close(),
  });
  return Object.assign(wrap, { counts });
}
