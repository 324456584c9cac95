/** What makes two versions of a file the same to a person who looks for it: kind, size, time and content. */
import { createHash } from 'node:crypto';
import { toSecNs } from '../format/time.ts';
import type { Node } from '../format/types.ts';

export const KINDS = ['file', 'dir', 'symlink', 'other'] as const;
export type Kind = (typeof KINDS)[number];

export interface NodeState {
  readonly kind: Kind;
  /** Bytes; 0 for all but files. What a damaged tree claims beyond 2^53 is cut. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
  /** 44 bits of a hash over the blobs of a file or the target of a link, enough to tell two states of one path apart. */
  readonly content: number;
}

export function stateOf(node: Node): NodeState {
  const kind = node.type === 'file' || node.type === 'dir' || node.type === 'symlink' ? node.type : 'other';
  const { sec, ns } = toSecNs(node.mtime);
  return {
    kind,
    size: kind === 'file' ? Math.min(Number(node.size), Number.MAX_SAFE_INTEGER) : 0,
    mtime: sec * 1000 + Math.floor(ns / 1e6),
    content: contentOf(node),
  };
}

export function sameState(a: NodeState, b: NodeState): boolean {
  return a.kind === b.kind && a.size === b.size && a.mtime === b.mtime && a.content === b.content;
}

/** As many digits as SQLite keeps in six bytes. */
const DIGITS = 11;

function contentOf(node: Node): number {
  const [first, ...rest] = node.content ?? [];
  if (first === undefined) return node.linkTarget === '' ? 0 : digest(node.linkTarget);
  return rest.length === 0 ? Number.parseInt(first.slice(0, DIGITS), 16) : digest(first + rest.join(''));
}

function digest(text: string): number {
  return Number.parseInt(createHash('sha256').update(text, 'latin1').digest('hex').slice(0, DIGITS), 16);
}
