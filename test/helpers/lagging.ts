/** A storage whose lists lag: each shows how things were some changes ago. */
import type { FileInfo, Handle, Wrap } from '../../src/backend/backend.ts';
import { throwIfAborted, totalLength } from '../../src/backend/calls.ts';
import type { FileType } from '../../src/format/types.ts';

export type LaggingWrap = Wrap & {
  /** Lists show all from now on, up to the next change. */
  catchUp(): void;
};

interface Change {
  readonly h: Handle;
  /** Bytes; undefined: removed. */
  readonly size: number | undefined;
}

/** `changes`: so many of the last ones are not shown. */
export function lagging(changes: number): LaggingWrap {
  const shown = new Map<FileType, Map<string, number>>();
  const hidden: Change[] = [];
  const show = ({ h, size }: Change): void => {
    const files = shown.get(h.type) ?? new Map<string, number>();
    shown.set(h.type, files);
    if (size === undefined) files.delete(h.name);
    else files.set(h.name, size);
  };
  const done = (h: Handle, size: number | undefined): void => {
    hidden.push({ h, size });
    for (const change of hidden.splice(0, Math.max(0, hidden.length - changes))) show(change);
  };
  const wrap: Wrap = (inner) => ({
    ...inner,
    traits: { ...inner.traits, listLag: true },
    async save(h, data, o) {
      await inner.save(h, data, o);
      done(h, totalLength(data));
    },
    async remove(h, o) {
      await inner.remove(h, o);
      done(h, undefined);
    },
    async *list(type, o): AsyncGenerator<FileInfo> {
      for (const [name, size] of [...(shown.get(type) ?? [])]) {
        throwIfAborted(o?.signal);
        yield { name, size };
      }
      throwIfAborted(o?.signal);
    },
  });
  return Object.assign(wrap, { catchUp: () => hidden.splice(0).forEach(show) });
}
