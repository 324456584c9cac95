/**
 * Storages that fail as told, to be composed like any decorator.
 *
 * fault   what goes wrong, at which calls, how often
 * crash   the process dies: the call in progress and all later ones throw, and nothing reaches the storage again
 */
import type { Backend, CallOptions, FileInfo, Handle, LoadOptions, Wrap } from '../../src/backend/backend.ts';
import type { Operation } from '../../src/backend/calls.ts';
import type { FileType } from '../../src/format/types.ts';

export interface Where {
  readonly operation?: Operation;
  readonly type?: FileType;
  readonly name?: string;
  /** So many fitting calls pass unharmed first. */
  readonly skip?: number;
  /** So many are harmed; one unless told. */
  readonly times?: number;
}

export type Fault = Where &
  (
    | {
        readonly kind: 'error';
        readonly error: () => Error;
        /** The storage does the work, only its answer is lost. */
        readonly afterwards?: boolean;
        /** Lists: so many files are given before the error. */
        readonly afterFiles?: number;
      }
    /** A load answers with this many bytes too few, and no error. */
    | { readonly kind: 'short-read'; readonly missing: number }
    /** A load answers with one bit turned. */
    | { readonly kind: 'flipped-bit'; readonly bit: number }
    /** Lists do not show what was saved since the fault began. */
    | { readonly kind: 'late-list' }
    /** Lists still show what was removed since the fault began. */
    | { readonly kind: 'stale-list' }
  );

/** The process is dead; nothing may catch this and go on. */
export class Crash extends Error {
  constructor() {
    super('crash');
    this.name = 'Crash';
  }
}

interface Call {
  readonly operation: Operation;
  readonly type: FileType;
  readonly name: string;
}

function fits(f: Fault, call: Call): boolean {
  return (
    (f.operation ?? call.operation) === call.operation &&
    (f.type ?? call.type) === call.type &&
    (f.name ?? call.name) === call.name
  );
}

type Kind<K extends Fault['kind']> = Extract<Fault, { readonly kind: K }>;

/** Which operations a kind of fault can harm. */
const HARMS: Readonly<Record<Fault['kind'], readonly Operation[]>> = {
  error: ['save', 'load', 'stat', 'list', 'remove'],
  'short-read': ['load'],
  'flipped-bit': ['load'],
  'late-list': ['list'],
  'stale-list': ['list'],
};

class Script {
  readonly #faults: readonly { readonly fault: Fault; skip: number; left: number }[];

  constructor(faults: readonly Fault[]) {
    this.#faults = faults.map((fault) => ({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 }));
  }

  /** The faults that strike this call; each is used up a little by it. */
  strike(call: Call): readonly Fault[] {
    return this.#faults.filter((f) => this.#uses(f, call)).map((f) => f.fault);
  }

  #uses(f: { readonly fault: Fault; skip: number; left: number }, call: Call): boolean {
    if (!HARMS[f.fault.kind].includes(call.operation) || !fits(f.fault, call)) return false;
    if (f.skip > 0) {
      f.skip--;
      return false;
    }
    return f.left-- > 0;
  }
}

function only<K extends Fault['kind']>(faults: readonly Fault[], kind: K): Kind<K> | undefined {
  return faults.find((f): f is Kind<K> => f.kind === kind);
}

function harmed(bytes: Uint8Array, faults: readonly Fault[]): Uint8Array {
  const short = only(faults, 'short-read');
  const flip = only(faults, 'flipped-bit');
  const result = Uint8Array.from(bytes).subarray(0, bytes.length - (short?.missing ?? 0));
  if (flip !== undefined && result.length > 0) {
    const at = (flip.bit >> 3) % result.length;
    result[at] = (result[at] ?? 0) ^ (1 << (flip.bit & 7));
  }
  return result;
}

/** What has happened to the files of a storage since the wrapping. */
interface Changes {
  readonly saved: Map<string, FileInfo>;
  readonly removed: Map<string, FileInfo>;
}

const keyOf = (h: Handle): string => `${h.type}/${h.name}`;

async function* faultyList(
  inner: Backend,
  type: FileType,
  o: CallOptions | undefined,
  faults: readonly Fault[],
  changes: Changes,
): AsyncGenerator<FileInfo> {
  const error = only(faults, 'error');
  const late = only(faults, 'late-list') !== undefined;
  let given = 0;
  for await (const file of inner.list(type, o)) {
    if (error !== undefined && given >= (error.afterFiles ?? 0)) break;
    if (late && changes.saved.has(`${type}/${file.name}`)) continue;
    given++;
    yield file;
  }
  if (error !== undefined) throw error.error();
  if (only(faults, 'stale-list') === undefined) return;
  for (const [key, file] of changes.removed) if (key.startsWith(`${type}/`)) yield file;
}

/** Each call is struck by every fault that fits it. */
export function faulty(faults: readonly Fault[]): Wrap {
  const script = new Script(faults);
  return (inner) => {
    const changes: Changes = { saved: new Map(), removed: new Map() };
    const call = async <T>(c: Call, work: (struck: readonly Fault[]) => Promise<T>): Promise<T> => {
      const struck = script.strike(c);
      const error = only(struck, 'error');
      if (error !== undefined && !error.afterwards) throw error.error();
      const result = await work(struck);
      if (error !== undefined) throw error.error();
      return result;
    };
    return {
      location: inner.location,
      traits: inner.traits,
      save: (h, data, o) =>
        call({ operation: 'save', ...h }, async () => {
          await inner.save(h, data, o);
          changes.saved.set(keyOf(h), { name: h.name, size: 0 });
          changes.removed.delete(keyOf(h));
        }),
      load: (h: Handle, o?: LoadOptions) =>
        call({ operation: 'load', ...h }, async (struck) => harmed(await inner.load(h, o), struck)),
      stat: (h, o) => call({ operation: 'stat', ...h }, () => inner.stat(h, o)),
      list: (type, o) =>
        faultyList(inner, type, o, script.strike({ operation: 'list', type, name: '' }), changes),
      remove: (h, o) =>
        call({ operation: 'remove', ...h }, async () => {
          const info = await inner.stat(h).catch(() => undefined);
          await inner.remove(h, o);
          changes.saved.delete(keyOf(h));
          if (info !== undefined) changes.removed.set(keyOf(h), info);
        }),
      close: () => inner.close(),
    };
  };
}

/**
 * Lets `writes` saves and removals through and dies at the next one, before it reaches the storage; from then on
 * every call throws `Crash`. `reached()` tells whether it came to that.
 */
export function crashAfter(writes: number): Wrap & { readonly reached: () => boolean } {
  let left = writes;
  let dead = false;
  const alive = (): void => {
    if (dead) throw new Crash();
  };
  const write = (): void => {
    alive();
    dead = left-- <= 0;
    alive();
  };
  const wrap: Wrap = (inner) => ({
    location: inner.location,
    traits: inner.traits,
    async save(h, data, o) {
      write();
      await inner.save(h, data, o);
      alive();
    },
    async load(h, o) {
      alive();
      const bytes = await inner.load(h, o);
      alive();
      return bytes;
    },
    async stat(h, o) {
      alive();
      return inner.stat(h, o);
    },
    async *list(type, o) {
      alive();
      for await (const file of inner.list(type, o)) {
        alive();
        yield file;
      }
    },
    async remove(h, o) {
      write();
      await inner.remove(h, o);
      alive();
    },
    close: () => inner.close(),
  });
  return Object.assign(wrap, { reached: () => dead });
}
