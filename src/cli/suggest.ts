/** What somebody may have meant by a word that is none of the known ones. */

/** The known words that are a slip or two of the finger away (one in a short word), or begin with the word. */
export function suggestions(word: string, known: readonly string[]): readonly string[] {
  const typed = word.toLowerCase();
  const near = Math.min(2, Math.ceil(typed.length / 3));
  return known.filter((candidate) => candidate.startsWith(typed) || distance(typed, candidate) <= near);
}

/** Levenshtein's distance: insertions, deletions and replacements of single characters. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
