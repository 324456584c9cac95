/** A storage in memory, for tests and dry runs. It keeps copies: what a caller later does to a buffer changes nothing. */
import type { Backend, FileInfo, Handle } from '../backend.ts';
import { notFound, spanOf, throwIfAborted } from '../calls.ts';
import { checkHandle } from '../layout.ts';

const keyOf = (h: Handle): string => {
  checkHandle(h);
  return `${h.type}/${h.name}`;
};

export function createMemory(): Backend {
  const files = new Map<string, Buffer>();
  const find = (h: Handle): Buffer => {
    const bytes = files.get(keyOf(h));
    if (bytes === undefined) throw notFound(h);
    return bytes;
  };
  return {
    location: 'memory',
    traits: { connections: 8, atomicReplace: true, listLag: false },
    async save(h, data, o) {
      const key = keyOf(h);
      throwIfAborted(o?.signal);
      files.set(key, Buffer.concat(data));
    },
    async load(h, o) {
      throwIfAborted(o?.signal);
      const bytes = find(h);
      const { offset, length } = spanOf(h, bytes.length, o);
      const copy = Buffer.allocUnsafeSlow(length);
      bytes.copy(copy, 0, offset, offset + length);
      return copy;
    },
    async stat(h, o): Promise<FileInfo> {
      throwIfAborted(o?.signal);
      return { name: h.name, size: find(h).length };
    },
    async *list(type, o) {
      throwIfAborted(o?.signal);
      for (const [key, bytes] of [...files]) {
        const [of = '', name = ''] = key.split('/');
        if (of === type) yield { name, size: bytes.length };
        throwIfAborted(o?.signal);
      }
    },
    async remove(h, o) {
      const key = keyOf(h);
      throwIfAborted(o?.signal);
      files.delete(key);
    },
    async close() {},
  };
}
