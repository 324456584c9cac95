/** The second key of a repository, which the words of the recovery kit open. */
import type { KdfParameters } from '../crypto/kdf.ts';
import type { Id } from '../format/types.ts';
import { addKey } from '../repository/keys.ts';
import type { Repository } from '../repository/repository.ts';
import { normalizeRecoveryWords } from './recovery-words.ts';

/** By this name of user and host `key list` shows it. */
const RECOVERY = 'recovery';

export interface RecoveryKeyOptions {
  readonly signal?: AbortSignal;
  /** Cost of the key; calibrated on this machine if absent. */
  readonly kdf?: KdfParameters;
}

/**
 * Adds the key; it has been opened with the words before this resolves. Returns its id.
 * Errors: 'usage' for words that are no recovery key, and the storage's.
 */
export async function addRecoveryKey(
  repository: Repository,
  words: string,
  o: RecoveryKeyOptions = {},
): Promise<Id> {
  const password = normalizeRecoveryWords(words);
  return addKey(repository.backend, repository.key.master, password, {
    ...o,
    username: RECOVERY,
    hostname: RECOVERY,
  });
}
