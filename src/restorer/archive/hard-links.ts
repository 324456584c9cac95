/** Files with several names in one archive. */
import { createHash } from 'node:crypto';
import type { Node } from '../../format/types.ts';
import type { ByteString } from '../../util/byte-string.ts';

export class HardLinks {
  readonly #first = new Map<string, ByteString>();

  /** The path under which the same file was added before. */
  earlier(node: Node): ByteString | undefined {
    const key = keyOf(node);
    return key === undefined ? undefined : this.#first.get(key);
  }

  /** The file is in the archive under this path. */
  added(node: Node, path: ByteString): void {
    const key = keyOf(node);
    if (key !== undefined && !this.#first.has(key)) this.#first.set(key, path);
  }
}

/** undefined for what has but one name. The content counts too, for inode numbers can lie. */
function keyOf(node: Node): string | undefined {
  if (node.type !== 'file' || node.links === 0 || node.links === 1) return undefined;
  const digest = createHash('sha256')
    .update((node.content ?? []).join())
    .digest('base64');
  return `${node.deviceId}/${node.inode}/${digest}`;
}
