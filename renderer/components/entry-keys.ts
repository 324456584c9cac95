/** The keys of a list of files, as file managers have them. */
import type { FolderEntry } from '../../src/api/model/computer.ts';

const PAGE = 10;

/** Where a key leads to from an entry; undefined: it is none that moves. */
export function moved(
  key: string,
  active: number,
  entries: readonly Pick<FolderEntry, 'name'>[],
): number | undefined {
  const last = Math.max(0, entries.length - 1);
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, active + 1);
    case 'ArrowUp':
      return Math.max(0, active - 1);
    case 'PageDown':
      return Math.min(last, active + PAGE);
    case 'PageUp':
      return Math.max(0, active - PAGE);
    case 'Home':
      return 0;
    case 'End':
      return last;
  }
  if (key.length !== 1 || key === ' ') return undefined;
  // To the next name with this letter, all around.
  const letter = key.toLocaleLowerCase();
  for (let i = 1; i <= entries.length; i++) {
    const at = (active + i) % entries.length;
    if (entries[at]?.name.toLocaleLowerCase().startsWith(letter)) return at;
  }
  return undefined;
}
