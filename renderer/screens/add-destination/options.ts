/** Options of a storage as people write them: `name=value`, one a line, as after `-o` on the command line. */
import { StorageOptions } from '../../../src/api/model/destination.ts';

/** Empty lines don't count, and a value may hold further equals signs. 'wrong': a line is none of that form. */
export function parseOptions(lines: string): StorageOptions | 'wrong' {
  const options: Record<string, string> = {};
  for (const line of lines.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    if (at < 0) return 'wrong';
    options[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  const parsed = StorageOptions.safeParse(options);
  return parsed.success ? parsed.data : 'wrong';
}

export function optionLines(options: StorageOptions): string {
  return Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

/** Those that were given: no text, no option. */
export function given(options: Readonly<Record<string, string>>): Record<string, string> {
  const trimmed = Object.entries(options).map(([name, value]) => [name, value.trim()] as const);
  return Object.fromEntries(trimmed.filter(([, value]) => value !== ''));
}
