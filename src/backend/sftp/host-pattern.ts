/** The patterns by which the files of SSH name hosts. Source: ssh_config(5), PATTERNS. */

function matcher(pattern: string): RegExp {
  const source = pattern
    .toLowerCase()
    .replace(/[\\^$+.()|[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

/** Whether a list of patterns means `name`: one of them must, and none behind an exclamation mark may. */
export function fits(patterns: readonly string[], name: string): boolean {
  const lower = name.toLowerCase();
  const means = (pattern: string) => matcher(pattern).test(lower);
  if (patterns.some((p) => p.startsWith('!') && means(p.slice(1)))) return false;
  return patterns.some((p) => !p.startsWith('!') && means(p));
}
