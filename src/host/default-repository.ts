/**
 * The repository that Holdfast keeps in its own data folder for whoever has configured none, so that the first
 * backup is possible at once. Its password is a recovery key, kept in a file that only its owner can read.
 */
import { randomInt } from 'node:crypto';
import { chmod, mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { EngineError, messageOf } from '../api/errors.ts';
import { dataDirectory } from '../fs/platform.ts';

export interface DefaultRepository {
  readonly location: string;
  /** Its recovery key. */
  readonly password: string;
}

const FOLDER = 'default-repository';
const KEY_FILE = 'default-repository.key';
/** Crockford's base 32: no letter that looks like a digit or another letter. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 6;
const GROUP_LENGTH = 5;

/** 30 characters of 5 bits each: 150 bits, in groups that can be read aloud and typed. */
export function newRecoveryKey(random: (below: number) => number = randomInt): string {
  const group = () => Array.from({ length: GROUP_LENGTH }, () => ALPHABET[random(ALPHABET.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

/** undefined where none was made yet. Errors: 'permission', 'io'. */
export async function findDefaultRepository(
  folder = dataDirectory(),
): Promise<DefaultRepository | undefined> {
  try {
    const password = (await readFile(path.join(folder, KEY_FILE), 'utf8')).trim();
    return password === '' ? undefined : { location: path.join(folder, FOLDER), password };
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(folder, e);
  }
}

/**
 * Writes down a new recovery key for the default repository, before the repository itself is made: a key without a
 * repository is harmless, the other way round is not. Errors: 'permission', 'no-space', 'io'.
 */
export async function prepareDefaultRepository(folder = dataDirectory()): Promise<DefaultRepository> {
  const known = await findDefaultRepository(folder);
  if (known) return known;
  const password = newRecoveryKey();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeSecret(path.join(folder, KEY_FILE), `${password}\n`);
  } catch (e) {
    throw unusable(folder, e);
  }
  return { location: path.join(folder, FOLDER), password };
}

async function writeSecret(file: string, content: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // The process's umask may have widened nothing, but an inherited ACL could.
  await chmod(file, 0o600);
}

function unusable(folder: string, cause: unknown): EngineError {
  const code = (cause as NodeJS.ErrnoException).code;
  const kind = code === 'ENOSPC' ? 'no-space' : code === 'EACCES' || code === 'EPERM' ? 'permission' : 'io';
  return new EngineError(
    kind,
    `The data folder ${folder} can't be used: ${messageOf(cause)}.`,
    { hint: 'Name another one in HOLDFAST_DATA_DIR, or a repository with --repo.' },
    { cause },
  );
}
