/** Names as they are searched: without case, accents and the like. */

const ASCII = /^[\x00-\x7f]*$/;
/** Longer ones are searched by their beginning. No file system has names beyond 255. */
const MOST_CHARACTERS = 512;

/** Two texts that a person would spell alike give the same; an accent or a capital letter makes no difference. */
export function fold(text: string): string {
  const short = text.length > MOST_CHARACTERS ? text.slice(0, MOST_CHARACTERS).toWellFormed() : text;
  if (ASCII.test(short)) return short.toLowerCase();
  const bare = short.toWellFormed().normalize('NFKD').replace(/\p{M}/gu, '');
  // Upper case first: it spells out what has no other case, as ß.
  return bare.toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}
