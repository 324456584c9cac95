/** Where the repository is, from the flags, the variables or the file that they name. */
import { EngineError } from '../api/errors.ts';
import type { Access } from './globals.ts';
import { readTextFile } from './text-file.ts';

/** undefined when nothing says it. Error: 'usage' for a file that can't be read or is empty. */
export async function findLocation(access: Access, signal: AbortSignal): Promise<string | undefined> {
  if (access.repositoryFile === undefined) return access.repo;
  const location = (await readTextFile(access.repositoryFile, signal)).trim();
  if (location === '')
    throw new EngineError('usage', `There is nothing in the file ${access.repositoryFile}.`);
  return location;
}

export function noLocation(): EngineError {
  return new EngineError('usage', 'No repository is given.', {
    hint: 'Say which one with --repo or HOLDFAST_REPOSITORY, or make the first backup with `holdfast backup <folder>`.',
  });
}
