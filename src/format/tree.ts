/**
 * Trees: the JSON `{"nodes":[…]}` with a newline at its end, one node for each name in a directory.
 *
 * A tree's id is the hash of these bytes. Reading keeps what it finds, in its order, so that an odd listing can still
 * be shown; writing insists on the order that restic insists on.
 */
import { type ByteString, rawByteString } from '../util/byte-string.ts';
import { asObject, listField } from './fields.ts';
import { damaged, parseJson } from './go-json.ts';
import { parseNode, serializeNode } from './node.ts';
import type { Node, Tree } from './types.ts';

const WHAT = 'a directory listing';

/** Characters that are gathered before they become bytes: keeps the rope of a huge directory short. */
const PIECE = 1 << 20;

/**
 * The tree in a tree blob. Names are not judged (see `isSafeName`), nor their order. Error: 'damaged'.
 */
export function parseTree(bytes: Uint8Array): Tree {
  const nodes = listField(asObject(parseJson(bytes, WHAT), WHAT), 'nodes', WHAT);
  if (nodes === null) throw damaged(WHAT, 'lacks its list of entries');
  return { nodes: nodes.map(parseNode) };
}

/**
 * The tree blob of these nodes, byte for byte as restic writes it.
 * Error: 'damaged' where a name is empty, twice there or not in the order of bytes: no reader could find it again.
 */
export function serializeTree(nodes: Iterable<Node>): Buffer {
  const pieces: Buffer[] = [];
  let text = '{"nodes":[';
  let last = rawByteString('');
  for (const node of nodes) {
    if (node.name <= last) throw damaged(WHAT, 'has names twice or out of order');
    text += last === '' ? serializeNode(node) : `,${serializeNode(node)}`;
    last = node.name;
    if (text.length < PIECE) continue;
    pieces.push(Buffer.from(text, 'utf8'));
    text = '';
  }
  pieces.push(Buffer.from(`${text}]}\n`, 'utf8'));
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Whether a name can stand for an entry of a directory: not empty, not `.` or `..`, without `/` and NUL. */
export function isSafeName(name: ByteString): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}
