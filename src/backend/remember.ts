/**
 * For storages whose lists lag: what this process saved is in the lists, and what it removed is not, until the storage's own list
 * agrees. What others did stays as the storage tells it.
 *
 * note     one thing that this process did and that the list has not shown yet
 * settled  so old that the list should have shown it long ago: others may have undone it, so the file itself is asked for
 */
import { isEngineError } from '../api/errors.ts';
import type { FileType } from '../format/types.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import {
  type Backend,
  type CallOptions,
  type FileInfo,
  type Handle,
  type ListOptions,
  passOn,
  type Wrap,
} from './backend.ts';
import { throwIfAborted, totalLength } from './calls.ts';

export interface RememberOptions {
  /** Notes kept at most; the oldest go first. 50,000 unless told, some megabytes. */
  readonly most?: number;
  readonly clock?: Clock;
}

interface Note {
  readonly h: Handle;
  /** Bytes; undefined: removed. */
  readonly size: number | undefined;
  readonly at: number;
}

const MOST = 50_000;
const SETTLED_MS = 5 * 60_000;

class Notes {
  readonly #most: number;
  readonly #clock: Clock;
  /** In the order in which things were done. */
  readonly #notes = new Map<string, Note>();

  constructor({ most = MOST, clock = systemClock }: RememberOptions) {
    this.#most = most;
    this.#clock = clock;
  }

  take(h: Handle, size: number | undefined): void {
    this.drop(h);
    this.#notes.set(keyOf(h), { h, size, at: this.#clock.now() });
    for (const key of this.#notes.keys()) {
      if (this.#notes.size <= this.#most) return;
      this.#notes.delete(key);
    }
  }

  drop(h: Handle): void {
    this.#notes.delete(keyOf(h));
  }

  /** Unless something else was done to the file meanwhile. */
  dropIfStill(note: Note): void {
    if (this.of(note.h) === note) this.drop(note.h);
  }

  of(h: Handle): Note | undefined {
    return this.#notes.get(keyOf(h));
  }

  all(type: FileType): readonly Note[] {
    return [...this.#notes.values()].filter((note) => note.h.type === type);
  }

  isSettled(note: Note): boolean {
    return this.#clock.now() - note.at > SETTLED_MS;
  }
}

const keyOf = (h: Handle): string => `${h.type}/${h.name}`;

/** Of what may have happened or not, nothing is noted; a call begun after an abort did nothing. */
async function noting(
  notes: Notes,
  { h, size }: Omit<Note, 'at'>,
  o: CallOptions | undefined,
  work: () => Promise<void>,
): Promise<void> {
  if (o?.signal?.aborted) return work();
  try {
    await work();
    notes.take(h, size);
  } catch (e) {
    notes.drop(h);
    throw e;
  }
}

async function* listWithNotes(
  inner: Backend,
  notes: Notes,
  type: FileType,
  o: ListOptions | undefined,
): AsyncGenerator<FileInfo> {
  const before = notes.all(type);
  const shown = new Set<string>();
  for await (const file of inner.list(type, o)) {
    shown.add(file.name);
    const note = notes.of({ type, name: file.name });
    if (note === undefined) yield file;
    else if (note.size !== undefined) {
      if (note.size === file.size) notes.dropIfStill(note);
      yield note.size === file.size ? file : { name: file.name, size: note.size };
    }
  }
  for (const note of before) {
    if (note.size === undefined && !shown.has(note.h.name)) notes.dropIfStill(note);
  }
  yield* missingIn(inner, notes, notes.all(type), shown, o);
}

/** What was saved and not listed. */
async function* missingIn(
  inner: Backend,
  notes: Notes,
  noted: readonly Note[],
  shown: ReadonlySet<string>,
  o: ListOptions | undefined,
): AsyncGenerator<FileInfo> {
  for (const note of noted) {
    throwIfAborted(o?.signal);
    if (note.size === undefined || shown.has(note.h.name)) continue;
    if (notes.isSettled(note) && !(await isThere(inner, note.h, o))) notes.dropIfStill(note);
    if (notes.of(note.h) === note) yield { name: note.h.name, size: note.size };
  }
}

async function isThere(inner: Backend, h: Handle, o: ListOptions | undefined): Promise<boolean> {
  try {
    await inner.stat(h, o?.signal ? { signal: o.signal } : {});
    return true;
  } catch (e) {
    if (isEngineError(e, 'not-found')) return false;
    throw e;
  }
}

export function remember(o: RememberOptions = {}): Wrap {
  return (inner): Backend => {
    const notes = new Notes(o);
    return {
      location: inner.location,
      traits: inner.traits,
      save: (h, data, c) => noting(notes, { h, size: totalLength(data) }, c, () => inner.save(h, data, c)),
      load: (h, c) => inner.load(h, c),
      stat: (h, c) => inner.stat(h, c),
      list: (type, c) => listWithNotes(inner, notes, type, c),
      remove: (h, c) => noting(notes, { h, size: undefined }, c, () => inner.remove(h, c)),
      ...passOn(inner),
      close: () => inner.close(),
    };
  };
}
