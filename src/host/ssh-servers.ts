/** Servers over SSH that a person has said are the right ones. */
import { homedir } from 'node:os';
import path from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { StorageSetting } from '../backend/registry.ts';

/**
 * The answer yes to an error 'host-unverified': from now on the server is known, by a line in the file that the storage looks into.
 * Errors: 'usage' for another error, 'permission'.
 */
export async function rememberServer(
  question: EngineError,
  { options, env = {} }: Pick<StorageSetting, 'options' | 'env'>,
): Promise<void> {
  const { host, port, publicKey, changed } = question.context;
  const isWhole = typeof host === 'string' && typeof port === 'number' && typeof publicKey === 'string';
  if (!isWhole || question.code !== 'host-unverified' || changed !== false) {
    throw new EngineError('usage', 'This is no question about a server that is met for the first time.');
  }
  const { rememberHost } = await import('../backend/sftp/sftp.ts');
  await rememberHost(fileOf(options, env), host, port, publicKey);
}

function fileOf(options: StorageSetting['options'], env: NonNullable<StorageSetting['env']>): string {
  const home = env.HOME || homedir();
  const said = options?.get('sftp.known-hosts');
  if (said === undefined) return path.join(home, '.ssh', 'known_hosts');
  return said.startsWith('~/') ? path.join(home, said.slice(2)) : said;
}
