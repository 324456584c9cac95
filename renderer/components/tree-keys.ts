/** What a tree is to its keys, and what they do in it, by the pattern of the ARIA authoring practices. */
import type { KeyboardEvent, ReactNode } from 'react';

export interface TreeItem {
  /** From 1 on. */
  readonly level: number;
  /** Its number among its siblings, from 1 on. */
  readonly position: number;
  readonly siblings: number;
  /** What is typed to get there, and what screen readers say. */
  readonly name: string;
  /** undefined: nothing can be below it. */
  readonly expanded: boolean | undefined;
  /** undefined: it can't be chosen. */
  readonly checked: boolean | 'mixed' | undefined;
  readonly content: ReactNode;
}

export interface Tree {
  readonly count: number;
  readonly item: (row: number) => TreeItem;
  readonly parentOf: (row: number) => number | undefined;
  /** The row that the keyboard is at. */
  readonly active: number;
  readonly onActive: (row: number) => void;
  readonly onExpand: (row: number, expanded: boolean) => void;
  readonly onCheck: (row: number) => void;
  readonly onEnter: (row: number) => void;
}

type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'timeStamp'>;

/** undefined: the key is none of the tree's. `page`: rows that fit in sight. */
export function actionOf(e: Key, tree: Tree, page: number, typed: Typed): (() => void) | undefined {
  // Whoever goes elsewhere has typed the name to its end.
  if ([...e.key].length !== 1) typed.end();
  if (tree.count === 0 || e.ctrlKey || e.metaKey || e.altKey) return undefined;
  const { active } = tree;
  const go = (row: number) => () => tree.onActive(Math.max(0, Math.min(row, tree.count - 1)));
  switch (e.key) {
    case 'ArrowDown':
      return go(active + 1);
    case 'ArrowUp':
      return go(active - 1);
    case 'PageDown':
      return go(active + page);
    case 'PageUp':
      return go(active - page);
    case 'Home':
      return go(0);
    case 'End':
      return go(tree.count - 1);
    case 'ArrowRight':
      return inward(tree);
    case 'ArrowLeft':
      return outward(tree);
    case 'Enter':
      return () => tree.onEnter(active);
    case ' ':
      // Within a name that is being typed it belongs to the name.
      if (!typed.isOpen(e.timeStamp)) return () => tree.onCheck(active);
      break;
  }
  if ([...e.key].length !== 1) return undefined;
  const text = typed.add(e.key, e.timeStamp);
  return () => {
    const found = findTyped(tree, text);
    if (found !== undefined) tree.onActive(found);
  };
}

function inward(tree: Tree): () => void {
  const { active, item } = tree;
  const { expanded, level } = item(active);
  if (expanded === false) return () => tree.onExpand(active, true);
  const hasChild = active + 1 < tree.count && item(active + 1).level > level;
  return () => hasChild && tree.onActive(active + 1);
}

function outward(tree: Tree): () => void {
  const { active } = tree;
  if (tree.item(active).expanded === true) return () => tree.onExpand(active, false);
  const parent = tree.parentOf(active);
  return () => parent !== undefined && tree.onActive(parent);
}

/** So many rows are looked through; what has not been loaded has no name to be found by. */
const FAR = 5000;

/** The next row whose name begins so, from the active one on and around. One letter again and again goes from one to the next. */
function findTyped({ count, active, item }: Tree, text: string): number | undefined {
  const same = new Set(text).size === 1;
  const wanted = (same ? text.slice(0, 1) : text).toLocaleLowerCase();
  const start = same ? active + 1 : active;
  for (let i = 0; i < Math.min(count, FAR); i++) {
    const row = (start + i) % count;
    if (item(row).name.toLocaleLowerCase().startsWith(wanted)) return row;
  }
  return undefined;
}

/** Within it, in milliseconds, a letter belongs to those before it. */
const PAUSE = 700;

/** What has been typed without a pause. */
export class Typed {
  #text = '';
  #at = Number.NEGATIVE_INFINITY;

  isOpen(at: number): boolean {
    return this.#text !== '' && at - this.#at < PAUSE;
  }

  end(): void {
    this.#text = '';
  }

  add(letter: string, at: number): string {
    this.#text = this.isOpen(at) ? this.#text + letter : letter;
    this.#at = at;
    return this.#text;
  }
}
