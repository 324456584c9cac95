/** What a test of a connection means for what can be done with a place. */
import type { ConnectionTest } from '../../src/api/model/destination.ts';

/** Whether backups could be kept there. A password that is missing or wrong is no fault of the place. */
export function isUsable({ problem, writable, repository }: ConnectionTest): boolean {
  return (writable && problem === null) || (repository && problem?.code === 'wrong-password');
}

/** There is a repository, but nothing can be written to it: files can be had from it, none be kept in it. */
export function isOnlyReadable({ problem, writable, repository }: ConnectionTest): boolean {
  return repository && !writable && (problem === null || READING_GOES_ON.includes(problem.code));
}

const READING_GOES_ON: readonly string[] = ['read-only', 'permission', 'no-space', 'wrong-password'];
