/**
 * Reading a tree blob piece by piece: that of a folder with a million entries is hundreds of megabytes of JSON, longer than
 * Node's longest string, and its parsing would hold up the thread for seconds.
 */
import { parseTree } from '../format/tree.ts';
import type { Node } from '../format/types.ts';

const HEAD = Buffer.from('{"nodes":[');
const TAIL = Buffer.from(']}');
/** Bytes that are parsed at once: about a hundred entries, a millisecond. */
const PIECE = 64 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_LIST = 0x5d;

/**
 * The nodes of a tree blob in its order, some at a time. What is not written as restic writes it (white space, other members)
 * comes in one piece. Error: 'damaged', perhaps after some pieces.
 */
export function* nodesInSlices(bytes: Uint8Array): Generator<readonly Node[]> {
  if (bytes.length <= PIECE || !startsPlainly(bytes)) {
    yield parseTree(bytes).nodes;
    return;
  }
  let from = HEAD.length;
  while (from >= 0) {
    const end = endOfPiece(bytes, from);
    // Nothing that this reader understands: the other one tells what is wrong with it, or reads it after all.
    if (end < 0 || (bytes[end] === CLOSE_LIST && !endsPlainly(bytes, end))) {
      yield parseTree(Buffer.concat([HEAD, bytes.subarray(from)])).nodes;
      return;
    }
    yield parseTree(Buffer.concat([HEAD, bytes.subarray(from, end), TAIL])).nodes;
    from = bytes[end] === COMMA ? end + 1 : -1;
  }
}

function startsPlainly(bytes: Uint8Array): boolean {
  return HEAD.every((byte, i) => bytes[i] === byte) && bytes[HEAD.length] === OPEN_OBJECT;
}

function endsPlainly(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at + 1] === CLOSE_OBJECT &&
    (at + 2 === bytes.length || (at + 3 === bytes.length && bytes[at + 2] === 0x0a))
  );
}

/** Where the comma or bracket stands that follows enough whole entries; -1 where there is none. */
function endOfPiece(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const c = bytes[at]!;
    if (c === QUOTE) at = closingQuote(bytes, at + 1);
    else if (c === OPEN_OBJECT || c === 0x5b) depth++;
    else if (depth > 0 && (c === CLOSE_OBJECT || c === CLOSE_LIST)) depth--;
    else if (depth === 0 && (c === CLOSE_LIST || (c === COMMA && at - from >= PIECE))) return at;
  }
  return -1;
}

function closingQuote(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
