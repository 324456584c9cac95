/**
 * JSON with line breaks and two blanks for each level, as restic's `cat` shows it. Works on the text, so that
 * numbers and escapes stay as they are stored.
 */
export function indentJson(text: string): string {
  let out = '';
  let depth = 0;
  const newLine = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[{}[\],:]|[^\s"{}[\],:]+/gs)) {
    if (token === '{' || token === '[') {
      depth++;
      out += token + newLine();
    } else if (token === '}' || token === ']') {
      depth--;
      out += newLine() + token;
    } else if (token === ',') out += token + newLine();
    else if (token === ':') out += ': ';
    else out += /^[[{]/.test(token) ? token.replace(/\s/g, '') : token;
  }
  return out;
}
