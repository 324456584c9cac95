/** Counts the calls that reach a storage, and remembers the writes in their order. */
import type { Handle, Wrap } from '../../src/backend/backend.ts';
import type { Operation } from '../../src/backend/calls.ts';

export interface Write {
  readonly operation: 'save' | 'remove';
  readonly handle: Handle;
}

export type CountingWrap = Wrap & {
  readonly calls: Readonly<Record<Operation, number>>;
  /** Saves and removals that were begun. */
  readonly writes: readonly Write[];
};

export function counting(): CountingWrap {
  const calls = { save: 0, load: 0, stat: 0, list: 0, remove: 0 };
  const writes: Write[] = [];
  const wrap: Wrap = (inner) => ({
    location: inner.location,
    traits: inner.traits,
    save(h, data, o) {
      calls.save++;
      writes.push({ operation: 'save', handle: h });
      return inner.save(h, data, o);
    },
    load(h, o) {
      calls.load++;
      return inner.load(h, o);
    },
    stat(h, o) {
      calls.stat++;
      return inner.stat(h, o);
    },
    list(type, o) {
      calls.list++;
      return inner.list(type, o);
    },
    remove(h, o) {
      calls.remove++;
      writes.push({ operation: 'remove', handle: h });
      return inner.remove(h, o);
    },
    close: () => inner.close(),
  });
  return Object.assign(wrap, { calls, writes });
}
