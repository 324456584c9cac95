/**
 * Splits a command into its words as restic does: blanks divide, quotes of either kind hold together, and a
 * backslash outside quotes divides too (it has no meaning of its own, except that it takes the meaning from a
 * quote after it). Source: the behaviour of restic's `SplitShellStrings`.
 */
import { EngineError } from '../api/errors.ts';

/** Error: 'usage' for a quote without end and for a command without words. */
export function shellWords(command: string): readonly [string, ...string[]] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  let previous = '';
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (const c of command) {
    const opens = previous !== '\\' && quote === undefined && (c === '"' || c === "'");
    const closes = previous !== '\\' && quote === c;
    if (opens || closes) {
      quote = opens ? c : undefined;
      endWord();
      continue;
    }
    previous = c;
    if (quote === undefined && (c === '\\' || /\s/.test(c))) endWord();
    else word = (word ?? '') + c;
  }
  endWord();
  if (quote !== undefined) throw new EngineError('usage', `the command has a ${quote} that is never closed`);
  const [first, ...rest] = words;
  if (first === undefined) throw new EngineError('usage', 'the command is empty');
  return [first, ...rest];
}
