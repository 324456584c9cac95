import { describe, expect, it } from 'vitest';
import { actionOf, Typed } from '../../../renderer/components/tree-keys.ts';

/** By their indentation; a folder is open if something is below it, closed if its name ends so: '+'. */
const ROWS = ['home', ' ann', '  Bilder', '  brief.txt', '  zwei Briefe.txt', ' ben+', 'var+'];
const levelOf = (row: number) => (ROWS[row] ?? '').search(/\S/) + 1;

class Tree {
  active = 0;
  readonly done: string[] = [];
  readonly count = ROWS.length;
  readonly #typed = new Typed();
  item = (row: number) => {
    const name = (ROWS[row] ?? '').trim();
    const open = levelOf(row + 1) > levelOf(row) && row + 1 < this.count;
    const expanded = name.endsWith('+') ? false : open || undefined;
    return {
      level: levelOf(row),
      position: 1,
      siblings: 1,
      name,
      expanded,
      checked: false,
      content: null,
    };
  };
  parentOf = (row: number) => {
    for (let above = row - 1; above >= 0; above--) if (levelOf(above) < levelOf(row)) return above;
    return undefined;
  };
  onActive = (row: number) => {
    this.active = row;
  };
  onExpand = (row: number, expanded: boolean) => void this.done.push(`${expanded ? 'open' : 'close'} ${row}`);
  onCheck = (row: number) => void this.done.push(`check ${row}`);
  onEnter = (row: number) => void this.done.push(`enter ${row}`);

  /** Whether the tree knew it. */
  press(key: string, at = 0, ctrlKey = false): boolean {
    const e = { key, ctrlKey, metaKey: false, altKey: false, timeStamp: at };
    const action = actionOf(e, this, 3, this.#typed);
    action?.();
    return action !== undefined;
  }

  type(text: string, at = 0): void {
    for (const letter of text) this.press(letter, at);
  }
}

describe('keys of a tree', () => {
  it('go up and down, and stop at the ends', () => {
    const tree = new Tree();
    tree.press('ArrowUp');
    expect(tree.active).toBe(0);
    tree.press('PageDown');
    tree.press('ArrowDown');
    expect(tree.active).toBe(4);
    tree.press('End');
    tree.press('ArrowDown');
    expect(tree.active).toBe(6);
    tree.press('Home');
    expect(tree.active).toBe(0);
  });

  it('go in and out', () => {
    const tree = new Tree();
    tree.press('ArrowRight');
    expect(tree.active).toBe(1);
    tree.active = 3;
    tree.press('ArrowRight');
    expect(tree.active).toBe(3);
    tree.press('ArrowLeft');
    expect(tree.active).toBe(1);
    tree.press('ArrowLeft');
    tree.active = 5;
    tree.press('ArrowRight');
    tree.press('ArrowLeft');
    expect(tree.active).toBe(0);
    tree.active = 6;
    tree.press('ArrowLeft');
    expect(tree.active).toBe(6);
    expect(tree.done).toEqual(['close 1', 'open 5']);
  });

  it('choose and enter', () => {
    const tree = new Tree();
    tree.press(' ');
    tree.press('Enter');
    expect(tree.done).toEqual(['check 0', 'enter 0']);
  });

  it('go to a name that is typed, spaces and all', () => {
    const tree = new Tree();
    tree.type('zwei b');
    expect(tree.active).toBe(4);
    expect(tree.done).toEqual([]);
  });

  it('go from one to the next by one letter', () => {
    const tree = new Tree();
    const seen = [0, 1, 2, 3].map((n) => {
      tree.press('b', n * 5000);
      return tree.active;
    });
    expect(seen).toEqual([2, 3, 5, 2]);
  });

  it('begin a new name after a pause, and after another key', () => {
    const tree = new Tree();
    tree.type('zw');
    tree.type('v', 5000);
    expect(tree.active).toBe(6);
    tree.type('br', 9000);
    expect(tree.active).toBe(3);
    tree.press('ArrowDown', 9001);
    tree.press(' ', 9002);
    expect(tree.done).toEqual(['check 4']);
  });

  it('leave to the browser what is its own', () => {
    const tree = new Tree();
    expect(tree.press('a', 0, true)).toBe(false);
    expect(tree.press('Tab')).toBe(false);
    expect(tree.press('F5')).toBe(false);
  });
});
