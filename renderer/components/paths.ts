/** Paths of the host's computer, whose system the page does not know. */

/** Such as `/home` or `C:\Users`: what is meant does not depend on where the host runs. */
export function isAbsolute(path: string): boolean {
  return /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** What the path's own system puts between names. */
export function separatorOf(path: string): '/' | '\\' {
  return /^(?:[A-Za-z]:|\\\\)/.test(path) ? '\\' : '/';
}

/** A name within a folder: `/` and `Documents` make `/Documents`. */
export function joined(folder: string, name: string): string {
  const separator = separatorOf(folder);
  return folder.endsWith(separator) ? folder + name : folder + separator + name;
}

export interface Crumb {
  readonly name: string;
  readonly path: string;
}

/** The folders on the way to a path, from the root on, itself the last. */
export function crumbsOf(path: string): readonly Crumb[] {
  const separator = separatorOf(path);
  const root = /^(?:[A-Za-z]:\\?|\\\\[^\\]+\\[^\\]+|\/)/.exec(path)?.[0] ?? '';
  const crumbs: Crumb[] = [{ name: root, path: root }];
  for (const name of path.slice(root.length).split(separator)) {
    const above = crumbs.at(-1);
    if (name !== '' && above) crumbs.push({ name, path: joined(above.path, name) });
  }
  return crumbs;
}

/** The last name of a path; the path itself where it has none. */
export function baseName(path: string): string {
  return crumbsOf(path).at(-1)?.name ?? path;
}

/** Whether a path is a folder or lies in it. Letters' case counts: to be wrong on the safe side costs a hint. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(joined(folder, ''));
}
